"""Which commands a few typed letters mean."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.palette import found


class Named(NamedTuple):
    name: str
    words: str = ""


ADD = Named("Add authkey", "new key create")
ADDING = Named("Has Add a New License", "filter privilege")
REVIEW = Named("Review 3 changes to 2 keys", "staged submit")
DISCARD = Named("Discard 3 changes to 2 keys", "staged")
MANAGE = Named("Has Manage Authkeys", "filter privilege")
SUBMIT = Named("Submit: review first", "authkey modifications")
ALL = (ADD, ADDING, REVIEW, DISCARD, MANAGE, SUBMIT)

A_WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
A_NAME = st.lists(A_WORD, min_size=1, max_size=5).map(" ".join)
COMMANDS = st.lists(st.builds(Named, A_NAME, A_NAME), max_size=8)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        ("   ", ALL),
        ("add", (ADD, ADDING)),  # a name that begins with it is better than one that holds it
        ("ADD AUTH", (ADD,)),
        ("has man", (MANAGE,)),
        ("manage has", (MANAGE,)),
        ("auth", (ADD, MANAGE, SUBMIT)),
        ("create", (ADD,)),
        ("submit", (SUBMIT, REVIEW)),
        ("staged", (REVIEW, DISCARD)),
        ("dd", ()),  # within a word nothing is looked for
        ("add passphrase", ()),
        ("3", (REVIEW, DISCARD)),
        ("submit:", (SUBMIT, REVIEW)),
    ],
)
def test_every_word_of_a_query_begins_a_word_of_what_is_found(query: str, expected: tuple[Named, ...]) -> None:
    assert tuple(found(query, ALL)) == expected


@given(COMMANDS, st.data())
def test_a_command_is_found_by_the_beginnings_of_its_words_in_any_order_and_case(
    commands: list[Named], data: st.DataObject
) -> None:
    for command in commands:
        words = data.draw(st.permutations(f"{command.name} {command.words}".split()))
        query = " ".join(word[: data.draw(st.integers(1, len(word)))] for word in words)
        assert command in found(data.draw(st.sampled_from([query, query.upper(), query.lower()])), commands) or (
            any(
                each.casefold() != query.casefold() for each in (query.upper(), query.lower())
            )  # such as ŉ, two letters in upper case
        )


@given(COMMANDS, st.text(max_size=20))
def test_nothing_is_found_twice_or_invented_and_more_typed_finds_no_more(commands: list[Named], query: str) -> None:
    once = found(query, commands)
    assert all(once.count(each) <= commands.count(each) for each in once)
    assert all(each in once for each in found(f"{query} a", commands))
    assert found(query, once) == once
