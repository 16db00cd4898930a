"""Scripts, styles and pictures: read once, compressed once, served from memory for ever.

The address of each carries the fingerprint of all, so that a browser may keep it for good. Comments in lines of their
own and indentation stay at home, with all line ends left: an error names the same line as in the file.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parents[1] / "static"

KEPT = "flask_chat.kept"
"""In the scope of a request: its answer is kept for good."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}

# A quarter of what our scripts weigh. What stands after code in a line is left alone: it may be in a text.
_COMMENT = re.compile(rb"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*$", re.MULTILINE | re.DOTALL)

# No text of ours goes over several lines; a test sees to it.
_INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    packed: bytes | None
    type: str


class Assets:
    """Everything below the static folder, for a chat that begins at ``root``."""

    def __init__(self, folder: Path = STATIC, root: str = "") -> None:
        self._root = root
        self._assets = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in _TYPES
        }
        fingerprint = hashlib.sha256()
        for name, asset in self._assets.items():
            fingerprint.update(name.encode() + b"\0" + asset.body + b"\0")
        self.version = fingerprint.hexdigest()[:12]
        # Texts made of these addresses, for whoever makes them: they are the same as long as these are.
        self.lists: dict[object, str] = {}

    def names(self, folder: str) -> list[str]:
        """The names of all assets in a folder, in order."""
        return [name for name in self._assets if name.startswith(f"{folder}/")]

    def url(self, name: str) -> str:
        """The address of an asset. Raises KeyError for one that is not there."""
        self._assets[name]
        return f"{self._root}/static/{self.version}/{name}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ``/static/<version>/<name>``; a page from before an update still finds its files by their names."""
        asset = self._assets.get(scope["path_params"]["name"])
        headers: list[tuple[bytes, bytes]] = [
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        if asset is None:
            await _answer(send, 404, [*headers, (b"content-type", b"text/plain")], b"Not found\n")
            return
        current = scope["path_params"]["version"] == self.version
        if current:
            scope[KEPT] = True
        headers += [
            (b"content-type", asset.type.encode()),
            (b"cache-control", b"max-age=31536000, immutable" if current else b"no-cache"),
            (b"vary", b"accept-encoding"),
        ]
        body = asset.body
        if asset.packed is not None and b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b""):
            body = asset.packed
            headers.append((b"content-encoding", b"gzip"))
        await _answer(send, 200, headers, body)


def _read(path: Path) -> _Asset:
    body = path.read_bytes()
    if path.suffix in (".js", ".css"):
        body = _INDENT.sub(b"", _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), body))
    packed = gzip.compress(body, 9, mtime=0)
    return _Asset(body, packed if len(packed) < len(body) else None, _TYPES[path.suffix])


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
