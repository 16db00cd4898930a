"""What the documents say exists, and what exists is in the documents."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
import httpx
import pytest
from flask import Flask

from flask_chat import cli, config, events

from .servers import ChatServer

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"(?<!\\)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def commands(group: click.Command, path: str = "flask-chat") -> Iterator[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from commands(command, f"{path} {name}")
    else:
        yield path, group


COMMANDS = dict(commands(cli.main))


@pytest.mark.parametrize("setting", config.SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_in_the_table(setting: config.Setting) -> None:
    assert f"| `{setting.name}` | `{setting.default}` | {setting.help} |" in page("configuration")


def test_the_table_has_no_setting_that_does_not_exist() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", page("configuration"), re.MULTILINE)
    assert sorted(documented) == sorted(setting.name for setting in config.SETTINGS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_is_described(name: str) -> None:
    text = page("operating")
    assert f"bin/{name}" in text or f"bin/{name.removeprefix('flask-chat ')}" in text
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert any(f"`{option}" in text for option in parameter.opts), parameter.opts


@pytest.mark.parametrize("type", sorted(events.TYPES | {events.RESYNC}))
def test_every_type_of_event_is_described(type: str) -> None:
    assert f"`{type}`" in page("api")


def test_every_address_for_programs_is_described(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            path = re.sub("<slug>", "<room>", re.sub(r"<\w+:(\w+)>", r"<\1>", rule.rule))
            assert path in page("api"), path


@pytest.mark.parametrize(
    "figure",
    [
        f"{config.MAX_TEXT:,} characters",
        f"{config.MAX_PAGE} messages",
        f"{config.HEARTBEAT:.0f} seconds",
        f"{config.MAX_WAIT:.0f} seconds",
    ],
)
def test_the_limits_are_given_as_they_are(figure: str) -> None:
    assert figure in page("api")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(FENCE.sub("", path.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def anchors(path: Path) -> set[str]:
    """The names that GitHub and others give to headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(path: Path) -> None:
    for name in re.findall(r"\b(?:bin|\.ci)/[a-z-]+", path.read_text()):
        assert (ROOT / name).exists(), name


def test_the_procfile_starts_the_same_server() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    processes = dict(line.split(": ", 1) for line in lines)
    assert set(processes) == {"release", "web"}
    assert processes["web"].endswith("python -m flask_chat serve")
    assert processes["release"].endswith("python -m flask_chat upgrade")
    assert {"flask-chat serve", "flask-chat upgrade"} <= set(COMMANDS)


def test_the_app_manifest_names_only_settings_that_exist() -> None:
    manifest = json.loads((ROOT / "app.json").read_text())
    assert set(manifest["env"]) <= {setting.name for setting in config.SETTINGS}
    assert manifest["env"]["SECRET_KEY"] == {
        "description": next(setting.help for setting in config.SETTINGS if setting.name == "SECRET_KEY"),
        "generator": "secret",
    }


def test_the_terminal_example_of_the_readme_works(server: ChatServer, tmp_path: Path) -> None:
    (example,) = re.findall(r"```sh\n(curl -c jar.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    sign_in, send, follow = example.replace("http://localhost:5000", server.url).splitlines()
    # An example is copied and changed: what means something in a form must not cut the message short.
    send = send.replace("message=hi", "'message=1 + 1 & 100%'")
    for command in (sign_in, send):
        subprocess.run(f"{command} --fail --silent --show-error", shell=True, cwd=tmp_path, check=True)
    with closing(server.client("Ann")) as ann:
        assert [message["text"] for message in latest(ann)] == ["1 + 1 & 100%"]
    stream = subprocess.run(f"{follow} --silent --max-time 1", shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert "\nid: " in stream.stdout


def test_the_bot_in_the_documents_answers_and_goes_on_after_restarts(server: ChatServer, tmp_path: Path) -> None:
    (bot,) = re.findall(r"```python\n(.*?)```", page("api"), re.DOTALL)
    with closing(server.client("Ann")) as ann:
        with running(bot, server, tmp_path):
            until = time.monotonic() + 20
            while not (tmp_path / "greeter.cursor").exists():
                assert time.monotonic() < until
                time.sleep(0.1)
            time.sleep(0.5)
            server.restart()
            say(ann, "Hello everybody")
            assert greetings(ann, 1) == ["Hello, Ann!"]
            time.sleep(1)  # A bot that answered itself would be at it by now.
        say(ann, "Hello again")
        with running(bot, server, tmp_path):
            assert greetings(ann, 2) == ["Hello, Ann!"] * 2
            time.sleep(1)
        assert len(latest(ann)) == 4


@contextmanager
def running(bot: str, server: ChatServer, folder: Path) -> Iterator[None]:
    program = bot.replace("http://localhost:5000", server.url)
    process = subprocess.Popen([sys.executable, "-c", program], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def say(client: httpx.Client, text: str) -> None:
    assert client.post("/rooms/lobby/messages", data={"message": text}).status_code == 303


def greetings(client: httpx.Client, wanted: int) -> list[str]:
    """What the bot has said, once it has said as much as that."""
    until = time.monotonic() + 20
    while True:
        said = [message["text"] for message in latest(client) if message["author"] == "Greeter"]
        if len(said) >= wanted:
            return said
        assert time.monotonic() < until
        time.sleep(0.2)


def latest(client: httpx.Client) -> list[dict[str, str]]:
    messages: list[dict[str, str]] = client.get("/api/rooms/lobby/messages").json()["messages"]
    return messages
