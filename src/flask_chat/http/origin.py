"""Where a request comes from: one that a browser sends for another site is refused."""

from __future__ import annotations

from urllib.parse import urlsplit

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def foreign(site: str | None, origin: str | None, host: str | None) -> bool:
    """Whether a browser says that another origin makes this request.

    ``site`` is ``Sec-Fetch-Site``, which no script can set; browsers leave it out on plain HTTP at a network
    address, where ``Origin`` must name this ``Host``. A request that carries neither is not a browser's: other sites
    cannot make one of those with our cookie. See the OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata".
    """
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is not None:
        return origin == "null" or _host(origin) != (host or "").lower()
    return False


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
