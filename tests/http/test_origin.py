"""Where a request comes from: what a browser sends for another site is told apart from all else."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_chat.http.asgi import foreign as gateway_foreign
from flask_chat.http.origin import foreign

HERE = "chat.test:5000"

MATRIX: list[tuple[str | None, str | None, bool]] = [
    # Fetch Metadata has the last word where there is any.
    ("same-origin", None, False),
    ("none", None, False),
    ("same-site", None, True),
    ("cross-site", None, True),
    ("anything", None, True),
    ("", None, True),
    ("same-origin", "http://evil.test", False),
    ("cross-site", f"http://{HERE}", True),
    # On plain HTTP at a network address there is only the origin.
    (None, f"http://{HERE}", False),
    (None, f"https://{HERE}", False),
    (None, f"http://{HERE.upper()}", False),
    (None, "http://chat.test", True),
    (None, "http://chat.test:5001", True),
    (None, "http://evil.test:5000", True),
    (None, "http://chat.test:5000.evil.test", True),
    (None, "http://evil.test#chat.test:5000", True),
    (None, "http://chat.test:5000@evil.test", True),
    (None, "http://evil@chat.test:5000", True),
    (None, "null", True),
    (None, "", True),
    (None, "chat.test:5000", True),
    (None, "http://[", True),
    (None, "http://[::1", True),
    # Neither: not a browser.
    (None, None, False),
]


@pytest.mark.parametrize(("site", "origin", "refused"), MATRIX)
def test_only_what_another_site_sends_is_foreign(site: str | None, origin: str | None, refused: bool) -> None:
    assert foreign(site, origin, HERE) is refused


@pytest.mark.parametrize("host", [None, ""])
def test_without_a_host_every_origin_is_foreign(host: str | None) -> None:
    assert foreign(None, "http://chat.test", host)


@pytest.mark.parametrize(("site", "origin", "refused"), MATRIX)
def test_a_post_is_refused_by_flask_and_by_the_gateway_alike(
    app: Flask, site: str | None, origin: str | None, refused: bool
) -> None:
    headers = {"Host": HERE}
    if site is not None:
        headers["Sec-Fetch-Site"] = site
    if origin is not None:
        headers["Origin"] = origin
    answer = app.test_client().post("/sign-out", headers=headers)
    assert answer.status_code == (403 if refused else 303)
    raw = {name.lower().encode(): value.encode() for name, value in headers.items()}
    assert gateway_foreign(raw, safe=False) is refused


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"navigate", b"sec-fetch-dest": b"document"}, False),
        ({b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"navigate", b"sec-fetch-dest": b"iframe"}, True),
        ({b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"cors", b"sec-fetch-dest": b"empty"}, True),
        ({b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"script"}, True),
        ({b"sec-fetch-site": b"same-origin", b"sec-fetch-mode": b"navigate", b"sec-fetch-dest": b"iframe"}, False),
        ({b"origin": b"http://evil.test"}, True),
    ],
)
def test_looking_is_allowed_by_a_link_from_anywhere_but_not_to_a_script(
    headers: dict[bytes, bytes], refused: bool
) -> None:
    assert gateway_foreign({b"host": HERE.encode(), **headers}, safe=True) is refused
