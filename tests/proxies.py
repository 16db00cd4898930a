"""Real proxies before the chat: nginx and Caddy, each with the very file of contrib/ that the documents hand out.

What is changed in it are ports, names and the certificate. A change that does not find its place fails.
"""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from .servers import ROOT, free_port

NGINX = ROOT / "contrib" / "nginx" / "flask-chat.conf"
CADDY = ROOT / "contrib" / "caddy" / "Caddyfile.example"


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs. ``url`` is where the chat is found through it; ``tls`` trusts its certificate."""

    url: str
    tls: ssl.SSLContext | None = None


Start = Callable[..., contextlib.AbstractContextManager[Proxy]]


@contextlib.contextmanager
def nginx(folder: Path, ports: Sequence[int], prefix: str = "") -> Iterator[Proxy]:
    """nginx before the processes of a chat that listen on ``ports``, with its files in ``folder``."""
    port, plain = free_port(), free_port()
    certificate, key = _certificate(folder)
    site = NGINX.read_text()
    site = _put(site, "    server 127.0.0.1:5000 ", [f"    server 127.0.0.1:{each} " for each in ports])
    site = re.sub(r"^ *listen \[::\]:.*\n", "", site, flags=re.MULTILINE)
    site = _put(site, "    listen 80;", [f"    listen 127.0.0.1:{plain};"])
    site = _put(site, "    listen 443 ", [f"    listen 127.0.0.1:{port} "])
    site = site.replace("chat.example.org;", "localhost 127.0.0.1;")
    site = re.sub(r"ssl_certificate .*;", f"ssl_certificate {certificate};", site)
    site = re.sub(r"ssl_certificate_key .*;", f"ssl_certificate_key {key};", site)
    if prefix:
        site = _below(site, "location / {", prefix)
    tls = ssl.create_default_context(cafile=certificate)
    with _nginx(folder, site, Proxy(f"https://127.0.0.1:{port}{prefix}", tls)) as proxy:
        yield proxy


@contextlib.contextmanager
def one_host(folder: Path, chats: Mapping[str, int]) -> Iterator[Proxy]:
    """A host with several chats, each below a prefix of its own; without TLS."""
    port = free_port()
    places = "".join(
        f"location {prefix} {{ proxy_pass http://127.0.0.1:{each}; proxy_set_header Host $http_host; }}"
        for prefix, each in chats.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    with _nginx(folder, f"server {{ listen 127.0.0.1:{port}; {places} }}", Proxy(f"http://127.0.0.1:{port}")) as proxy:
        yield proxy


@contextlib.contextmanager
def caddy(folder: Path, ports: Sequence[int], prefix: str = "") -> Iterator[Proxy]:
    """Caddy before the processes of a chat that listen on ``ports``, with its files in ``folder``."""
    port = free_port()
    certificate, key = _certificate(folder)
    site = CADDY.read_text()
    if prefix:
        site = _below(site, "reverse_proxy 127.0.0.1:5000 {", prefix)
    addresses = " ".join(f"127.0.0.1:{each}" for each in ports)
    site = re.sub(r"^(\s*reverse_proxy .*)127\.0\.0\.1:5000", rf"\g<1>{addresses}", site, flags=re.MULTILINE)
    named = [f"https://127.0.0.1:{port}, https://localhost:{port} {{", f"\ttls {certificate} {key}"]
    site = _put(site, "chat.example.org {", named)
    alone = "{\n\tadmin off\n\tauto_https off\n}\n"
    (folder / "Caddyfile").write_text(alone + site)
    program = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    proxy = Proxy(f"https://127.0.0.1:{port}{prefix}", ssl.create_default_context(cafile=certificate))
    with _running(program, folder, proxy):
        yield proxy


PROXIES: dict[str, Start] = {"nginx": nginx, "Caddy": caddy}


@contextlib.contextmanager
def _nginx(folder: Path, site: str, proxy: Proxy) -> Iterator[Proxy]:
    (folder / "site.conf").write_text(site)
    # What a distribution's nginx.conf says around it; Debian's compresses pages.
    (folder / "nginx.conf").write_text(f"""
        daemon off;
        {"user root;" if os.geteuid() == 0 else ""}
        pid {folder}/nginx.pid;
        error_log {folder}/proxy.log;
        worker_processes 1;
        events {{ }}
        http {{
            access_log off;
            gzip on;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            include {folder}/site.conf;
        }}
    """)
    program = ["nginx", "-p", str(folder), "-e", str(folder / "proxy.log"), "-c", str(folder / "nginx.conf")]
    with _running(program, folder, proxy):
        yield proxy


def _put(text: str, old: str, new: Sequence[str]) -> str:
    """Put the rest of the line that begins with ``old`` behind each of ``new``."""
    lines = text.splitlines()
    found = [line for line in lines if line.startswith(old)]
    assert len(found) == 1, f"{old!r} is there {len(found)} times"
    at = lines.index(found[0])
    rest = found[0].removeprefix(old)
    return "\n".join([*lines[:at], *(line + rest for line in new), *lines[at + 1 :], ""])


def _below(text: str, line: str, prefix: str) -> str:
    """Take the line that the file has in a comment for a chat under /chat, instead of the one for a whole host."""
    [instead] = re.findall(r"# With FLASK_CHAT_PREFIX=/chat: (.*)", text)
    [found] = re.findall(rf"^\s*{re.escape(line)}$", text, re.MULTILINE)
    return text.replace(found, found.replace(line, instead.replace("/chat", prefix)))


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@contextlib.contextmanager
def _running(program: list[str], folder: Path, proxy: Proxy) -> Iterator[None]:
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            program,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **environment},
            stdout=output,
            stderr=output,
        )
        try:
            _wait(process, proxy, folder)
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], proxy: Proxy, folder: Path) -> None:
    until = time.monotonic() + 20
    while True:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{proxy.url}/up", verify=proxy.tls or True)
            return
        said = "\n".join(log.read_text(errors="replace") for log in sorted(folder.glob("*.log")))
        assert process.poll() is None, f"The proxy ended:\n{said}"
        assert time.monotonic() < until, f"The proxy does not answer:\n{said}"
        time.sleep(0.02)
