"""The log tells what happened, and nothing of what people said or by what they are known."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import httpx

from ..servers import ChatServer, serving
from . import wire
from .clients import StreamReader, cursor, program, say, token_of
from .hooks import Ceiling

SECRET = "geheimnis"


def test_no_message_no_token_and_no_cookie_is_in_the_log_whatever_door_they_came_by(tmp_path: Path) -> None:
    ceiling = Ceiling(tmp_path)
    with serving(tmp_path / "data", ceiling.before) as server:
        secrets = _use_every_door(server)
        ceiling.fill()
        _use_every_door(server, again=True)
        ceiling.free()
        server.kill()
        server.start()
        log = server.log.read_text()
    assert "request" in log
    for secret in (SECRET, SECRET.encode().hex(), *secrets):
        at = log.find(secret)
        assert at < 0, f"in the log: {log[max(0, at - 600) : at + 40]}"


def test_every_request_is_one_line_of_json_that_names_its_route_and_outcome(server: ChatServer) -> None:
    with program(server, "Ann") as ann:
        say(ann, "hello")
        ann.get("/Ann/hello")
        ann.get("/nothing/at/all")
    server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    seen = {(line["method"], line["route"], line["status"]) for line in lines if line["event"] == "request"}
    assert ("POST", "/api/rooms/{room}/messages", 201) in seen
    assert any(method == "GET" and "<username>" in route and status == 200 for method, route, status in seen)
    assert all("hello" not in route for _, route, _ in seen)


def _use_every_door(server: ChatServer, *, again: bool = False) -> list[str]:
    """Say secrets wherever something can be said, rightly and wrongly; returns tokens and cookies."""
    number = 2 if again else 1
    secrets: list[str] = []
    with contextlib.ExitStack() as stack:
        if again:
            stranger = stack.enter_context(httpx.Client(base_url=server.url))
            for path in ("/", "/api/sessions"):
                stranger.post(path, data={"username": f"{SECRET} {number}"})
        else:
            ann = stack.enter_context(program(server, "Ann"))
            bob = stack.enter_context(contextlib.closing(server.client("Bob")))
            secrets += [token_of(ann), bob.cookies["flask_chat"], bob.cookies["flask_chat"].strip(".").split(".")[0]]
            _USERS[:] = [(ann.headers["authorization"], bob.cookies["flask_chat"])]
        authorization, cookie = _USERS[0]
        ann = stack.enter_context(httpx.Client(base_url=server.url, headers={"authorization": authorization}))
        bob = stack.enter_context(httpx.Client(base_url=server.url, cookies={"flask_chat": cookie}))
        stranger = stack.enter_context(httpx.Client(base_url=server.url))
        navigates = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
        json_type = {"content-type": "application/json"}
        for client in (ann, bob, stranger):
            say(client, SECRET, f"c-{SECRET}-{number}")
            say(client, f"another {SECRET}", f"c-{SECRET}-{number}")
            say(client, SECRET, room=SECRET)
            say(client, SECRET, client_id=f"{SECRET} is none")
            say(client, SECRET * 5000)
            for body in (
                f'{{"text": "{SECRET}',
                f'{{"text": "{SECRET}\\ud800"}}',
                f'["{SECRET}"]',
                "[" * 99999 + SECRET,
            ):
                client.post("/api/rooms/lobby/messages", content=body, headers=json_type)
                client.post("/api/sessions", content=body, headers=json_type)
            client.post("/api/rooms/lobby/messages", content=SECRET, headers={"content-type": SECRET})
            client.post("/rooms/lobby/messages", data={"message": SECRET})
            client.post("/rooms/lobby/messages", data={"message": SECRET, "client_id": f"{SECRET} is none"})
            client.post("/rooms/lobby/messages", data={"message": SECRET * 2000})
            client.post("/rooms/lobby/messages", data={f"{SECRET}{n}": SECRET for n in range(2000)})
            client.post("/rooms/lobby/messages", files={"message": (SECRET, SECRET)})
            client.post(f"/rooms/{SECRET}/messages", data={"message": SECRET})
            for path in (
                f"/Bob/{SECRET}",
                f"/Ann/{SECRET}",
                f"/Bob/a?{SECRET}",
                f"/{SECRET}/{SECRET}",
                f"/api/{SECRET}",
            ):
                client.get(path)
                client.get(path, headers=navigates)
                client.head(path)
                client.put(path)
            for query in (
                f"next=/{SECRET}",
                f"next=//[{SECRET}]",
                f"next=http://[{SECRET}",
                f"next=http://x:{SECRET}/",
            ):
                client.get(f"/?{query}")
                client.post("/", data={"username": f"x/{SECRET}", "next": query.removeprefix("next=")})
            for path in ("/api/events", "/api/rooms/lobby/messages"):
                client.get(path, params={"after": SECRET, "wait": SECRET, "before": SECRET})
                client.get(path, headers={"authorization": f"Bearer {SECRET}"})
                client.get(path, headers={"cookie": f"flask_chat={SECRET}", "last-event-id": SECRET, "referer": SECRET})
            client.get("/rooms/lobby", params={"draft": SECRET, "before": SECRET})
            client.get(f"/owner/{SECRET}")
            client.post("/sign-out", headers={"origin": f"http://[{SECRET}]"})
            client.post("/sign-out", headers={"origin": f"http://x:{SECRET}"})
        stream = StreamReader(server, authorization.removeprefix("Bearer "), cursor(ann))
        stream.start()
        stream.wait_open()
        stream.finish()
        for raw in (f"/Ann/{SECRET}\u00e9", f"/Ann/%{SECRET}", f"http://[{SECRET}]/Ann/{SECRET}"):
            wire.ask(server, "GET", raw, {"Authorization": authorization})
        wire.ask(server, "GET", f"/Ann/{SECRET}", {"Host": f"[{SECRET}"})
        with wire.connect(server) as sock:
            sock.sendall(f"GET /Ann/{SECRET} HTTP/9.9\r\n{SECRET}\r\n\r\n".encode())
            sock.recv(4096)
    return secrets


_USERS: list[tuple[str, str]] = []
