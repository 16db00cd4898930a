"""Browsers: a person knows their own devices by a few words."""

from __future__ import annotations

import pytest

from flask_chat.chat.browsers import Browser, device, network

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0", "Firefox on Linux"),
        (CHROME, "Chrome on Linux"),
        (f"{CHROME} Edg/150.0.0.0".replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64"), "Edge on Windows"),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "Version/26.0 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iPhone",
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "Version/26.0 Safari/605.1.15"
            ),
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 16; Pixel) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.14.1", "curl"),
        ("Python-urllib/3.13", "Python"),
        ("Greeter/1.0 (+https://example.org)", "Greeter"),
        ("Mozilla/5.0", ""),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_a_device_is_told_in_a_few_words(agent: str, words: str) -> None:
    assert device(agent) == words


def test_what_a_browser_says_of_itself_is_never_longer_than_its_column() -> None:
    for agent in ("A" * 100_000, f"Samsung{'Browser/' * 9000} Windows", f"{CHROME} OPR/{'9' * 10_000}"):
        assert len(device(agent)) <= 80


@pytest.mark.parametrize(
    ("address", "range_"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:7:1:2:3:4:5", "2001:db8:7::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("testclient", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_network_is_a_range_and_not_an_address(address: str | None, range_: str) -> None:
    assert network(address) == Browser("", address).network == range_
