"""Settings: what the environment says, and what it cannot say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from flask_chat import config, create_app
from flask_chat.config import SETTINGS, Config, ConfigError


def test_everything_has_a_default_but_no_secret() -> None:
    made = Config.from_environment({})
    assert made == Config(data=Path.cwd() / "data")
    assert made.secret is None


def test_every_setting_is_read_from_the_environment() -> None:
    made = Config.from_environment(
        {
            "HOST": "127.0.0.1",
            "PORT": "8080",
            "FLASK_CHAT_DATA": "/srv/chat",
            "FLASK_CHAT_NAME": " The kitchen ",
            "SECRET_KEY": "s",
            "DATABASE_URL": "postgresql:///chat",
            "REDIS_URL": "redis:///",
            "FLASK_CHAT_LIMITS": "OFF",
            "FLASK_CHAT_LOG": "warnings",
            "FLASK_CHAT_METRICS_TOKEN": " m ",
            "FLASK_CHAT_THREADS": "2",
            "WEB_CONCURRENCY": "3",
            "FORWARDED_ALLOW_IPS": "*",
            "FLASK_CHAT_PREFIX": "chat/",
        }
    )
    assert made == Config(
        data=Path("/srv/chat"),
        host="127.0.0.1",
        port=8080,
        name="The kitchen",
        secret="s",
        database_url="postgresql:///chat",
        redis_url="redis:///",
        limits=False,
        log="warnings",
        metrics_token="m",
        threads=2,
        workers=3,
        trusted_proxies="*",
        prefix="/chat",
    )


def test_every_setting_that_is_listed_is_one_that_is_read() -> None:
    asked: set[str] = set()

    class Environment(dict[str, str]):
        def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
            asked.add(name)
            return default

    Config.from_environment(Environment())
    assert asked - {"IP", "SECRET"} == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize(("name", "field"), [("IP", "host"), ("SECRET", "secret")])
def test_other_names_that_hosts_use_are_accepted(name: str, field: str) -> None:
    assert getattr(Config.from_environment({name: "x"}), field) == "x"


def test_the_longer_name_wins_over_the_other() -> None:
    made = Config.from_environment({"HOST": "a", "IP": "b", "SECRET_KEY": "c", "SECRET": "d"})
    assert (made.host, made.secret) == ("a", "c")


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
def test_an_empty_setting_is_none_at_all(name: str) -> None:
    assert Config.from_environment({name: ""}) == Config.from_environment({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "5000.0"),
        ("PORT", "٥٠٠٠"),
        ("FLASK_CHAT_LIMITS", "no"),
        ("FLASK_CHAT_LOG", "everything"),
        ("FLASK_CHAT_THREADS", "0"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "65"),
        ("WEB_CONCURRENCY", "many"),
        ("FLASK_CHAT_PREFIX", "//"),
        ("FLASK_CHAT_PREFIX", "/chat//lobby"),
        ("FLASK_CHAT_PREFIX", "/our/../chat"),
        ("FLASK_CHAT_PREFIX", "/./chat"),
        ("FLASK_CHAT_PREFIX", "https://chat.example.org/chat"),
        ("FLASK_CHAT_PREFIX", "/our chat"),
        ("FLASK_CHAT_PREFIX", "/our%20chat"),
        ("FLASK_CHAT_PREFIX", "/käse"),
        ("FLASK_CHAT_PREFIX", "/chat?"),
        ("FLASK_CHAT_PREFIX", "/chat\n/x"),
        ("FLASK_CHAT_PREFIX", "/up"),
        ("FLASK_CHAT_PREFIX", "metrics/"),
    ],
)
def test_a_setting_that_cannot_be_understood_says_which_and_what_it_can_be(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} is .*: it (can|must) be ") as refused:
        Config.from_environment({name: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "prefix"),
    [
        ("/", ""),
        (" ", ""),
        ("chat", "/chat"),
        ("/chat", "/chat"),
        ("/chat/", "/chat"),
        ("our/chat", "/our/chat"),
        ("/up/here", "/up/here"),
        ("/~ann/chat-2.0_b", "/~ann/chat-2.0_b"),
    ],
)
def test_a_prefix_begins_with_a_slash_and_ends_without_one(value: str, prefix: str) -> None:
    assert Config.from_environment({"FLASK_CHAT_PREFIX": value}).prefix == prefix


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config.from_environment({}).port = 1  # type: ignore[misc]


def test_a_folder_in_the_home_of_its_user_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/ann")
    assert Config.from_environment({"FLASK_CHAT_DATA": "~/chat"}).data == Path("/srv/ann/chat")


def test_a_database_that_the_chat_does_not_know_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        create_app(Config(data=tmp_path / "data", database_url="mysql:///chat"))
    assert not (tmp_path / "data").exists()


def test_the_longest_message_fits_into_a_body_however_it_is_escaped() -> None:
    # A character outside the basic plane is 12 bytes as JSON escapes, and 12 in a form.
    assert config.MAX_BODY > 12 * config.MAX_TEXT + 1000
    assert config.HEARTBEAT < 30
    assert config.MAX_WAIT < 30


OIDC = {"FLASK_CHAT_OIDC_ISSUER": "https://id.example.org", "FLASK_CHAT_OIDC_CLIENT_ID": "chat"}


def test_a_provider_of_openid_connect_is_named_by_its_issuer_and_what_it_knows_the_chat_as() -> None:
    assert not Config.from_environment({}).oidc_issuer
    found = Config.from_environment({**OIDC, "FLASK_CHAT_OIDC_CLIENT_SECRET": "s", "FLASK_CHAT_OIDC_NAME": "Garden"})
    assert found.oidc_issuer == "https://id.example.org"
    assert (found.oidc_client_id, found.oidc_client_secret, found.oidc_name) == ("chat", "s", "Garden")


@pytest.mark.parametrize(
    "changed",
    [
        {"FLASK_CHAT_OIDC_ISSUER": "http://id.example.org"},
        {"FLASK_CHAT_OIDC_ISSUER": "http://localhost.evil.test"},
        {"FLASK_CHAT_OIDC_ISSUER": "file:///etc"},
        {"FLASK_CHAT_OIDC_ISSUER": ""},
        {"FLASK_CHAT_OIDC_CLIENT_ID": ""},
    ],
)
def test_a_provider_that_cannot_work_stops_the_start(changed: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="FLASK_CHAT_OIDC_ISSUER"):
        Config.from_environment({**OIDC, **changed})
