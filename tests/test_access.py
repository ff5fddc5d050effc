"""Who comes in, as pure rules: names, passwords, roles, sessions, hosts, origins."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.access import ABSOLUTE, IDLE, HostRule, is_current, is_fresh, is_same_origin, local_path
from models.accounts import AdminIdentity, Role, account_name, check_password, require_change
from models.errors import InvalidValue, NotAllowed

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ["dana", "d.ana-2_x@example.org", "Zoë", "李雷", "7of9"])
def test_a_name_has_letters_and_digits_of_any_script_and_some_marks(name: str) -> None:
    assert account_name(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "needs a name"),
        ("x" * 65, "has 65 characters"),
        ("two words", "has ' ' in it"),
        ("bell\a", "U+0007"),
        ("<b>", "'<'"),
        ("-rf", "must begin with a letter or a digit"),
        ("a\u202eb", "U+202E"),
        ("dana\u3164", "the invisible character U+1160"),
        ("\u115fdana", "the invisible character U+115F"),
        ("da\u200bna", "the invisible character U+200B"),
    ],
)
def test_another_name_is_refused_in_words(name: str, words: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        account_name(name)
    assert words in str(refusal.value)


def test_space_around_a_name_is_not_part_of_it() -> None:
    assert account_name(" dana\u00a0\n") == "dana"


@given(st.text(max_size=80))
def test_a_name_is_taken_as_it_stays_or_refused(text: str) -> None:
    try:
        name = account_name(text)
    except InvalidValue:
        return
    assert account_name(name) == name


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "has 5 characters; at least 12"),
        ("x" * 300, "too long"),
        ("abababababab", "repeats a few characters"),
        ("Password12345", "one of the most common"),
        ("qwertyuiop123", "one of the most common"),
        ("dana.example1", "little more than the name"),
    ],
)
def test_a_weak_password_is_refused_without_repeating_it(password: str, words: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        check_password(password, "dana.example")
    assert words in str(refusal.value)
    assert password not in str(refusal.value)


@pytest.mark.parametrize("password", ["vexing-marble-otter", "пароль с пробелами", "9fK2xQ7pLm0s"])
def test_a_long_and_rare_password_is_good(password: str) -> None:
    check_password(password, "dana")


def test_an_auditor_changes_nothing() -> None:
    assert not AdminIdentity(1, "ada", Role.AUDITOR).may_change
    require_change(Role.ADMIN)
    with pytest.raises(NotAllowed):
        require_change(Role.AUDITOR)


def test_a_session_ends_when_it_is_idle_or_old() -> None:
    assert is_current(NOW, NOW, NOW + IDLE - timedelta(seconds=1))
    assert not is_current(NOW, NOW, NOW + IDLE)
    assert not is_current(NOW, NOW + ABSOLUTE, NOW + ABSOLUTE)


def test_a_clock_that_jumps_back_an_hour_locks_nobody_out() -> None:
    earlier = NOW - timedelta(hours=1)
    assert is_current(NOW, NOW, earlier)
    assert is_fresh(NOW, earlier)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:8080", "localhost."]
)
def test_a_server_of_this_machine_answers_under_its_names(host: str) -> None:
    assert HostRule("127.0.0.1").allows(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1", "", "a b", "x@localhost", "["],
)
def test_it_answers_under_no_other(host: str) -> None:
    assert not HostRule("127.0.0.1").allows(host)


def test_a_server_for_others_answers_under_its_address_and_the_names_it_was_given() -> None:
    rule = HostRule("0.0.0.0", ["Keys.Example.org"])
    assert rule.allows("keys.example.org:443")
    assert rule.allows("192.0.2.1")
    assert not rule.allows("evil.example")
    assert not HostRule("192.0.2.1").allows("192.0.2.2")


@given(st.text(max_size=40))
def test_no_host_header_breaks_the_rule(text: str) -> None:
    HostRule("127.0.0.1").allows(text)


@pytest.mark.parametrize(
    ("origin", "site", "same"),
    [
        ("http://localhost:8080", None, True),
        ("http://localhost:8081", None, False),
        ("https://localhost:8080", None, False),
        ("http://localhost:8080.evil.example", None, False),
        ("null", None, False),
        (None, "same-origin", True),
        (None, "same-site", False),
        (None, "cross-site", False),
        (None, None, True),
    ],
)
def test_only_our_own_pages_may_change_something(origin: str | None, site: str | None, same: bool) -> None:
    assert is_same_origin("http", "localhost:8080", origin, site) is same


@pytest.mark.parametrize(
    ("asked", "path"),
    [("/?q=x", "/?q=x"), ("//evil.example", "/"), ("/\\evil.example", "/"), ("https://evil.example", "/"), (None, "/")],
)
def test_after_signing_in_one_stays_on_this_site(asked: str | None, path: str) -> None:
    assert local_path(asked) == path
