"""The data folder: where everything lies that must outlive the process."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .config import ConfigError

_FLEETING = frozenset({"overlay", "tmpfs", "ramfs", "aufs"})


def prepare(folder: Path) -> None:
    """Make the data folder, for this user alone. Raises :class:`ConfigError` if it cannot be written to."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, probe = tempfile.mkstemp(dir=folder, prefix=".probe-")
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise ConfigError(
            f"The data folder {folder} cannot be written to ({error.strerror}). "
            "Give this user the right to, or name another with --data or FLASK_CHAT_DATA."
        ) from None


MOVED = "moved.txt"
"""The file that says where the chat of a folder has gone."""


def refuse_moved(folder: Path) -> None:
    """Raise :class:`ConfigError` for a folder whose chat is served from elsewhere now: two would part ways."""
    try:
        where = (folder / MOVED).read_text().strip()
    except OSError:
        return  # There is none; whatever else is wrong with the folder is said where it is used.
    raise ConfigError(
        f"The chat in {folder} was moved to {where}. Set DATABASE_URL to that; "
        f"or, to go on from here as it was before, delete {folder / MOVED}."
    )


def secret(path: Path) -> str:
    """The secret that a file holds; it is made the first time, readable for this user alone.

    Only the process that has the folder's lock may ask, in one thread at a time. A secret that is there but empty is an
    accident (a full disk, an interrupted copy) and is made anew.
    """
    try:
        kept = path.read_text("ascii").strip()
    except FileNotFoundError:
        kept = ""
    if kept:
        return kept
    made = secrets.token_urlsafe(48)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(made + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return path.read_text("ascii").strip()


class FolderKeep:
    """Small texts, a file each, in a data folder that this process has the lock of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ensure(self, name: str) -> str:
        """The text of a name; it is made by chance the first time."""
        return secret(self._folder / name)

    def find(self, name: str) -> str | None:
        """The text of a name, or None."""
        return self.ensure(name) if (self._folder / name).exists() else None

    def drop(self, name: str) -> None:
        """Forget a name."""
        (self._folder / name).unlink(missing_ok=True)


def fleeting(folder: Path, environment: Mapping[str, str] = os.environ, mounts: str = "/proc/self/mounts") -> bool:
    """Whether what is written here is lost when the host restarts: a Heroku-like host, a container's own layer."""
    if "DYNO" in environment:
        return True
    try:
        lines = Path(mounts).read_text().splitlines()
    except OSError:
        return False
    best, kind = "", ""
    for line in lines:
        _, point, type, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if len(point) >= len(best) and folder.is_relative_to(point):
            best, kind = point, type
    return kind in _FLEETING
