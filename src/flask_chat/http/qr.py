"""Addresses as pictures that a phone's camera reads."""

from __future__ import annotations

import segno
from markupsafe import Markup


def svg(address: str) -> Markup:
    """A QR code as SVG for a page: dark on light in every scheme, as large as its box; it has no name of its own."""
    drawn = segno.make(address, error="m", micro=False)
    picture: str = drawn.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    return Markup(picture)  # noqa: S704 (segno draws it: nothing of the address is in it as text)
