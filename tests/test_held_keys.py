"""All keys in memory, compactly: what is found there is what an ordinary look at the database would find, or nobody says anything."""

import hashlib
import sys
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from models.access_checks import KeyState, Reason
from models.held_keys import HeldKey, HeldKeys, InDoubt, KeyTable

Stored = dict[bytes, HeldKey]

DIGESTS = [hashlib.sha256(str(number).encode()).digest() for number in range(12)]
SERVICES = ["billing", "a service with spaces", "ünï", "", "x" * 100]
ADDRESSES = ["192.0.2.7", "2001:db8::1:2", "::102:304"]

held_keys = st.builds(
    HeldKey,
    st.builds(
        KeyState,
        st.integers(1, 2**63 - 1),
        st.sampled_from(ADDRESSES),
        st.sampled_from(SERVICES) | st.text(st.characters(codec="utf-8"), max_size=20),
        st.integers(0, 2**62),
    ),
    st.sampled_from([None, Reason.REMOVED, Reason.REPLACED]),
)


@given(st.dictionaries(st.binary(min_size=32, max_size=32), held_keys, max_size=300))
def test_a_table_gives_back_what_was_put_into_it_and_nothing_else(stored: Stored) -> None:
    table = KeyTable()
    for digest, held in stored.items():
        table.add(digest, held)
    assert len(table) == len(stored)
    assert {digest: table.find(digest) for digest in stored} == stored
    assert [table.find(each) for each in DIGESTS if each not in stored] == [
        None for each in DIGESTS if each not in stored
    ]


def test_of_equal_digests_the_first_counts() -> None:
    table, first = KeyTable(), HeldKey(KeyState(1, "192.0.2.7", "billing", 511))
    table.add(DIGESTS[0], first)
    table.add(DIGESTS[0], HeldKey(KeyState(2, "192.0.2.8", "other", 0), Reason.REMOVED))
    assert table.find(DIGESTS[0]) == first
    assert len(table) == 1


def test_digests_that_begin_alike_are_told_apart() -> None:
    table = KeyTable()
    alike = [b"\0" * 31 + bytes([number]) for number in range(100)]
    for number, digest in enumerate(alike):
        table.add(digest, HeldKey(KeyState(number, "192.0.2.7", "billing", number)))
    assert [held.key.id for digest in alike if (held := table.find(digest))] == list(range(100))


def test_a_hundred_thousand_keys_take_less_than_a_hundred_bytes_each() -> None:
    table = KeyTable(100_000)
    for number in range(100_000):
        digest = hashlib.sha256(number.to_bytes(4)).digest()
        table.add(digest, HeldKey(KeyState(number, f"10.0.{number >> 8 & 255}.{number & 255}", "billing", 511)))
    assert sum(map(sys.getsizeof, vars(table).values())) < 100 * 100_000


def of(stored: Stored, authkey_ids: Iterable[int]) -> list[tuple[bytes, HeldKey]]:
    """What the database says of these authkeys: first what is in force."""
    ids = set(authkey_ids)
    return sorted(
        ((digest, held) for digest, held in stored.items() if held.key.id in ids),
        key=lambda each: each[1].gone is not None,
    )


class Following(RuleBasedStateMachine):
    """A database that others change, read in parts and whole while they do, in any order of events."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: Stored = {}
        self.held = HeldKeys()
        self.reading: dict[int, int] = {}
        self.read: list[tuple[bytes, HeldKey]] = []
        self.table: KeyTable | None = None
        self.begun = 0
        self.pages: list[bytes] = []

    # -- what others do: the change is committed, and heard of before anybody asks --------------------------------------

    @rule(digest=st.sampled_from(DIGESTS), id_=st.integers(1, 6), privileges=st.integers(0, 511))
    def put(self, digest: bytes, id_: int, privileges: int) -> None:
        """An authkey is made, gets a new secret or other privileges."""
        if digest in self.stored and self.stored[digest].key.id != id_:
            return  # a secret that is another key's is refused
        for known, held in list(self.stored.items()):
            if held.key.id == id_ and held.gone is None and known != digest:
                self.stored[known] = HeldKey(held.key._replace(privileges=0), Reason.REPLACED)
        self.stored[digest] = HeldKey(KeyState(id_, "192.0.2.7", f"service {id_}", privileges))
        self.held.doubt([id_])

    @rule(id_=st.integers(1, 6))
    def remove(self, id_: int) -> None:
        for digest, held in list(self.stored.items()):
            if held.key.id == id_ and held.gone is None:
                self.stored[digest] = held._replace(gone=Reason.REMOVED)
        self.held.doubt([id_])

    @rule(id_=st.integers(1, 6))
    def purge(self, id_: int) -> None:
        """What was removed long ago is forgotten; heard of here, so that the model knows it too."""
        self.stored = {d: held for d, held in self.stored.items() if held.key.id != id_ or held.gone is None}
        self.held.doubt([id_])

    @rule()
    def change_more_than_can_be_told(self) -> None:
        self.stored = {
            digest: held._replace(key=held.key._replace(privileges=held.key.privileges ^ 1))
            if held.gone is None
            else held
            for digest, held in self.stored.items()
        }
        self.held.doubt(None)

    # -- what the follower does ----------------------------------------------------------------------------------------

    @precondition(lambda self: self.table is None and self.held.is_whole)
    @rule(most=st.integers(1, 3))
    def begin_to_read_some(self, most: int) -> None:
        self.reading = self.held.in_doubt(most)
        self.read = of(self.stored, self.reading)

    @precondition(lambda self: self.table is None)
    @rule()
    def settle(self) -> None:
        self.held.settle(self.reading, self.read)
        self.reading, self.read = {}, []

    @precondition(lambda self: self.table is None)
    @rule()
    def begin_to_read_all(self) -> None:
        self.reading, self.read = {}, []
        self.begun, self.table, self.pages = self.held.begin_table(), KeyTable(), list(DIGESTS)

    @precondition(lambda self: self.table is not None)
    @rule(most=st.integers(1, 6))
    def read_a_page(self, most: int) -> None:
        page, self.pages = self.pages[:most], self.pages[most:]
        assert self.table is not None
        for digest in page:
            if digest in self.stored:
                self.table.add(digest, self.stored[digest])

    @precondition(lambda self: self.table is not None and not self.pages)
    @rule()
    def end_to_read_all(self) -> None:
        assert self.table is not None
        self.held.replace_table(self.table, self.begun)
        self.table = None

    @invariant()
    def what_is_said_is_true(self) -> None:
        for digest in DIGESTS:
            try:
                found = self.held.find(digest)
            except InDoubt:
                assert not self.held.is_settled
            else:
                assert found == self.stored.get(digest)


TestFollowing = Following.TestCase


def test_nothing_is_said_before_everything_was_read() -> None:
    with pytest.raises(InDoubt):
        HeldKeys().find(DIGESTS[0])
