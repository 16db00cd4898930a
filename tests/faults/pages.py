"""What a browser would make of a page: which of it is script, and where it leads."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx

VECTORS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</title><svg/onload=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" autofocus onfocus="alert(1)',
    "' onmouseover='alert(1)",
    "<svg><script>alert&#40;1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>here</a>",
    "javascript:alert(1)",
    "javascript://example.org/%0aalert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    'https://example.org/"onmouseover="alert(1)',
    "https://example.org/'><script>alert(1)</script>",
    "https://example.org/<script>alert(1)</script>",
    'www.example.org/"><img src=x onerror=alert(1)>',
    'ann@example.org"onclick="alert(1)',
    "mailto:ann@example.org?subject=<script>alert(1)</script>",
    "{{7*7}}{% raw %}",
    "<!--><script>alert(1)</script>-->",
    "<style>@import 'https://example.org'</style>",
    "<base href='https://example.org/'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u003cscript\u003ealert(1)\u003c/script\u003e",
    "＜script＞alert(1)＜/script＞",
    "<\u0000script>alert(1)</script>",
    "\u2028<script>alert(1)</script>\u2029",
    "\u202e<script>alert(1)</script>",
    "<math><mtext></p><mglyph><svg><mtext><style><img src onerror=alert(1)>",
)

SAFE_SCHEMES = frozenset({"", "http", "https", "mailto"})

_MARK = "alert(1)"


class Page(HTMLParser):
    """A page's elements, addresses and what could run in it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.wrong: list[str] = []
        self.links: set[str] = set()
        self.text = ""
        self._in_script = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        self._in_script = tag == "script"
        if tag == "script" and not attributes.get("src", "").startswith("/static/"):
            self.wrong.append(f"a script of nobody's: {attributes}")
        if tag in ("object", "embed", "applet", "math", "style"):
            self.wrong.append(f"an element that is never ours: {tag}")
        for name, value in attributes.items():
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                self.wrong.append(f"an attribute that is never ours: {tag} {name}={value!r}")
            if name in ("href", "src", "action", "xlink:href"):
                self.links.add(value)
                # Browsers pass over what cannot be seen in front of an address and inside its scheme.
                if urlsplit(re.sub(r"[\x00-\x20]", "", value)).scheme.lower() not in SAFE_SCHEMES:
                    self.wrong.append(f"an address that could run: {tag} {name}={value!r}")
        if tag == "base" and "href" in attributes:
            self.wrong.append("a base that leads elsewhere")
        if tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh" and "url" in attributes["content"]:
            self.wrong.append("a page that leads elsewhere")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_script and data.strip():
            self.wrong.append(f"script inside the page: {data!r}")


def policy(answer: httpx.Response) -> dict[str, str]:
    """The page's Content-Security-Policy, by directive."""
    header = answer.headers["content-security-policy"]
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in header.split(";"))}


def nonce(answer: httpx.Response) -> str:
    """The nonce of the page's policy, which must be that of all its scripts."""
    found = re.fullmatch(r"'nonce-([A-Za-z0-9_-]{20,})'", policy(answer)["script-src"])
    assert found, answer.headers["content-security-policy"]
    scripts = [attributes for tag, attributes in Page(answer.text).elements if tag == "script"]
    assert all(attributes.get("nonce") == found[1] for attributes in scripts)
    return found[1]


def assert_harmless(answer: httpx.Response) -> None:
    """Nothing in this page can run that is not ours, and nothing could if it were there."""
    assert answer.headers["content-type"].startswith("text/html"), answer.headers["content-type"]
    assert not (wrong := Page(answer.text).wrong), wrong
    rules = policy(answer)
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "*" not in answer.headers["content-security-policy"]
    assert rules["script-src"] == "'none'" or nonce(answer)
    assert rules["style-src"] == "'self'"
    assert rules["base-uri"] in ("'none'", "'self'")
    assert rules["form-action"] == "'self'"
    assert rules["frame-ancestors"] in ("'none'", "'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
