import ast
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import privileges
from models.errors import InvalidValue
from models.privileges import ALL_PRIVILEGES, MANAGE_AUTHKEYS, PRIVILEGES, mask_of, privilege, privileges_in
from models.usage import NO_PRIVILEGE

THE_NINE = [
    ("addlicense", "Add a New License", "Add a new license."),
    (
        "secverify",
        "cPanel Security Verification Program",
        "Access the Security Verification System interface to look up an IP address or license ID.",
    ),
    ("explisc", "Expire a License", "Expire a license."),
    ("partner_onetimeext", "Extend One Time License Updates", "Extend one time license updates."),
    ("listlicenses", "List active licenses", "View a list of active licenses."),
    ("manageauthkeys", "Manage Authkeys", "Manage authorization keys."),
    ("modlisc", "Modify/Transfer a License", "Modify or transfer a license."),
    ("liscreact", "Reactivate a License", "Reactivate a license."),
    ("search", "Search for a License", "Search for a license."),
]


def test_there_are_the_nine_privileges_of_the_seed_in_its_order_and_words() -> None:
    assert [(each.id, each.label, each.description) for each in PRIVILEGES] == THE_NINE


THEIR_BITS = {
    "addlicense": 0,
    "secverify": 1,
    "explisc": 2,
    "partner_onetimeext": 3,
    "listlicenses": 4,
    "manageauthkeys": 5,
    "modlisc": 6,
    "liscreact": 7,
    "search": 8,
}
"""As they are stored in the databases of all releases: never to be changed here."""


def test_the_bit_of_a_privilege_is_the_one_that_is_stored_in_every_database() -> None:
    assert {each.id: each.bit for each in PRIVILEGES} == THEIR_BITS
    assert {each.id: each.mask for each in PRIVILEGES} == {id_: 2**bit for id_, bit in THEIR_BITS.items()}
    assert ALL_PRIVILEGES == 0b111_111_111


def test_putting_the_privileges_into_another_order_changes_no_bit() -> None:
    source = ast.parse(Path(privileges.__file__).read_text())
    [lines] = [node for node in ast.walk(source) if isinstance(node, ast.Tuple) and len(node.elts) == len(THE_NINE)]
    lines.elts.reverse()
    reordered = ModuleType(privileges.__name__)
    exec(compile(source, privileges.__file__, "exec"), reordered.__dict__)
    assert [each.id for each in reordered.PRIVILEGES] == [id_ for id_, *_ in reversed(THE_NINE)]
    assert {each.id: each.bit for each in reordered.PRIVILEGES} == THEIR_BITS


def test_what_stands_for_no_privilege_can_never_be_the_bit_of_one() -> None:
    assert NO_PRIVILEGE == -1


def test_the_privilege_that_manages_authkeys_is_known_by_name() -> None:
    assert MANAGE_AUTHKEYS.label == "Manage Authkeys"


@pytest.mark.parametrize("known", PRIVILEGES, ids=lambda each: each.id)
def test_a_privilege_is_found_by_its_id(known) -> None:
    assert privilege(known.id) is known


@pytest.mark.parametrize(
    "unknown", ["", "Search", "search ", "Search for a License", "search,modlisc", "p3", None, 0, True, ["search"], {}]
)
def test_everything_else_is_refused_with_the_known_ids(unknown: object) -> None:
    with pytest.raises(InvalidValue, match="is not a privilege; known are addlicense, secverify, explisc"):
        privilege(unknown)


def test_the_refusal_of_an_endless_id_is_short() -> None:
    with pytest.raises(InvalidValue) as refusal:
        privilege("x" * 10_000)
    assert len(str(refusal.value)) < 250


@given(st.integers(0, ALL_PRIVILEGES))
def test_a_set_of_privileges_is_the_sum_of_what_is_in_it(mask: int) -> None:
    inside = privileges_in(mask)
    assert inside == [each for each in PRIVILEGES if mask >> each.bit & 1]
    assert mask_of(inside) == mask


def test_naming_a_privilege_twice_makes_no_difference() -> None:
    assert mask_of([MANAGE_AUTHKEYS, MANAGE_AUTHKEYS]) == MANAGE_AUTHKEYS.mask
