"""What a proxy asks the authorizer, and that no caller can write the question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidValue
from models.manage2_functions import FUNCTIONS, function_at
from models.privileges import PRIVILEGES, privilege
from models.proxy_questions import Need, UnclearQuestion, needs_asked

SEARCH = Need(privilege("search"), "search")
LOOKUP = Need(privilege("search"), "XMLlookup")
ADD = Need(privilege("addlicense"), "XMLlicenseAdd")


def test_the_privilege_stands_in_the_path_whatever_else_is_said() -> None:
    for query in (b"", b"privilege=addlicense", b"privilege=search&privilege=x"):
        for uri in ("", "/XMLlicenseAdd.cgi?privilege=liscreact", "/anything"):
            assert needs_asked("search", query, uri) == [SEARCH]
    for path in ("root", "Search", "search/", "search/search", "XMLlookup.cgi"):
        with pytest.raises(InvalidValue):
            needs_asked(path, b"", "/XMLlookup.cgi")


def test_a_proxy_that_hands_the_callers_path_on_is_told_so() -> None:
    with pytest.raises(UnclearQuestion, match="/authorize/search"):
        needs_asked("search", b"", "/search?a=b")


def test_without_a_privilege_the_function_of_the_original_uri_says_what_is_needed() -> None:
    assert needs_asked("", b"", "/XMLlookup.cgi?ip=192.0.2.1") == [LOOKUP]
    assert needs_asked("", b"ip=192.0.2.1&apikey=x", "/XMLlicenseAdd.cgi?ip=192.0.2.1&apikey=x") == [ADD]
    for uri in ("/elsewhere", "/XMLlookup.cgi/../XMLlicenseAdd.cgi", "http://keys.example/XMLlookup.cgi"):
        with pytest.raises(InvalidValue):
            needs_asked("", b"", uri)


def test_a_privilege_in_the_query_counts_if_the_caller_cannot_have_written_it() -> None:
    assert needs_asked("", b"privilege=search", "/XMLlicenseAdd.cgi?ip=1") == [SEARCH]
    assert needs_asked("", b"privilege=search", "/anything") == [SEARCH]


@pytest.mark.parametrize("query", [b"privilege=search", b"privilege=search&a=b", b"a=b&privilege=search"])
def test_a_query_without_an_original_uri_may_be_the_callers(query: bytes) -> None:
    with pytest.raises(UnclearQuestion, match="/authorize/search"):
        needs_asked("", query, "")


def test_no_question_at_all_is_told_too() -> None:
    with pytest.raises(UnclearQuestion):
        needs_asked("", b"", "")


@pytest.mark.parametrize(
    "written",
    [
        "/XMLlicenseAdd.cgi?privilege=search",
        "/XMLlicenseAdd.cgi?ip=1&privilege=search",
        "/XMLlicenseAdd.cgi?ip=1;privilege=search",
        "/XMLlicenseAdd.cgi?%70rivilege=search",
        "/XMLlicenseAdd.cgi?+privilege+=search",
        "/XMLlicenseAdd.cgi?a=b%26privilege=search",
        "/XMLlicenseAdd.cgi?a=b%2526%2570rivilege=search",
        "/XMLlicenseAdd.cgi?a=b#privilege=search",
        "/XMLlicenseAdd.cgi??privilege=search",
    ],
)
def test_where_the_caller_writes_one_both_must_be_allowed(written: str) -> None:
    assert needs_asked("", b"privilege=search", written) == [ADD, SEARCH]


def test_what_the_caller_writes_there_does_not_harm_a_right_call() -> None:
    assert needs_asked("", b"privilege=whatever", "/XMLlookup.cgi?privilege=whatever") == [LOOKUP]
    assert needs_asked("", b"privilege=search", "/XMLlookup.cgi?privilege=search") == [LOOKUP, SEARCH]


ids = st.sampled_from([each.id for each in PRIVILEGES])
pieces = st.one_of(
    ids.map(lambda each: f"privilege={each}"),
    ids.map(lambda each: f"%50rivilege={each}"),
    st.text("abPRIVLEGprivleg=&;%5026?#/", max_size=20),
)


@given(st.sampled_from(FUNCTIONS), st.lists(pieces, max_size=4), st.sampled_from("&;"), st.booleans())
def test_a_query_handed_on_never_lets_more_through_than_the_function_needs(
    function: object, written: list[str], separator: str, in_words: bool
) -> None:
    query = separator.join(written)
    try:
        asked = needs_asked("", query.encode(), f"{function.path}?{query}")  # type: ignore[attr-defined]
    except InvalidValue:
        return
    needed = function_at(function.path)  # type: ignore[attr-defined]
    assert Need(needed.needs, needed.name) in asked
