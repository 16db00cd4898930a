"""What the chat says when it starts: where it is, how friends join, and who may take charge."""

from __future__ import annotations

import io
import socket
import sys

import segno
import structlog

from . import config, supervisor
from .chat import people
from .http.services import Services

log = structlog.get_logger("flask_chat")


def show(chat: Services, host: str, port: int) -> None:
    """Print the addresses, the owner's link while there is no owner, and what the operator must know."""
    backend = chat.db.backend
    log.info("started", version=config.VERSION, node=chat.node, port=port, **{backend.name: backend.version})
    home = f"{port}{chat.config.prefix}/"
    local = f"http://{_shown(host) if _one_address(host) else 'localhost'}:{home}"
    network = None if _one_address(host) and _is_loopback(host) else network_address(host)
    lines = ["", f"  {chat.config.name} is running.", "", f"  On this computer   {local}"]
    if network is not None:
        shared = f"http://{_shown(network)}:{home}"
        lines += [f"  For friends        {shared}", "", _qr(shared)]
    else:
        lines += [""]
    with chat.db.read() as connection:
        owned = people.has_owner(connection)
    if not owned:
        lines += [
            f"  To take charge     {local}owner/{chat.owner_link.token()}",
            "  (for you alone; it works once)",
            "",
        ]
    if not chat.limits.on:
        lines += [
            "  WARNING: FLASK_CHAT_LIMITS=off: every rate and connection limit is lifted. For load tests only.",
            "",
        ]
    if chat.throwaway:
        lines += [
            "  WARNING: this host's disk does not last. History is lost whenever the host restarts.",
            "  Put FLASK_CHAT_DATA on a disk that lasts.",
            "",
        ]
    obstacle = supervisor.obstacle(chat.config)
    if chat.config.workers > 1 and obstacle:
        log.warning("workers.one", asked_for=chat.config.workers, reason=obstacle)
        lines += [f"  WEB_CONCURRENCY is {chat.config.workers}, and one process serves. {obstacle}", ""]
    if not chat.bus.up:
        lines += [
            "  WARNING: REDIS_URL does not answer as it should. The log says why. Meanwhile what others say shows",
            "  about a second later.",
            "",
        ]
    if chat.config.redis_url and not chat.db.backend.shared:
        lines += ["  REDIS_URL is set, and not used: one process on SQLite has nobody to tell.", ""]
    lines += ["  Ctrl-C stops it.", ""]
    print("\n".join(lines), flush=True)


def network_address(host: str) -> str | None:
    """The address by which others on the network reach this machine; None without a network."""
    if _one_address(host):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing; it only asks the system for the way out.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if _is_loopback(address) else address


def _one_address(host: str) -> bool:
    return host not in ("", "0.0.0.0", "::")  # noqa: S104


def _is_loopback(host: str) -> bool:
    return host == "::1" or host.startswith("127.") or host == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _qr(address: str) -> str:
    """A QR code in half blocks where the output shows them, else nothing: it must be scannable or not there."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    if not encoding.startswith("utf"):
        return ""
    drawn = io.StringIO()
    segno.make(address, error="l", micro=False).terminal(drawn, compact=True, border=2)
    return drawn.getvalue()
