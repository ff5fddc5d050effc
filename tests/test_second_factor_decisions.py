"""What is decided about second factors, from nothing but values."""

from datetime import UTC, datetime, timedelta

import pytest

from models.errors import InvalidValue
from models.second_factors import (
    SessionProof,
    accepted_step,
    counter_goes_on,
    is_recent,
    new_recovery_codes,
    one_time_code,
    passkey_name,
    place,
    recovery_code,
    wait_after,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("scheme", "host", "rp_id", "origin"),
    [
        ("https", "keys.example.com", "keys.example.com", "https://keys.example.com"),
        ("https", "keys.example.com:443", "keys.example.com", "https://keys.example.com"),
        ("https", "Keys.Example.com:8443", "keys.example.com", "https://keys.example.com:8443"),
        ("http", "localhost:8080", "localhost", "http://localhost:8080"),
        ("http", "localhost:80", "localhost", "http://localhost"),
    ],
)
def test_passkeys_are_for_the_name_that_the_browser_uses(scheme: str, host: str, rp_id: str, origin: str) -> None:
    assert place(scheme, host) == (rp_id, origin, "")


@pytest.mark.parametrize(
    ("scheme", "host", "said"),
    [
        ("http", "127.0.0.1:8080", "by the IP address 127.0.0.1. Open it by its name, such as localhost,"),
        ("https", "[2001:db8::7]", "by the IP address 2001:db8::7"),
        ("https", "192.0.2.7", "by the IP address 192.0.2.7"),
        ("http", "keys.example.com", "you opened http://keys.example.com. Open it by https://"),
        ("http", "localhost.example.com", "over HTTPS only"),
    ],
)
def test_where_there_are_none_it_is_said_why(scheme: str, host: str, said: str) -> None:
    assert said in place(scheme, host).problem


@pytest.mark.parametrize(
    ("stored", "told", "goes_on"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_counter_goes_forward_or_stays_at_zero(stored: int, told: int, goes_on: bool) -> None:
    assert counter_goes_on(stored, told) is goes_on


def test_a_step_at_or_before_the_last_used_one_is_not_taken() -> None:
    codes = {9: "111111", 10: "222222", 11: "222222"}
    assert accepted_step("222222", codes, 9) == 11
    assert accepted_step("222222", codes, 11) is None
    assert accepted_step("111111", codes, 9) is None
    assert accepted_step("333333", codes, 0) is None


def test_waiting_doubles_up_to_an_hour_and_ends_with_time() -> None:
    waits = [wait_after(failures, NOW, NOW) for failures in (0, 4, 5, 6, 7, 12, 20, 1_000_000)]
    assert waits == [0, 0, 30, 60, 120, 3600, 3600, 3600]
    assert wait_after(6, NOW, NOW + timedelta(seconds=60)) == 0
    assert wait_after(6, NOW, NOW - timedelta(days=1)) == 60, "a clock that jumped back makes nobody wait longer"


def test_a_proof_holds_for_five_minutes_and_who_has_a_factor_shows_that() -> None:
    just_now, long_ago = NOW - timedelta(minutes=4), NOW - timedelta(minutes=5)
    assert is_recent(just_now, NOW)
    assert not is_recent(long_ago, NOW)
    assert not is_recent(NOW + timedelta(hours=1), NOW), "from the future"
    assert is_recent(NOW + timedelta(seconds=5), NOW), "another instance's clock is 5 s ahead"
    assert SessionProof(just_now, None).is_enough(has_factor=False, now=NOW)
    assert not SessionProof(just_now, None).is_enough(has_factor=True, now=NOW)
    assert SessionProof(long_ago, just_now).is_enough(has_factor=True, now=NOW)
    assert not SessionProof(None, None).is_enough(has_factor=False, now=NOW)


def test_recovery_codes_are_read_however_they_are_typed() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert recovery_code(f" {codes[0].upper()} ") == codes[0].replace("-", "")


@pytest.mark.parametrize("text", ["", "k7m2p", "k7m2p-x9qrt-h4nw0", "x" * 10_000, "k7m2p-x9qrt-h4nwé"])
def test_what_can_be_no_recovery_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        recovery_code(text)


@pytest.mark.parametrize("text", ["", "12345", "1234567", "12345a", "１２３４５６", "٣٤٥٦٧٨"])
def test_what_can_be_no_one_time_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        one_time_code(text)


@pytest.mark.parametrize("text", ["", "  ", "x" * 61, "a\u200bb", "a\x00b"])
def test_what_can_be_no_name_of_a_passkey_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        passkey_name(text)
