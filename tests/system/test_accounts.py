"""Claiming a name and coming back with it: by hand, by keyboard alone, and with a passkey."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ..chat.proving import GOOD
from ..provider import PROGRAM, providing
from .people import ready
from .running import Chat
from .test_accessibility import fine

Contexts = Callable[..., BrowserContext]


def named(new_context: Contexts, chat: Chat, **options: object) -> BrowserContext:
    """A browser that has the chat by a name: passkeys are for names, not for numbers."""
    return new_context(base_url=f"http://localhost:{chat.port}", **options)


def joined(context: BrowserContext, name: str) -> Page:
    assert context.request.post("/", form={"username": name}, max_redirects=0).status == 303
    return context.new_page()


def with_authenticator(page: Page) -> None:
    """Give this page a phone that unlocks by itself."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_passkey_is_made_and_signs_in_with_one_press(new_context: Contexts, chat: Chat) -> None:
    page = joined(named(new_context, chat), "Ann")
    with_authenticator(page)
    page.goto("/account/passkeys")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("listitem").filter(has_text="Chrome on Linux")).to_contain_text("Not used yet")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("This device has a passkey for you here already.")
    page.goto("/account/sessions")
    page.get_by_role("button", name="this one").click()
    expect(page.get_by_label("Your name")).to_be_visible()
    page.goto("/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    ready(page)
    page.goto("/account/passkeys")
    expect(page.get_by_role("listitem").filter(has_text="Chrome on Linux")).to_contain_text("Last used")


def test_a_passkey_proves_again_that_it_is_me(new_context: Contexts, chat: Chat) -> None:
    page = joined(named(new_context, chat), "Ann")
    with_authenticator(page)
    page.goto("/account/passkeys")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.goto("/account/proof?next=/account/codes")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"http://localhost:{chat.port}/account/codes")


def test_where_no_passkey_can_be_used_none_is_offered(new_context: Contexts, chat: Chat) -> None:
    plain = new_context(base_url=f"http://chat.test:{chat.port}")
    number = new_context()
    without = named(new_context, chat, java_script_enabled=False)
    for name, context in (("Ann", plain), ("Bob", number), ("Cleo", without)):
        page = context.new_page()
        page.goto("/")
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button", name="Go to chat!").click()
        expect(page.get_by_label("Message to Lobby")).to_be_visible()
        page.goto("/sign-in")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
        page.goto("/account/passkeys")
        expect(page.get_by_text("This browser makes no passkeys")).to_be_visible()
        expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()


def test_a_name_is_claimed_and_taken_along_by_keyboard_alone(new_context: Contexts, chat: Chat) -> None:
    page = joined(new_context(), "Ann")
    page.goto("/account")
    while page.locator(":focus").count() == 0 or "Password" not in page.locator(":focus").inner_text():
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("New password")).to_be_focused()
    page.keyboard.type(GOOD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your name is claimed")).to_be_visible()

    phone = new_context(viewport={"width": 320, "height": 640}).new_page()
    phone.goto("/")
    expect(phone.get_by_label("Your name")).to_be_focused()
    phone.keyboard.type("Ann")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("alert")).to_contain_text("taken")
    link = phone.get_by_role("link", name="sign in as Ann")
    while not link.evaluate("element => element === document.activeElement"):
        phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    expect(phone.get_by_label("Password, or a recovery code")).to_be_focused()
    phone.keyboard.type(GOOD)
    phone.keyboard.press("Enter")
    ready(phone)


def test_a_link_from_one_device_signs_another_in_and_ending_it_there_closes_the_chat_at_once(
    new_context: Contexts,
) -> None:
    page = joined(new_context(), "Ann")
    page.goto("/account/devices/new")
    page.get_by_role("button", name="Show the link").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    phone = new_context(viewport={"width": 320, "height": 640}).new_page()
    phone.goto(page.locator(".address code").inner_text())
    phone.get_by_role("button", name="Sign in as Ann").click()
    ready(phone)
    page.goto("/account/sessions")
    page.get_by_role("button", name="End everywhere else").click()
    expect(phone.get_by_label("Your name")).to_be_visible(timeout=5_000)


@pytest.mark.skipif(not PROGRAM.exists(), reason="the provider needs Python 3.12")
def test_an_account_elsewhere_signs_in_and_is_linked_after_a_proof(
    new_context: Contexts, new_chat: Callable[..., Chat], tmp_path: Path
) -> None:
    with providing(tmp_path) as issuer:
        chat = new_chat(
            FLASK_CHAT_OIDC_ISSUER=issuer, FLASK_CHAT_OIDC_CLIENT_ID="chat", FLASK_CHAT_OIDC_NAME="Garden account"
        )
        page = named(new_context, chat).new_page()
        page.goto("/sign-in")
        page.get_by_role("link", name="Continue with Garden account").click()
        page.locator("input[name=sub]").fill("cleo-7")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Your name")).to_have_value("Cleo")
        page.keyboard.press("Enter")
        ready(page)

        page = joined(named(new_context, chat), "Ann")
        page.goto("/account/password")
        page.get_by_label("New password").fill(GOOD)
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Garden account").click()
        page.locator("input[name=sub]").fill("ann-1")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Garden account")).to_contain_text("Linked")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_an_account_are_fine_and_fit_a_small_phone(new_context: Contexts, chat: Chat, scheme: str) -> None:
    page = joined(named(new_context, chat, color_scheme=scheme, viewport={"width": 320, "height": 640}), "Ann")

    def look() -> None:
        fine(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320

    page.goto("/account")
    look()
    page.goto("/account/password")
    page.get_by_label("New password").fill("passw0rd")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    look()
    page.get_by_label("New password").fill(GOOD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your name is claimed")).to_be_visible()
    page.goto("/account/codes")
    look()
    page.get_by_role("button", name="recovery codes").click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    look()
    page.goto("/account/devices/new")
    page.get_by_role("button", name="Show the link").click()
    expect(page.locator(".address")).to_be_visible()
    look()
    for path in ("/account/sessions", "/account/passkeys", "/account/password", "/account/proof", "/sign-in"):
        page.goto(path)
        look()
