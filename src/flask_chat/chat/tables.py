"""Every table of the house: who needs them all imports ``metadata`` from here."""

from __future__ import annotations

from ..db import metadata
from . import (  # noqa: F401 (each brings its tables into the metadata)
    audit,
    blocks,
    credentials,
    feed,
    invitations,
    keeping,
    mentions,
    profiles,
    reports,
    restrictions,
    sessions,
    settings,
    statistics,
)

__all__ = ["metadata"]
