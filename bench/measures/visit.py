"""What a first visit to the room's page brings over the wire: the page and all it links to, heads and bodies."""

import gzip
import re
import socket
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from bench import visitor, workshop
from bench.figures import Series, Target
from bench.measures import page
from bench.plan import Plan
from bench.report import Row
from bench.servers import OURS, running

ORIGIN = "http://chat.test"
LINKED = {"stylesheet", "icon", "apple-touch-icon", "mask-icon", "manifest", "modulepreload", "preload"}
IN_STYLE = re.compile(r"""(?:@import\s+|url\(\s*)["']?([^"')\s;]+)""")
IN_SCRIPT = re.compile(r"""^\s*(?:import\s*|(?:import|export)\b[^;"'=()]*?\bfrom\s*)["']([^"']+)["']""", re.MULTILINE)
LATER = re.compile(r"""\bimport\(\s*["']([^"']+)["']""")


def visit(_plan: Plan) -> list[Row]:
    """Once is enough: it is the same every time."""
    with running(OURS, workshop.WORK / "data" / "visit") as server:
        page.furnish(server)
        cookie = visitor.sign_in(server, "Visitor")
        sizes: dict[str, int] = {}
        deferred: dict[str, int] = {}
        waiting, later, elsewhere = [ORIGIN + page.ROOM], list[str](), set[str]()
        for found, wanted in ((sizes, waiting), (deferred, later)):
            while wanted:
                url = wanted.pop()
                if urlsplit(url).netloc != urlsplit(ORIGIN).netloc:
                    elsewhere.add(urlsplit(url).netloc)
                elif url not in sizes and url not in found:
                    found[url], kind, body = fetch(server.port, url, cookie)
                    wanted += [urljoin(url, link) for link in links(kind, body) if not link.startswith(("data:", "#"))]
                    later += [urljoin(url, link) for link in LATER.findall(body) if "javascript" in kind]
    if elsewhere:
        raise RuntimeError(f"the page asks other hosts: {', '.join(sorted(elsewhere))}")
    total = sum(sizes.values()) / 1000
    parts = ", ".join(f"{kind} {size / 1000:.1f} KB" for kind, size in by_kind(sizes).items())
    return [
        Row(
            "visit",
            f"first visit to the room's page, {len(sizes)} answers, heads and bodies",
            "KB",
            Target(at_most=40),
            Series((total,)),
            notes=[
                f"{OURS.name}: {parts}; nothing from another host",
                f"scripts that wait until wanted: {sum(deferred.values()) / 1000:.1f} KB in {len(deferred)} answers",
            ],
        )
    ]


def fetch(port: int, url: str, cookie: str) -> tuple[int, str, str]:
    """The bytes of the whole answer as they came over the wire, its content type, and its body as text."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    request = (
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        "Accept: */*\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request.encode())
        while data := connection.recv(65536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if status.split()[1] != "200":
        raise RuntimeError(f"GET {target}: {status}")
    if headers.get("transfer-encoding") == "chunked":
        body = joined(body)
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return len(answer), headers.get("content-type", ""), body.decode(errors="replace")


def joined(chunked: bytes) -> bytes:
    body, size = b"", -1
    while size:
        line, _, chunked = chunked.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        body, chunked = body + chunked[:size], chunked[size + 2 :]
    return body


def links(content_type: str, body: str) -> list[str]:
    """What a browser fetches by itself for an answer of this type."""
    if "html" in content_type:
        reader = Links()
        reader.feed(body)
        return reader.found
    if "css" in content_type:
        return IN_STYLE.findall(body)
    if "javascript" in content_type:
        return IN_SCRIPT.findall(body)
    return []


class Links(HTMLParser):
    """Collects what a page with scripts on brings along; what stands in <noscript> is for others."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.without_script = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "noscript":
            self.without_script += 1
        elif self.without_script:
            return
        elif tag == "link" and LINKED & set((attributes.get("rel") or "").lower().split()):
            self.found.append(attributes.get("href") or "")
        elif tag in {"script", "img", "iframe", "source", "audio", "video", "embed"} and attributes.get("src"):
            self.found.append(attributes["src"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "noscript":
            self.without_script -= 1


def by_kind(sizes: dict[str, int]) -> dict[str, int]:
    """Bytes by the endings of the addresses, the largest first."""
    kinds: dict[str, int] = {}
    for url, size in sizes.items():
        name = urlsplit(url).path.rpartition("/")[2]
        kind = name.rpartition(".")[2] if "." in name else "page"
        kinds[kind] = kinds.get(kind, 0) + size
    return dict(sorted(kinds.items(), key=lambda item: -item[1]))
