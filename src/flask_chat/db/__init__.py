"""The database: one writer a process, query-only readers, and the word of what was committed."""

from .backend import Backend, DatabaseRefused, DataInUse, Rows, StorageFull, StorageUnavailable, metadata
from .database import Database, Transaction
from .sqlite import SQLite

__all__ = [
    "Backend",
    "DataInUse",
    "Database",
    "DatabaseRefused",
    "Rows",
    "SQLite",
    "StorageFull",
    "StorageUnavailable",
    "Transaction",
    "metadata",
]
