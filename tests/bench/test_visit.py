from bench.measures.visit import LATER, by_kind, joined, links


def test_a_page_brings_its_styles_icons_modules_and_scripts() -> None:
    page = """
        <link rel="stylesheet" href="/a.css"><link rel="icon" href="/icon.svg"><link rel="modulepreload" href="/b.js">
        <link rel="canonical" href="/elsewhere"><script type="module" src="/c.js"></script><a href="/more">more</a>
    """
    assert links("text/html; charset=utf-8", page) == ["/a.css", "/icon.svg", "/b.js", "/c.js"]


def test_what_is_only_for_browsers_without_script_is_not_counted() -> None:
    page = (
        '<noscript><link rel="stylesheet" href="/plain.css"><iframe src="/frame"></iframe></noscript><img src="/i.png">'
    )
    assert links("text/html", page) == ["/i.png"]


def test_a_style_sheet_brings_what_it_imports_and_shows() -> None:
    assert links("text/css", '@import "b.css"; p { background: url(dot.svg) }') == ["b.css", "dot.svg"]


def test_a_module_brings_what_it_imports() -> None:
    script = """
        import "./a.js";
        import {
          b,
        } from "./b.js";
        export { c } from "./c.js";
        export const word = "not a module";
        const later = await import("./d.js");
    """
    assert links("text/javascript", script) == ["./a.js", "./b.js", "./c.js"]
    assert LATER.findall(script) == ["./d.js"], "this a browser fetches when something asks for it"


def test_a_body_in_chunks_is_put_together() -> None:
    assert joined(b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n") == b"hello world"


def test_bytes_are_added_up_by_kind_the_largest_first() -> None:
    sizes = {"http://chat.test/rooms/lobby": 5, "http://chat.test/a.js": 4, "http://chat.test/b.js": 3}
    assert by_kind(sizes) == {"js": 7, "page": 5}
