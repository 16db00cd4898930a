"""Security headers: on every page, a policy under which only our own scripts run."""

from __future__ import annotations

import secrets

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What every answer carries."""

PRIVATE = "private, no-store"
"""What is one person's is kept by no cache; going back in the browser shows the page anew."""


def nonce() -> str:
    """What the scripts of one page are known by."""
    return secrets.token_urlsafe(16)


def policy(nonce: str | None, *, framed: bool = False) -> str:
    """A Content-Security-Policy: our styles, pictures and connections, scripts by nonce or none at all.

    ``framed`` is for the one document that our own page shows in a frame.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'" if nonce else "script-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "frame-src 'self'",
            "frame-ancestors 'self'" if framed else "frame-ancestors 'none'",
            "base-uri 'self'" if framed else "base-uri 'none'",
        )
    )
