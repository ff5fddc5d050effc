"""Denied requests before they are written: each once, with the right reason, in bounded memory."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.access_checks import Reason
from models.denials import (
    CHALLENGE_SECONDS,
    ECHO_SECONDS,
    MAX_PENDING,
    Challenges,
    Counted,
    Denial,
    Echoes,
    PendingDenials,
    denial,
)

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
IP = "192.0.2.7"


def unknown(ip: str = IP) -> Denial:
    return denial(Reason.UNKNOWN_KEY, ip, 0, "", "search")


def once(at: datetime = NOW) -> Counted:
    return Counted(1, at, at)


# -- pending -----------------------------------------------------------------------------------------------------------


def test_equal_ones_are_counted_together() -> None:
    pending = PendingDenials()
    for at in (LATER, NOW, LATER):
        pending.add(unknown(), once(at))
    assert pending.take() == {unknown(): Counted(3, NOW, LATER)}
    assert pending.take() == {}


def test_their_number_stays_bounded_also_while_none_can_be_written() -> None:
    pending = PendingDenials()
    for round_ in range(3):
        for number in range(MAX_PENDING):
            pending.add(unknown(f"10.{round_}.{number >> 8}.{number & 255}"), once())
        taken = pending.take()
        assert len(taken) == MAX_PENDING
        pending.give_back(taken)
    assert len(pending) == MAX_PENDING


def test_what_could_not_be_written_is_counted_with_what_came_meanwhile() -> None:
    pending = PendingDenials()
    pending.add(unknown(), once(LATER))
    taken = pending.take()
    pending.add(unknown(), once(NOW))
    pending.give_back(taken)
    assert pending.take() == {unknown(): Counted(2, NOW, LATER)}


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_whatever_callers_write_fits_into_the_table(ip: str, service: str, what: str) -> None:
    stored = denial(Reason.UNKNOWN_WHAT, ip, 0, service, what)
    assert (len(stored.ip) <= 45, len(stored.service) <= 100, len(stored.what) <= 80) == (True,) * 3
    for text in stored[1:2] + stored[3:]:
        assert "\0" not in str(text)
        str(text).encode()  # no half of a surrogate pair


def test_every_reason_fits_into_the_table() -> None:
    assert max(len(reason) for reason in Reason) <= 24


# -- calls without a key -----------------------------------------------------------------------------------------------


def test_a_client_that_comes_with_a_key_after_it_was_asked_for_one_was_not_denied() -> None:
    challenges = Challenges()
    challenges.put(IP, "XMLlookup", 0.0, NOW)
    challenges.answered(IP, "XMLlookup")
    assert challenges.expired(CHALLENGE_SECONDS) == {}


def test_one_that_does_not_come_back_was() -> None:
    challenges = Challenges()
    challenges.put(IP, "XMLlookup", 0.0, NOW)
    challenges.put(IP, "XMLlookup", 1.0, LATER)
    challenges.put(IP, "XMLlicenseAdd", 5.0, LATER)
    challenges.answered("192.0.2.8", "XMLlookup")
    assert challenges.expired(CHALLENGE_SECONDS - 0.1) == {}
    assert challenges.expired(CHALLENGE_SECONDS) == {
        denial(Reason.NO_KEY, IP, 0, "", "XMLlookup"): Counted(2, NOW, LATER)
    }
    assert challenges.expired(float("inf")) == {denial(Reason.NO_KEY, IP, 0, "", "XMLlicenseAdd"): once(LATER)}


def test_a_flood_of_calls_without_a_key_stays_bounded() -> None:
    challenges = Challenges()
    for number in range(MAX_PENDING * 2):
        challenges.put(f"10.0.{number >> 8}.{number & 255}", "search", 0.0, NOW)
    assert len(challenges.expired(float("inf"))) == MAX_PENDING


# -- calls that a proxy sends on after it was told no --------------------------------------------------------------------


def test_each_refusal_has_one_echo() -> None:
    echoes = Echoes()
    for _ in range(2):
        echoes.expect(IP, "XMLlookup", "digest", 0.0)
    said = [echoes.is_one(IP, "XMLlookup", "digest", 1.0) for _ in range(3)]
    assert said == [True, True, False]


def test_another_key_address_or_function_is_no_echo_and_neither_is_a_late_one() -> None:
    echoes = Echoes()
    echoes.expect(IP, "XMLlookup", "digest", 0.0)
    assert not echoes.is_one(IP, "XMLlookup", "", 1.0)
    assert not echoes.is_one("192.0.2.8", "XMLlookup", "digest", 1.0)
    assert not echoes.is_one(IP, "XMLlicenseAdd", "digest", 1.0)
    assert not echoes.is_one(IP, "XMLlookup", "digest", ECHO_SECONDS)
