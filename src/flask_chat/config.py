"""Settings: read once from the environment, then frozen.

Nothing here has a secret for a default: a secret that is not given is made by :mod:`flask_chat.datafolder`
and kept in the data folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VERSION = "0.1.0"

MAX_TEXT = 10_000
"""Longest message, in characters (Unicode code points)."""

MAX_BODY = 256 * 1024
"""Largest request body that is read, in bytes: a message of MAX_TEXT characters, every one JSON-escaped, fits."""

PAGE = 50
"""Messages on a room's page."""

MAX_PAGE = 100
"""Most messages that one answer of the JSON API carries."""

HEARTBEAT = 20.0
"""Seconds between two signs of life on an open stream; common routers cut a silent connection at 30 to 55."""

MAX_WAIT = 25.0
"""Longest that a long poll is held, in seconds, for the same reason."""

SESSION_DAYS = 365
"""Days after which an unused session ends."""


class ConfigError(Exception):
    """A setting that cannot work; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, its default as people write it, and what it does."""

    name: str
    default: str
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting("HOST", "0.0.0.0", "Address to listen on. IP is accepted too."),  # noqa: S104
    Setting("PORT", "5000", "Port to listen on; 0 takes a free one."),
    Setting("FLASK_CHAT_DATA", "data", "Folder for the database, the generated secret and files."),
    Setting("FLASK_CHAT_NAME", "Flask Chat", "What this chat is called on its pages."),
    Setting("SECRET_KEY", "generated", "Signs the session cookie. SECRET is accepted too."),
    Setting(
        "DATABASE_URL", "none", "PostgreSQL 15 or newer to keep everything in: postgresql://user:password@host/name."
    ),
    Setting(
        "REDIS_URL", "none", "Redis 7 or newer, by which processes hear of each other: redis://:password@host:6379/0."
    ),
    Setting("FLASK_CHAT_PREFIX", "none", "Path below which the chat lives, such as /chat. The proxy leaves it on."),
    Setting("FLASK_CHAT_LIMITS", "on", "off lifts every rate and connection limit, for load tests on loopback."),
    Setting(
        "FLASK_CHAT_LOG",
        "requests",
        "requests logs every request as a JSON line; warnings only what is wrong; debug every step of a message too.",
    ),
    Setting("FLASK_CHAT_METRICS_TOKEN", "none", "Opens /metrics, for Prometheus, to who sends this as a bearer token."),
    Setting("FLASK_CHAT_OIDC_ISSUER", "none", "OpenID Connect provider that people may sign in by: an https address."),
    Setting("FLASK_CHAT_OIDC_CLIENT_ID", "none", "What the provider knows this chat as."),
    Setting("FLASK_CHAT_OIDC_CLIENT_SECRET", "none", "By which the provider knows that it is this chat."),
    Setting("FLASK_CHAT_OIDC_NAME", "single sign-on", "What people know the provider by."),
    Setting("FLASK_CHAT_THREADS", "4", "Threads that render pages; more only helps where they wait."),
    Setting("WEB_CONCURRENCY", "1", "Processes that serve; more than 1 needs PostgreSQL and Redis."),
    Setting("FORWARDED_ALLOW_IPS", "127.0.0.1", "Proxies whose X-Forwarded headers are believed; * believes all."),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one running chat."""

    data: Path
    host: str = "0.0.0.0"  # noqa: S104 (people on the same network are to join)
    port: int = 5000
    name: str = "Flask Chat"
    secret: str | None = None
    database_url: str | None = None
    redis_url: str | None = None
    limits: bool = True
    log: str = "requests"
    metrics_token: str | None = None
    threads: int = 4
    workers: int = 1
    trusted_proxies: str = "127.0.0.1"
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_name: str = "single sign-on"
    prefix: str = ""  # or a path such as /chat
    node: str = ""
    """Not a setting: this process's name, where it has one before it opens the data."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Config:
        """Read the settings from environment variables.

        Raises :class:`ConfigError` for a value that cannot be understood.
        """

        def choice(name: str, allowed: tuple[str, ...]) -> str:
            value = environment.get(name, "").strip().lower() or allowed[0]
            if value not in allowed:
                raise ConfigError(f"{name} is {value!r}: it can be {' or '.join(allowed)}.")
            return value

        def whole(name: str, default: int, low: int, high: int) -> int:
            value = environment.get(name, "").strip() or str(default)
            if not value.isascii() or not value.isdecimal() or not low <= int(value) <= high:
                raise ConfigError(f"{name} is {value!r}: it must be a whole number from {low} to {high}.")
            return int(value)

        return cls(
            data=Path(environment.get("FLASK_CHAT_DATA") or "data").expanduser().absolute(),
            host=environment.get("HOST") or environment.get("IP") or "0.0.0.0",  # noqa: S104
            port=whole("PORT", 5000, 0, 65535),
            name=environment.get("FLASK_CHAT_NAME", "").strip() or "Flask Chat",
            secret=environment.get("SECRET_KEY") or environment.get("SECRET") or None,
            database_url=environment.get("DATABASE_URL") or None,
            redis_url=environment.get("REDIS_URL") or None,
            limits=choice("FLASK_CHAT_LIMITS", ("on", "off")) == "on",
            log=choice("FLASK_CHAT_LOG", ("requests", "warnings", "debug")),
            metrics_token=environment.get("FLASK_CHAT_METRICS_TOKEN", "").strip() or None,
            **_provider(environment),
            threads=whole("FLASK_CHAT_THREADS", 4, 1, 64),
            workers=whole("WEB_CONCURRENCY", 1, 1, 64),
            trusted_proxies=environment.get("FORWARDED_ALLOW_IPS") or "127.0.0.1",
            prefix=_prefix(environment.get("FLASK_CHAT_PREFIX", "").strip()),
        )


def _provider(environment: Mapping[str, str]) -> dict[str, str]:
    """The provider of OpenID Connect, if there is one: its secret must not travel in the open."""
    names = ("issuer", "client_id", "client_secret", "name")
    found = {f"oidc_{name}": environment.get(f"FLASK_CHAT_OIDC_{name.upper()}", "").strip() for name in names}
    found["oidc_name"] = found["oidc_name"] or "single sign-on"
    issuer = found["oidc_issuer"]
    if issuer and not re.match(r"https://|http://(localhost|127\.0\.0\.1)([:/]|$)", issuer):
        raise ConfigError(f"FLASK_CHAT_OIDC_ISSUER is {issuer!r}: it must be an https address.")
    if bool(issuer) != bool(found["oidc_client_id"]):
        raise ConfigError("FLASK_CHAT_OIDC_ISSUER and FLASK_CHAT_OIDC_CLIENT_ID need each other.")
    return found


_EVERYWHERE = ("up", "metrics")
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)


def _prefix(value: str) -> str:
    """A path with a slash before every segment and none at its end. Only characters that nobody ever escapes."""
    if value in ("", "/"):
        return ""
    segments = value.removeprefix("/").removesuffix("/").split("/")
    # A browser removes dot segments before it asks; what is in _EVERYWHERE answers beside the prefix too.
    usable = all(_SEGMENT.fullmatch(segment) and segment not in (".", "..") for segment in segments)
    if not usable or value.strip("/") in _EVERYWHERE:
        raise ConfigError(
            f"FLASK_CHAT_PREFIX is {value!r}: it must be a path such as /chat or /our/chat, "
            "of letters, digits, - . _ and ~, and neither /up nor /metrics."
        )
    return "/" + "/".join(segments)
