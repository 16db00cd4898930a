"""Browsers: what a session says of where it is used, in words that a person knows their own devices by."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Browser:
    """Who asks to be signed in: the device in a few words, ``Firefox on Linux``, and the network address."""

    device: str = ""
    address: str | None = None

    @property
    def network(self) -> str:
        """The range of addresses that it comes from; see :func:`network`."""
        return network(self.address)


UNKNOWN = Browser()


def device(agent: str) -> str:
    """A few words for a ``User-Agent`` (RFC 9110, 10.1.5), which anybody can forge: they are shown, never trusted."""
    agent = agent[:500]
    program = next((name for pattern, name in _PROGRAMS if pattern.search(agent)), "")
    system = next((name for pattern, name in _SYSTEMS if pattern.search(agent)), "")
    if program and system:
        return f"{program} on {system}"
    if program or system:
        return program or system
    first = re.match(r"[A-Za-z][A-Za-z0-9 ._-]{0,39}", agent)
    return first[0].strip() if first and not agent.startswith("Mozilla") else ""


def network(address: str | None) -> str:
    """The range that an address is in, ``192.0.2.0/24`` or ``2001:db8:7::/48``; empty if it is none."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


# Nearly all of them name others too: the first that fits is the one that it is.
_PROGRAMS = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\bEdg(e|A|iOS)?/", "Edge"),
        (r"\b(OPR|Opera|OPiOS)/", "Opera"),
        (r"\bVivaldi/", "Vivaldi"),
        (r"\bSamsungBrowser/", "Samsung Internet"),
        (r"\bDuckDuckGo/|\bDdg/", "DuckDuckGo"),
        (r"\b(Firefox|FxiOS)/", "Firefox"),
        (r"\b(Chrome|CriOS|HeadlessChrome|Chromium)/", "Chrome"),
        (r"\bVersion/[\d.]+.* Safari/", "Safari"),
        (r"\b[Ll]ynx\b", "Lynx"),
        (r"\bw3m\b", "w3m"),
        (r"^curl/", "curl"),
        (r"^[Pp]ython", "Python"),
    )
]
_SYSTEMS = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\biPhone\b", "iPhone"),
        (r"\biPad\b", "iPad"),
        (r"\bAndroid\b", "Android"),
        (r"\bWindows\b", "Windows"),
        (r"\bCrOS\b", "ChromeOS"),
        (r"\bMac OS X\b|\bMacintosh\b", "macOS"),
        (r"\bFreeBSD\b", "FreeBSD"),
        (r"\bLinux\b|\bX11\b", "Linux"),
    )
]
