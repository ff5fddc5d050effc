"""What a browser says of itself, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.devices import MAX_DEVICE_LENGTH, device_in_words

_ENGINE = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_ENGINE} Chrome/143.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_ENGINE} Chrome/143.0.0.0 Safari/537.36 Edg/143.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 15; K) {_ENGINE} Chrome/143.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 CriOS/143.0 Safari/604.1",
            "Chrome on iPad",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15",
            "Safari on Mac",
        ),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("Mozilla/5.0 (X11; Linux x86_64) Unheard/1.0", "A browser on Linux"),
        ("", ""),
        ("<script>alert(1)</script>", ""),
    ],
)
def test_a_browser_is_told_by_its_name_and_its_system(agent: str, words: str) -> None:
    assert device_in_words(agent) == words


@given(st.text())
def test_whatever_a_caller_writes_it_fits_and_holds_nothing_strange(agent: str) -> None:
    words = device_in_words(agent)
    assert len(words) <= MAX_DEVICE_LENGTH
    assert (words.isascii() and words.isprintable()) or not words
