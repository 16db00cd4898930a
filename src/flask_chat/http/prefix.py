"""The chat below a path of its host: what is the chat's there, and what is told to everybody else."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from . import asgi


def within(scope: Scope, root: str) -> bool:
    """Whether a request is for the chat below ``root``; if so, say in its scope where the chat begins.

    The path is compared as it reads without its escapes, as every proxy does that chooses by path.
    """
    path = scope["path"]
    if path != root and not path.startswith(f"{root}/"):
        return False
    scope["root_path"] = root
    return True


class Elsewhere:
    """An ASGI application for all paths that are not the chat's."""

    def __init__(self, root: str) -> None:
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead from the host's first page to the chat, and from nowhere else."""
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *asgi.SECURITY]
        home = f"{self._root}/"
        if scope["path"] == "/":
            await asgi.respond(send, 307, [(b"location", home.encode()), *headers], b"")
        else:
            await asgi.respond(send, 404, headers, f"There is no such page. The chat is at {home}\n".encode())
