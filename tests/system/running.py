"""A chat that really runs, in a process of its own, and what a program says to it."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any

from ..nursery import Forked
from ..servers import free_port


class Chat:
    """A server process on one port and one data folder, which can be stopped, killed and started again."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._environment = environment
        self._process: Forked | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it."""
        environment = {
            **os.environ,
            "HOST": "127.0.0.1",
            "FLASK_CHAT_DATA": str(self._folder / "data"),
            **self._environment,
        }
        self._process = Forked(["serve", "--port", str(self.port)], environment, self._folder / "log")

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"The chat did not start:\n{self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end, as a person or a host does, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    @property
    def log(self) -> str:
        """All that it has written so far."""
        return (self._folder / "log").read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/up", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None


class Program:
    """Somebody who talks through the API."""

    def __init__(self, chat: Chat, username: str) -> None:
        self._chat = chat
        self._token = self.ask("POST", "/api/sessions", {"username": username})["token"]

    def say(self, text: str, room: str = "lobby") -> dict[str, Any]:
        """Post to a room; returns the message."""
        message: dict[str, Any] = self.ask("POST", f"/api/rooms/{room}/messages", {"text": text})
        return message

    def room(self, name: str, *members: str, kind: str = "public") -> str:
        """Make a room with these people in it; returns its slug."""
        slug: str = self.ask("POST", "/api/rooms", {"name": name, "kind": kind})["slug"]
        for member in members:
            self.ask("PUT", f"/api/rooms/{slug}/members/{member}")
        return slug

    def write_to(self, other: str) -> str:
        """Begin to talk with somebody alone; returns the room's slug."""
        slug: str = self.ask("POST", "/api/conversations", {"with": [other]})["slug"]
        return slug

    def texts(self) -> list[str]:
        """Everything that was said in the lobby, in order."""
        found: list[str] = []
        after = 0
        while page := self.ask("GET", f"/api/rooms/lobby/messages?after={after}&limit=100")["messages"]:
            found += [message["text"] for message in page]
            after = page[-1]["id"]
        return found

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the API answers, None if it says nothing."""
        request = urllib.request.Request(self._chat.url + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if hasattr(self, "_token"):
            request.add_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            said = answer.read()
        return json.loads(said) if said else None
