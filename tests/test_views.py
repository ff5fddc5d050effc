from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidValue
from models.privileges import ALL_PRIVILEGES, privilege
from models.views import MAX_SEARCH_LENGTH, PassphraseView, State, View, parse_passphrase_view, parse_view, read_view

SEARCH, MODIFY = privilege("search").mask, privilege("modlisc").mask

searches = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=MAX_SEARCH_LENGTH)
    .map(lambda text: View(search=text[: MAX_SEARCH_LENGTH // 4]).search)
)  # fmt: skip
masks = st.integers(0, ALL_PRIVILEGES)
common = {"search": searches, "has": masks, "lacks": masks, "staged_only": st.booleans(), "descending": st.booleans()}
views = st.builds(View, **common, sort=st.sampled_from(View.sort_columns()), unused_days=st.sampled_from((0, 30, 90)))
passphrase_views = st.builds(
    PassphraseView, **common, sort=st.sampled_from(PassphraseView.sort_columns()), state=st.sampled_from(State)
)


def parse(query: str) -> View:
    return parse_view(dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))))


@pytest.mark.parametrize(
    ("view", "query"),
    [
        (View(), ""),
        (View(search="192.0.2.0/24"), "search=192.0.2.0/24"),
        (View(search="2001:db8:"), "search=2001:db8:"),
        (View(search="a&b=c #1"), "search=a%26b%3Dc+%231"),
        (View(has=MODIFY | SEARCH, lacks=1), "has=modlisc,search&lacks=addlicense"),
        (View(staged_only=True), "staged=1"),
        (View(sort="service"), "sort=service"),
        (View(sort="search", descending=True), "sort=-search"),
        (View(descending=True), "sort=-ip"),
    ],
)
def test_a_view_is_written_into_the_address_bar(view: View, query: str) -> None:
    assert view.to_query() == query


@given(views)
def test_every_view_is_read_back_from_the_address_bar_as_it_was(view: View) -> None:
    assert parse(view.to_query()) == view


@given(passphrase_views)
def test_so_is_every_view_of_passphrases(view: PassphraseView) -> None:
    assert parse_passphrase_view(dict(parse_qsl(view.to_query()))) == view


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ("", PassphraseView.natural()),
        ("state=removed", PassphraseView(state=State.REMOVED, descending=True)),
        ("sort=made", PassphraseView()),
        ("sort=-expires&search=rack", PassphraseView(search="rack", sort="expires", descending=True)),
    ],
)
def test_a_view_of_passphrases_shows_the_newest_active_ones_first_unless_it_says_otherwise(
    query: str, view: PassphraseView
) -> None:
    assert parse_passphrase_view(dict(parse_qsl(query))) == view


def test_what_cannot_be_in_an_address_is_named_and_left_out_alone() -> None:
    view, problems = read_view({"state": "lost", "sort": "ip", "search": "rack"}, parse_passphrase_view)
    assert view == PassphraseView(search="rack", descending=True)
    assert [problem.split(":")[0] for problem in problems] == [
        "'state' in the address is left out",
        "'sort' in the address is left out",
    ]


def test_of_two_parts_of_an_address_that_contradict_each_other_the_second_is_left_out() -> None:
    view, problems = read_view({"as_of": "3", "unused": "30"}, parse_view)
    assert view == View(as_of=3)
    assert [problem.split(":")[0] for problem in problems] == ["'unused' in the address is left out"]


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ("search=++billing+", View(search="billing")),
        ("search=%EF%BB%BFbilling%E2%80%8B", View(search="billing")),
        ("search=Bu%CC%88ro", View(search="B\u00fcro")),
        ("has=", View()),
        ("has=search,search", View(has=SEARCH)),
        ("staged=0", View()),
        ("staged=yes", View()),
        ("sort=ip", View()),
        ("unknown=1", View()),
    ],
)
def test_what_says_nothing_in_the_address_bar_is_left_out(query: str, view: View) -> None:
    assert parse(query) == view


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("has=root", "'root' is not a privilege"),
        ("lacks=search,", "'' is not a privilege"),
        ("has=1", "'1' is not a privilege"),
        ("sort=secret_digest", "'secret_digest' is not a column"),
        ("sort=", "'' is not a column"),
        ("sort=--ip", "'-ip' is not a column"),
        ("sort=ip;drop+table+authkey", "is not a column"),
        (f"search={'x' * 2001}", "The search has 2001 characters; at most 2000"),
        ("search=a%00b", "a character that no row can have"),
    ],
)
def test_what_names_no_view_is_refused(query: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        parse(query)


def test_a_search_with_half_a_character_is_refused() -> None:
    with pytest.raises(InvalidValue, match="a character that no row can have"):
        parse_view({"search": "\ud83d"})


@pytest.mark.parametrize("view", [View(search="x"), View(has=1), View(lacks=1), View(staged_only=True)])
def test_a_view_that_may_leave_authkeys_out_is_filtered(view: View) -> None:
    assert view.is_filtered


@pytest.mark.parametrize("view", [View(), View(sort="search"), View(descending=True)])
def test_a_view_that_is_only_sorted_is_not_filtered(view: View) -> None:
    assert not view.is_filtered


@pytest.mark.parametrize("view", [View(has=1), View(lacks=1), View(staged_only=True), View(sort="modlisc")])
def test_a_change_of_privileges_can_move_authkeys_in_a_view_that_looks_at_them(view: View) -> None:
    assert view.depends_on_privileges


@pytest.mark.parametrize("view", [View(), View(search="x"), View(sort="service", descending=True)])
def test_it_cannot_in_a_view_of_addresses_and_services(view: View) -> None:
    assert not view.depends_on_privileges
