"""All authkeys in memory, compactly: some 90 bytes each, so that a million fit beside a proxy. Pure.

A Python dict of a million keys takes three times as much. So what is in force stands in arrays, found by a hash table of
record numbers (open addressing, linear probing: Knuth, The Art of Computer Programming 3, 6.4) that is only ever added
to. What was changed since lies over it, by authkey: who looks for a digest sees the newer state, and of an authkey that is
being read anew nothing at all until it was read.
"""

from array import array
from collections.abc import Iterable
from itertools import count, islice
from typing import NamedTuple

from models.access_checks import KeyState, Reason

OVERLAID = 50_000
"""Changed authkeys that may lie over the table, some 600 bytes each, until it had better be read anew."""
_DIGEST_BYTES = 32
_LOAD = 0.6
_REASONS = (None, Reason.REMOVED, Reason.REPLACED)


class HeldKey(NamedTuple):
    """Whose secret it is or was."""

    key: KeyState
    gone: Reason | None = None
    """Why it is no longer in force"""


class KeyTable:
    """Secrets by digest. Of equal digests the first counts; nothing is ever changed or taken out."""

    def __init__(self, expected: int = 0) -> None:
        """`expected` is how many there will be, about; more make it grow, which takes time."""
        self._digests = bytearray()
        self._ids = array("q")
        self._privileges = array("Q")
        self._gone = bytearray()
        self._texts = bytearray()
        self._ends = array("Q", [0])
        """Where each text ends: the address, a space, the service"""
        self._slots = _slots_for(expected)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, digest: bytes, held: HeldKey) -> None:
        """Add a secret, unless it is there."""
        slot, number = self._find(digest)
        if number >= 0:
            return
        key = held.key
        self._digests += digest
        self._ids.append(key.id)
        self._privileges.append(key.privileges)
        self._gone.append(_REASONS.index(held.gone))
        self._texts += f"{key.ip} {key.service}".encode()
        self._ends.append(len(self._texts))
        self._slots[slot] = len(self._ids)  # a number from 1: 0 is an empty slot
        if len(self._ids) > _LOAD * len(self._slots):
            self._grow()

    def find(self, digest: bytes) -> HeldKey | None:
        """Whose secret this is; None if it is nobody's."""
        _, number = self._find(digest)
        if number < 0:
            return None
        text = self._texts[self._ends[number] : self._ends[number + 1]].decode()
        ip, _, service = text.partition(" ")
        key = KeyState(self._ids[number], ip, service, self._privileges[number])
        return HeldKey(key, _REASONS[self._gone[number]])

    def _find(self, digest: bytes) -> tuple[int, int]:
        """The slot of a digest, and its record's number; of one that is not there where it belongs, and -1."""
        slots, digests, mask = self._slots, self._digests, len(self._slots) - 1
        slot = int.from_bytes(digest[:8], "little") & mask
        while number := slots[slot]:
            if digests[(number - 1) * _DIGEST_BYTES : number * _DIGEST_BYTES] == digest:
                return slot, number - 1
            slot = (slot + 1) & mask
        return slot, -1

    def _grow(self) -> None:
        self._slots = _slots_for(2 * len(self._ids))
        for number in range(len(self._ids)):
            digest = bytes(self._digests[number * _DIGEST_BYTES : (number + 1) * _DIGEST_BYTES])
            slot, _ = self._find(digest)
            self._slots[slot] = number + 1


def _slots_for(count_: int) -> "array[int]":
    size = 1 << max(6, int(count_ / _LOAD).bit_length())
    return array("I", bytes(4 * size))


class InDoubt(Exception):
    """What is asked for was changed and is not read yet: the database knows it."""


class HeldKeys:
    """The table, what was changed since, and what is in doubt."""

    def __init__(self) -> None:
        self._table = KeyTable()
        self._newer: dict[bytes, HeldKey] = {}
        self._digests: dict[int, list[bytes]] = {}
        """Of each authkey that lies over the table; without any if there is none left of it"""
        self._doubts: dict[int, int] = {}
        self._numbers = count(1)
        self._all_since: int | None = next(self._numbers)
        """The newest doubt about everything; None if the table holds"""

    def __len__(self) -> int:
        return len(self._table)

    @property
    def is_whole(self) -> bool:
        """Whether there is a table that holds."""
        return self._all_since is None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is in doubt."""
        return self.is_whole and not self._doubts

    @property
    def is_full(self) -> bool:
        """Whether so much was changed that the table had better be read anew."""
        return len(self._digests) > OVERLAID

    def find(self, digest: bytes) -> HeldKey | None:
        """Whose secret this is; None if it is nobody's. Raises InDoubt if that can only be read anew."""
        if self._all_since is not None:
            raise InDoubt
        held = self._newer.get(digest)
        if held is None:
            held = self._table.find(digest)
            if held is not None and held.key.id in self._digests:
                held = None  # what is newer has it no more
        if self._doubts and (held is None or held.key.id in self._doubts):
            raise InDoubt  # one that is not known may have been made by the change that is not read yet
        return held

    # -- what was changed ----------------------------------------------------------------------------------------------

    def doubt(self, authkey_ids: Iterable[int] | None) -> None:
        """These authkeys were changed, and others may be new; None: all of them."""
        number = next(self._numbers)
        if authkey_ids is None:
            self._all_since = number
        else:
            self._doubts.update(dict.fromkeys(authkey_ids, number))

    def in_doubt(self, most: int) -> dict[int, int]:
        """At most so many authkeys that are to be read anew, each with the number of its doubt: for `settle`."""
        return dict(islice(self._doubts.items(), most))

    def settle(self, doubts: dict[int, int], read: Iterable[tuple[bytes, HeldKey]]) -> None:
        """What was read of these authkeys, after they were in doubt. Of those that were changed meanwhile it does not count."""
        settled = {id_ for id_, number in doubts.items() if self._doubts.get(id_) == number}
        for id_ in settled:
            for digest in self._digests.get(id_, ()):
                if (known := self._newer.get(digest)) and known.key.id == id_:
                    del self._newer[digest]
            self._digests[id_] = []
            del self._doubts[id_]
        for digest, held in read:
            if held.key.id in settled:
                self._digests[held.key.id].append(digest)
                if digest not in self._newer or held.gone is None:
                    self._newer[digest] = held

    def begin_table(self) -> int:
        """From now on everything is read anew; returns a number for `replace_table`."""
        return next(self._numbers)

    def replace_table(self, table: KeyTable, begun: int) -> None:
        """All that there is, read since `begun`. What was changed meanwhile is still in doubt: nothing was settled since."""
        self._table, self._newer, self._digests = table, {}, {}
        self._doubts = {id_: number for id_, number in self._doubts.items() if number > begun}
        if self._all_since is not None and self._all_since < begun:
            self._all_since = None
