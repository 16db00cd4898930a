"""A provider of OpenID Connect that believes what it is told, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from .servers import free_port

PROGRAM = Path(sys.executable).with_name("oidc-provider-mock")
"""It needs Python 3.12: where that is not, it is not installed."""

KNOWN = '{"sub": "cleo-7", "preferred_username": "Cleo"}'


@contextmanager
def providing(folder: Path) -> Iterator[str]:
    """The address of one that runs, and that knows Cleo; it writes its log into ``folder``."""
    port = free_port()
    command = [str(PROGRAM), "--port", str(port), "--require-nonce", "true", "--user-claims", KNOWN]
    address = f"http://localhost:{port}"
    with (folder / "provider.log").open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            _wait(address)
            yield address
        finally:
            process.kill()
            process.wait()


def _wait(address: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"{address}/.well-known/openid-configuration")
        except httpx.TransportError:
            assert time.monotonic() < until, "the provider does not start"
            time.sleep(0.1)
        else:
            return
