"""What the chat says when it starts."""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from flask_chat import banner
from flask_chat.chat import people
from flask_chat.config import Config
from flask_chat.http.services import Services

Shown = Callable[..., str]


@pytest.fixture
def shown(chat: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What is printed, on a machine whose network address is 192.0.2.7."""

    class Probe:
        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> Probe:
            return self

        def __exit__(self, *_: object) -> None: ...
        def connect(self, _: object) -> None: ...
        def getsockname(self) -> tuple[str, int]:
            return "192.0.2.7", 1

    monkeypatch.setattr(socket, "socket", Probe)

    def shown(host: str = "0.0.0.0", port: int = 5000, **settings: object) -> str:
        config: Config = replace(chat.config, **settings)  # type: ignore[arg-type]
        banner.show(replace(chat, config=config, throwaway=False), host, port)
        return capsys.readouterr().out

    return shown


def test_it_says_where_the_chat_is_for_me_and_for_friends(shown: Shown) -> None:
    said = shown()
    assert "Flask Chat is running." in said
    assert re.search(r"On this computer +http://localhost:5000/\n", said)
    assert re.search(r"For friends +http://192\.0\.2\.7:5000/\n", said)
    assert "Ctrl-C stops it." in said


def test_on_loopback_there_is_nothing_for_friends(shown: Shown) -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        said = shown(host)
        assert "For friends" not in said
        assert (f"http://[{host}]:5000/" if ":" in host else f"http://{host}:5000/") in said


def test_every_address_has_the_prefix(shown: Shown) -> None:
    said = shown(prefix="/our/chat")
    assert re.search(r"On this computer +http://localhost:5000/our/chat/\n", said)
    assert re.search(r"For friends +http://192\.0\.2\.7:5000/our/chat/\n", said)
    assert re.search(r"To take charge +http://localhost:5000/our/chat/owner/\S+\n", said)


def test_one_address_is_for_everybody(shown: Shown) -> None:
    said = shown("192.0.2.99", 80)
    assert said.count("http://192.0.2.99:80/") >= 2


def test_without_a_network_there_is_nothing_for_friends(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banner, "network_address", lambda _: None)
    assert "For friends" not in shown()


def test_the_owners_link_is_shown_until_there_is_an_owner(shown: Shown, chat: Services) -> None:
    link = f"http://localhost:5000/owner/{chat.owner_link.token()}\n"
    assert link in shown()
    ann = chat.db.write(lambda transaction: people.add(transaction, "Ann"))
    chat.db.write(lambda transaction: people.appoint_owner(transaction, ann))
    assert "/owner/" not in shown()


def test_what_the_operator_must_know_is_said_loudly(shown: Shown, chat: Services) -> None:
    assert "WARNING: FLASK_CHAT_LIMITS=off" in shown(), "the tests run without limits"
    assert "REDIS_URL is set" in shown(redis_url="redis:///")
    chat.limits.on = True
    quiet = shown()
    assert "WARNING" not in quiet
    assert "REDIS_URL" not in quiet


def test_a_host_that_asks_for_processes_that_cannot_be_is_told_why_there_is_one(shown: Shown) -> None:
    said = shown(workers=4)
    assert "WEB_CONCURRENCY is 4, and one process serves." in said
    assert "set DATABASE_URL" in said
    assert "set REDIS_URL" in said
    assert "WEB_CONCURRENCY" not in shown(workers=4, database_url="postgresql:///chat", redis_url="redis:///")
    assert "WEB_CONCURRENCY" not in shown()


def test_a_disk_that_does_not_last_is_said_loudly(
    chat: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    banner.show(replace(chat, throwaway=True), "127.0.0.1", 5000)
    assert "disk does not last" in capsys.readouterr().out


def test_a_code_to_scan_is_shown_only_where_it_can_be(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

    class Old(Terminal):
        encoding = "latin-1"

    for terminal, scannable in ((Terminal(), True), (Old(), False)):
        monkeypatch.setattr("sys.stdout", terminal)
        shown()
        assert ("▀" in terminal.getvalue() or "█" in terminal.getvalue()) is scannable
        assert "http://192.0.2.7:5000/" in terminal.getvalue()
