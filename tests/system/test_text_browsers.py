"""The chat in w3m and lynx: sign in, read, post."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .running import Chat, Program


class Lynx:
    def __init__(self, home: Path) -> None:
        self._home = home

    def get(self, url: str) -> str:
        return self._run(url)

    def post(self, url: str, form: str) -> str:
        return self._run("-post_data", url, said=f"{form}\n---\n")

    def _run(self, *arguments: str, said: str = "") -> str:
        jar = self._home / "cookies"
        settings = self._home / "lynx.cfg"
        settings.write_text(
            f"PERSISTENT_COOKIES:TRUE\nACCEPT_ALL_COOKIES:TRUE\nCOOKIE_FILE:{jar}\nCOOKIE_SAVE_FILE:{jar}\n"
        )
        return run(["lynx", f"-cfg={settings}", "-dump", *arguments], self._home, said)


class W3m:
    def __init__(self, home: Path) -> None:
        self._home = home

    def get(self, url: str) -> str:
        return self._run(url)

    def post(self, url: str, form: str) -> str:
        (self._home / "form").write_text(form)
        return self._run("-post", str(self._home / "form"), url)

    def _run(self, *arguments: str) -> str:
        return run(["w3m", "-dump", "-cookie", "-o", "accept_cookie=1", *arguments], self._home)


def run(command: list[str], home: Path, said: str = "") -> str:
    environment = {**os.environ, "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
    try:
        done = subprocess.run(command, env=environment, input=said, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        pytest.fail(f"{command[0]} is not installed; bin/test installs it.")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=[Lynx, W3m])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Lynx | W3m:
    found: Lynx | W3m = request.param(tmp_path)
    return found


def test_sign_in_read_and_post(reader: Lynx | W3m, chat: Chat, dora: Program) -> None:
    dora.say("Hello from the API")
    first = reader.get(f"{chat.url}/")
    assert "Your name" in first
    assert "Go to chat!" in first
    room = reader.post(f"{chat.url}/", "username=Ann")
    assert "Welcome, Ann" in room
    room = reader.post(f"{chat.url}/rooms/lobby/messages", "message=Hello+from+a+text+browser")
    lines = [line.strip() for line in room.splitlines()]
    for author, text in (("Dora", "Hello from the API"), ("Ann", "Hello from a text browser")):
        at = next(number for number, line in enumerate(lines) if text in line)
        assert author in lines[at - 1], room
        assert ":" in lines[at - 1], room
    # Read first, then write, then look again.
    shown = room.index("Hello from a text browser")
    assert shown < room.rindex("Send")
    assert "Reload" in room
    assert dora.texts() == ["Hello from the API", "Hello from a text browser"]
