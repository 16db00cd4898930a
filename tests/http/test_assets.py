"""Scripts, styles and pictures: from memory, for ever, and nothing else from the disk."""

from __future__ import annotations

import asyncio
import gzip
import re
from pathlib import Path

import pytest

from flask_chat.http.assets import STATIC, Assets

from .gateway import Answer, Gateway, call, scope


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "js").mkdir(parents=True)
    (static / "js" / "app.js").write_text("let x = 1;\n" * 100)
    (static / "js" / "é.js").write_text("1")
    (static / "dot.svg").write_text("<svg/>")
    (static / "notes.txt").write_text("not for anybody")
    (tmp_path / "secret.js").write_text("outside")
    return static


def fetch(assets: Assets, version: str, name: str, **headers: str) -> Answer:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    request = scope("GET", "/", sent, path_params={"version": version, "name": name})
    return asyncio.run(call(assets, request))


def test_an_asset_of_now_may_be_kept_for_ever(folder: Path) -> None:
    assets = Assets(folder)
    answer = fetch(assets, assets.version, "js/app.js")
    assert (answer.status, answer.body) == (200, (folder / "js" / "app.js").read_bytes())
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "max-age=31536000, immutable"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "accept-encoding"


def test_a_page_from_before_an_update_still_finds_its_files_and_asks_again(folder: Path) -> None:
    answer = fetch(Assets(folder), "000000000000", "js/app.js")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")


def test_it_is_packed_for_who_can_unpack_it(folder: Path) -> None:
    assets = Assets(folder)
    packed = fetch(assets, assets.version, "js/app.js", accept_encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == (folder / "js" / "app.js").read_bytes()
    assert packed.headers["content-length"] == str(len(packed.body)) < "9"
    assert "content-encoding" not in fetch(assets, assets.version, "js/app.js", accept_encoding="br").headers


def test_what_packing_would_make_longer_is_left_as_it_is(folder: Path) -> None:
    assets = Assets(folder)
    answer = fetch(assets, assets.version, "dot.svg", accept_encoding="gzip")
    assert (answer.body, answer.headers["content-type"]) == (b"<svg/>", "image/svg+xml")
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "name",
    [
        "",
        "js",
        "js/",
        "js/none.js",
        "notes.txt",
        "../secret.js",
        "js/../../secret.js",
        "/etc/passwd",
        "js//app.js",
        "\0",
    ],
)
def test_nothing_else_is_there(folder: Path, name: str) -> None:
    assets = Assets(folder)
    answer = fetch(assets, assets.version, name)
    assert answer.status == 404
    assert b"outside" not in answer.body


def test_the_version_follows_every_name_and_every_byte(folder: Path) -> None:
    before = Assets(folder).version
    assert Assets(folder).version == before
    (folder / "dot.svg").write_text("<svg />")
    changed = Assets(folder).version
    (folder / "dot.svg").rename(folder / "spot.svg")
    assert len({before, changed, Assets(folder).version}) == 3


def test_an_address_is_made_only_of_what_is_there(folder: Path) -> None:
    assets = Assets(folder)
    assert assets.url("js/app.js") == f"/static/{assets.version}/js/app.js"
    with pytest.raises(KeyError):
        assets.url("js/none.js")
    assert assets.names("js") == ["js/app.js", "js/é.js"]


def test_everything_of_ours_is_served(gateway: Gateway) -> None:
    files = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()]
    assert files
    for name in files:
        answer = gateway.get(gateway.chat.assets.url(name))
        assert answer.status == 200
        assert "x-request-id" not in answer.headers, "it is kept for good"
        kept = (STATIC / name).read_bytes().splitlines()
        served = answer.body.splitlines()
        assert len(served) == len(kept)
        for line, source in zip(served, kept, strict=True):
            comment = (source.strip().startswith((b"//", b"/*", b"* ", b"*/")) or source == b" *") and name.endswith(
                (".js", ".css")
            )
            folded = source.lstrip() if name.endswith((".js", ".css")) else source
            assert line == (b"" if comment else folded), name


@pytest.mark.parametrize(
    "path",
    ["/static/x/../../../etc/passwd", "/static/x/%2e%2e/%2e%2e/config.py", "/static/x/..%2fconfig.py", "/static/"],
)
def test_no_path_leads_out_of_the_folder(gateway: Gateway, path: str) -> None:
    assert gateway.get(path).status == 404


def test_no_text_in_a_script_or_a_style_goes_over_several_lines() -> None:
    for path in [*STATIC.rglob("*.js"), *STATIC.rglob("*.css")]:
        for text in re.findall(r"`[^`]*`|\\\n", path.read_text()):
            assert "\n" not in text, f"{path.name}: its lines lose their indentation on the way: {text[:60]}"
