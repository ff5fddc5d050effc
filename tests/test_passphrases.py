"""What makes a pickup passphrase, and when it lets a server register: pure."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from models.errors import InvalidValue, RegistrationRefused
from models.passphrases import (
    PhraseProblem,
    canonical_phrase,
    new_phrase,
    parse_expiry,
    parse_networks,
    parse_note,
    parse_uses,
    suggest_phrase,
)
from services.console import Console
from tests.support import (
    SEARCH,
)

# -- pure --------------------------------------------------------------------------------------------------------------


def test_a_suggested_phrase_is_strong_and_never_the_same() -> None:
    phrases = {suggest_phrase() for _ in range(100)}
    assert len(phrases) == 100
    assert all(canonical_phrase(phrase) == phrase and len(phrase) == 24 for phrase in phrases)


@pytest.mark.parametrize("phrase", ["", "short", "x" * 201, "aaaaaaaaaaaa", "bell\a and more"])
def test_a_bad_phrase_is_refused_without_repeating_it(phrase: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        canonical_phrase(phrase)
    assert not phrase or phrase not in str(refused.value)


@pytest.mark.parametrize("invisible", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u3164", "\u034f", "\U000e0061"])
def test_a_new_phrase_with_a_character_that_nobody_sees_is_refused_in_words(invisible: str) -> None:
    with pytest.raises(InvalidValue, match=f"The passphrase holds the invisible character U.{ord(invisible):04X}"):
        new_phrase(f"open sesame{invisible} please")


def test_a_phrase_is_one_however_it_was_typed_or_pasted() -> None:
    spellings = ["öffne dich bitte", " o\u0308ffne dich bitte\n", "öffne\u00a0dich\u2007bitte", "öffne dich\u3000bitte"]
    assert {new_phrase(each) for each in spellings} == {canonical_phrase(each) for each in spellings}
    assert len({canonical_phrase(each) for each in spellings}) == 1


def test_a_phrase_that_was_added_before_invisible_characters_were_refused_can_be_compared() -> None:
    assert canonical_phrase("open  sesame\u3164please") == "open  sesame\u3164please"


def test_a_note_is_one_text_without_what_nobody_sees() -> None:
    assert parse_note(" fu\u0308r\u00a0den  Laden ") == "für den Laden"
    with pytest.raises(InvalidValue, match=r"The note holds the invisible character U\+200B"):
        parse_note("shop\u200b")


def test_uses_networks_and_expiry_are_read_or_refused_in_words() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert parse_uses(" 5 ") == 5
    assert parse_networks("192.0.2.7, 2001:db8::1/48 192.0.2.7/32") == ("192.0.2.7/32", "2001:db8::/48")
    assert parse_networks("::ffff:192.0.2.0/120 ::FFFF:c000:2ff/120,192.0.2.1/24") == ("192.0.2.0/24",)
    assert parse_networks("") == ()
    assert parse_expiry("", now) is None
    assert parse_expiry("2026-12-31", now) == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    for text in ("0", "-1", "1.5", "x", "10001", "²"):
        with pytest.raises(InvalidValue):
            parse_uses(text)
    for text in ("300.0.0.0/8", "example.com", "fe80::1%eth0/64", "::ffff:192.0.2.0/24"):
        with pytest.raises(InvalidValue):
            parse_networks(text)
    for text in ("tomorrow", "2020-01-01"):
        with pytest.raises(InvalidValue):
            parse_expiry(text, now)


async def test_of_hundreds_of_guesses_at_once_no_more_are_checked_than_of_those_one_after_the_other(
    console: Console,
) -> None:
    refused = await asyncio.gather(
        *(console.passphrases.register(f"guess number {n}", "billing", "192.0.2.99") for n in range(300)),
        return_exceptions=True,
    )
    reasons = Counter(each.reason for each in refused if isinstance(each, RegistrationRefused))
    assert reasons == {PhraseProblem.UNKNOWN: 20, PhraseProblem.TOO_MANY_ATTEMPTS: 280}


async def test_right_phrases_give_their_place_back_however_many_come_at_once(console: Console) -> None:
    await console.passphrases.add(console.admin, "open sesame please", SEARCH.mask, uses=60)
    for _ in range(3):
        done = await asyncio.gather(
            *(console.passphrases.register("open sesame please", f"service {n}", "192.0.2.98") for n in range(20)),
            return_exceptions=True,
        )
        assert not [each for each in done if isinstance(each, BaseException)]
