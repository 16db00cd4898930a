"""Whatever people write, in every field there is, nothing of it runs and nothing breaks the page."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from .people import box, enter, ready, say, stored, waiting
from .running import Program

SCRIPT = "document.title='owned';globalThis.owned=true"
TEXTS = [
    f"<script>{SCRIPT}</script>",
    f"<img src=x onerror={SCRIPT}>",
    f"<svg onload={SCRIPT}>",
    f"</textarea></article></template><script>{SCRIPT}</script>",
    f"javascript:{SCRIPT}",
    f'http://a.example/"onmouseover="{SCRIPT}',
    f"{{{{ {SCRIPT} }}}} ${{{SCRIPT}}} &lt;script&gt;",
    "<style>*{display:none}</style><base href=//evil.example><meta http-equiv=refresh content=0;url=//evil.example>",
    "<iframe srcdoc='<script>parent.owned=true</script>'></iframe>",
]


def unharmed(page: Page) -> None:
    assert page.evaluate("globalThis.owned") is None
    assert "owned" not in page.title()
    assert page.locator("#log :is(script, style, img, svg, iframe, base, meta), .outbox :is(script, img)").count() == 0


def test_hostile_messages_are_shown_as_they_were_written(ann: Page, bob: Page, dora: Program) -> None:
    for text in TEXTS[:4]:
        say(ann, text)
    for text in TEXTS[4:]:
        dora.say(text)
    for page in (ann, bob):
        expect(stored(page)).to_have_count(len(TEXTS))
        assert sorted(stored(page).all_inner_texts()) == sorted(TEXTS)
    ann.reload()
    assert sorted(stored(ann).all_inner_texts()) == sorted(TEXTS)
    for page in (ann, bob):
        for link in page.locator("#log .body a").all():
            assert (link.get_attribute("href") or "").startswith(("http://", "https://", "mailto:"))
        unharmed(page)


def test_hostile_drafts_and_unsent_messages_stay_text(ann: Page) -> None:
    ann.route("**/api/rooms/lobby/messages", lambda route: route.abort())
    for number, text in enumerate(TEXTS, 1):
        box(ann).fill(text)
        ann.reload()
        ready(ann)
        expect(box(ann)).to_have_value(text)
        box(ann).press("Enter")
        expect(waiting(ann)).to_have_count(number)
        unharmed(ann)
    expect(waiting(ann).locator(".body")).to_have_text(TEXTS)


def test_hostile_names_are_refused_in_plain_words(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    for name in (*TEXTS[:2], "a" * 500, "A\u202enn", "😀", "   ", "static"):
        page.goto("/")
        page.get_by_label("Your name").evaluate(
            "(field, value) => { field.maxLength = 1e6; field.value = value }", name
        )
        page.get_by_role("button", name="Go to chat!").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        unharmed(page)


def test_names_of_every_script_and_length_fit(new_context: Callable[..., BrowserContext]) -> None:
    for name in ("O'Brien-Smith.the_2nd", "שרה", "Владимир", "W" * 32):
        page = enter(new_context(viewport={"width": 320, "height": 640}).new_page(), name)
        say(page, name)
        mine = page.locator("#log .message[data-mine] .body")
        expect(mine).to_have_text(name)
        page.reload()
        expect(mine).to_have_text(name)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_long_words_and_right_to_left_text_stay_inside_their_bubble(ann: Page) -> None:
    ann.set_viewport_size({"width": 320, "height": 640})
    for text in ("w" * 400, "https://example.org/" + "a" * 300, "שלום עולם (hello) 123", "\u202ereversed"):
        say(ann, text)
    expect(stored(ann)).to_have_count(4)
    assert ann.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert ann.evaluate(
        "[...document.querySelectorAll('#log .body')].every(body => body.scrollWidth <= body.clientWidth + 1"
        " && body.getBoundingClientRect().right <= innerWidth && body.getBoundingClientRect().left >= 0)"
    )
