"""What runs the chat elsewhere: the image, the set-up of several containers, the proxy's file, systemd's unit.

No container and no systemd runs here. The image's own commands run on a copy of what is copied into it; the rest is
read: whether it is well formed, and names only what there is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from flask_chat import cli, config, supervisor

from .servers import ROOT, free_port

SETTINGS = {setting.name for setting in config.SETTINGS}
IMAGES = {
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"},
    "proxy": {"CHAT_ADDRESS"},
}
"""Variables of the containers that are not the chat's."""


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, such as ("USER", "chat"), with what is continued on further lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", "")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def told(word: str) -> list[str]:
    return [rest for each, rest in instructions() if each == word]


def variables() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(told("ENV"))))


def copied() -> list[tuple[str, str]]:
    """What is copied from here into the image, and where to."""
    pairs = [rest.split() for rest in told("COPY") if not rest.startswith("--from")]
    return [(source, target) for source, target in pairs if target.startswith("/chat/")]


def test_the_image_has_all_that_the_chat_needs_and_sees_whether_it_serves(tmp_path: Path) -> None:
    for source, target in copied():
        shutil.copytree(ROOT / source, tmp_path / target[1:], ignore=shutil.ignore_patterns("__pycache__"))
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    environment = {
        **clean,
        "PYTHONPATH": str(tmp_path / variables()["PYTHONPATH"][1:]),
        "FLASK_CHAT_DATA": str(tmp_path / variables()["FLASK_CHAT_DATA"][1:]),
        "PORT": str(free_port()),
    }

    def healthy() -> bool:
        command = json.loads(told("HEALTHCHECK")[0].partition("CMD ")[2])
        return run(command, environment, stderr=subprocess.DEVNULL).wait(10) == 0

    assert not healthy()
    log = tmp_path / "log"
    with log.open("wb") as said:
        command = [*json.loads(told("ENTRYPOINT")[0]), *json.loads(told("CMD")[0])]
        server = run(command, environment, cwd=tmp_path, stdout=said, stderr=said)
        try:
            until = time.monotonic() + 20
            while not healthy():
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
        finally:
            server.terminate()
            code = server.wait(10)
    assert code == 0, log.read_text()
    assert (tmp_path / variables()["FLASK_CHAT_DATA"][1:] / "chat.db").exists()


def run(command: list[str], environment: dict[str, str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a command of the image with the Python that runs the tests."""
    assert command[0] == "python"
    return subprocess.Popen([sys.executable, *command[1:]], env=environment, **options)


def test_the_image_runs_as_nobody_in_particular_and_keeps_its_data_in_a_volume() -> None:
    [user] = told("USER")
    last = max(number for number, (word, _) in enumerate(instructions()) if word == "FROM")
    final = instructions()[last:]
    assert any(word == "RUN" and re.search(rf"useradd .*--uid [1-9]\d* .*{user}\b", rest) for word, rest in final)
    words = [word for word, _ in final]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert told("VOLUME") == [variables()["FLASK_CHAT_DATA"]]
    assert told("EXPOSE") == [next(setting.default for setting in config.SETTINGS if setting.name == "PORT")]
    assert {name for name in variables() if not name.startswith("PYTHON")} - {"PATH"} <= SETTINGS


def test_the_image_installs_what_is_pinned_with_its_hashes_and_keeps_no_cache() -> None:
    [install] = [rest for word, rest in instructions() if word == "RUN" and " install " in rest and "pip" in rest]
    assert {"--require-hashes", "--no-cache-dir"} <= set(install.split())
    assert "requirements.txt" in [source for source, _ in (rest.split() for rest in told("COPY")[:1])]


def test_what_the_image_copies_is_what_is_sent_to_who_builds_it() -> None:
    sent = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert sent[0] == "*", "nothing goes there by accident"
    assert {line[1:] for line in sent if line.startswith("!")} == {
        rest.split()[0] for rest in told("COPY") if not rest.startswith("--from")
    }


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return read


def test_every_variable_in_the_set_up_is_one_that_somebody_reads(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        given = set(service.get("environment", ()))
        known = SETTINGS | {"PGPASSWORD"} if service["image"] == "flask-chat" else IMAGES.get(name, set())
        assert given <= known, name


def test_no_secret_of_the_set_up_has_a_default(compose: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text()
    used = re.findall(r"\$\{(\w+)([^}]*)\}", text)
    assert {name for name, _ in used} >= {"POSTGRES_PASSWORD"}
    for name, rest in used:
        if re.search("PASSWORD|SECRET|TOKEN", name):
            assert rest.startswith(":?") or rest == ":-", f"{name} must be given, or means nothing without"
        else:
            assert rest.startswith(":-"), f"{name} has a default"
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert value.startswith("${") or not re.search("PASSWORD|SECRET|TOKEN", name), f"{name} is written there"


def test_who_waits_for_somebody_waits_for_somebody_who_can_say_so(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other] or services[other]["image"] == "flask-chat", (name, other)
            else:
                assert how["condition"] == "service_completed_successfully"
                assert services[other]["command"] in cli.main.commands, "a command that ends"
                assert services[other]["restart"] == "no"
    assert services["chat"]["depends_on"]["upgrade"]["condition"] == "service_completed_successfully"
    assert services["chat"]["deploy"]["replicas"] == 2


def test_the_parts_of_the_set_up_find_each_other(compose: dict[str, Any]) -> None:
    services, networks = compose["services"], compose["networks"]
    settings = services["chat"]["environment"]
    for name in ("DATABASE_URL", "REDIS_URL"):
        host = re.fullmatch(r"\w+://(?:\w+@)?(\w+)(?::\d+)?/\w+", settings[name])
        assert host is not None
        assert set(services[host[1]]["networks"]) & set(services["chat"]["networks"])
    assert services["upgrade"]["environment"] == settings
    # Whoever is on the network that is believed can claim any address.
    [believed] = [each["subnet"] for each in networks["front"]["ipam"]["config"]]
    assert settings["FORWARDED_ALLOW_IPS"] == str(ip_network(believed))
    assert {name for name, service in services.items() if "front" in service["networks"]} == {
        *("chat", "upgrade", "proxy")
    }
    assert networks["back"] == {"internal": True}
    for service in services.values():
        assert set(service["networks"]) <= set(networks)
        for mounted in service.get("volumes", ()):
            source = mounted.partition(":")[0]
            assert (ROOT / source).is_file() if source.startswith(".") else source in compose["volumes"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"], (
        "only it is reached from out"
    )


def test_the_proxy_serves_the_chats_of_the_set_up(compose: dict[str, Any], tmp_path: Path) -> None:
    file = ROOT / "contrib" / "caddy" / "Caddyfile"
    assert set(re.findall(r"\{\$(\w+)", file.read_text())) == set(compose["services"]["proxy"]["environment"])
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    for command in ("validate", "adapt"):
        done = subprocess.run(
            ["caddy", command, "--adapter", "caddyfile", "--config", str(file)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
    upstreams = json.loads(re.search(r'"dynamic_upstreams":(\{.*?\})', done.stdout)[1])  # type: ignore[index]
    assert (upstreams["name"], upstreams["port"]) == ("chat", *told("EXPOSE"))
    # With -1 the proxy does not tell when a reader has left; its streams would stay open for nobody.
    assert '"flush_interval"' not in done.stdout


@pytest.fixture(scope="module")
def unit() -> dict[str, dict[str, list[str]]]:
    """The unit's sections; a name may be there several times."""
    read: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in (ROOT / "contrib" / "systemd" / "flask-chat.service").read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            read.setdefault(section, {}).setdefault(name, []).append(value)
    return read


def test_the_unit_starts_the_same_server_with_settings_that_exist(unit: dict[str, dict[str, list[str]]]) -> None:
    service = unit["Service"]
    [start] = service["ExecStart"]
    assert start.endswith("/.venv/bin/python -P -m flask_chat serve")
    assert {line.partition("=")[0] for line in service["Environment"]} <= SETTINGS
    [folder] = service["StateDirectory"]
    assert f"FLASK_CHAT_DATA=%S/{folder}" in service["Environment"]
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert service["RestartForceExitStatus"] == ["SIGHUP"], "or a single process would not come back from a reload"
    assert service["LimitNOFILE"] == ["65536"]
    for hardening in ("DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "Restart=on-failure"):
        name, _, value = hardening.partition("=")
        assert service[name] == [value]


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here to read it")
    text = (ROOT / "contrib" / "systemd" / "flask-chat.service").read_text()
    written = tmp_path / "flask-chat.service"
    # It looks whether the program is there.
    written.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.MULTILINE))
    done = subprocess.run(["systemd-analyze", "verify", str(written)], capture_output=True, text=True, timeout=30)
    about = [line for line in done.stderr.splitlines() if "flask-chat.service" in line]
    assert (done.returncode, about) == (0, []), done.stderr


def test_whoever_stops_the_chat_gives_it_the_time_that_it_may_take(
    compose: dict[str, Any], unit: dict[str, dict[str, list[str]]]
) -> None:
    assert int(compose["services"]["chat"]["stop_grace_period"].removesuffix("s")) > supervisor.ENDED_WITHIN
    assert int(unit["Service"]["TimeoutStopSec"][0]) > supervisor.ENDED_WITHIN
