"""The chain of the history, and a program that checks an export of it.

Each entry carries the digest of the entry before, and of itself: SHA-256 of its record as canonical JSON (RFC 8785). So an
entry that was changed, dropped, put in or moved shows, and names itself. A checkpoint says how many entries there were and
the digest of the last one, signed (Ed25519): so a tail that was cut off shows too, and a chain that was written anew.

This file needs Python's standard library and nothing else, also nothing of Authkeys: it is given out beside exports as it is.

    python3 chain.py EXPORT.jsonl [--checkpoint FILE] [--key VERIFIER-KEY]
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

GENESIS = "0" * 64
"""What stands for the digest of the entry before the first one."""

Record = Mapping[str, Any]
"""An entry, as it is digested: without its own digest, with that of the entry before as `previous`"""
Row = Sequence[int | str]
"""A modification, as it is digested: row, kind, ip, service, before, after, and the changed texts, as JSON, if there are any"""


def canonical(value: object) -> bytes:
    """Canonical JSON (RFC 8785) of what records are made of: texts, whole numbers below 2**53, null, lists and objects.

    For these it is what the standard library writes, if keys are ASCII: sorted, and with nothing escaped that need not be.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(record: Record) -> str:
    """The digest of an entry, in hexadecimal digits."""
    return hashlib.sha256(canonical(record)).hexdigest()


def digest_of_name(name: str, salt: bytes) -> str:
    """What a record holds instead of a name that is no account's: so the name can be erased, and the chain still holds."""
    return hashlib.sha256(salt + name.encode("utf-8", "surrogatepass")).hexdigest()


class ModificationsDigest:
    """The digest of what one submission did: of the canonical JSON of the list of its modifications, in their order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"[")
        self.count = 0

    def add(self, rows: Sequence[Row], encoded: bytes = b"") -> None:
        """Go on with these; `encoded` is their canonical JSON, if that is known already."""
        if rows:
            self._hash.update((b"," if self.count else b"") + (encoded or canonical(rows))[1:-1])
            self.count += len(rows)

    def hexdigest(self) -> str:
        """The digest of all that were added."""
        whole = self._hash.copy()
        whole.update(b"]")
        return whole.hexdigest()


class Fault(NamedTuple):
    """The first thing that is wrong: at which entry, and what."""

    number: int
    what: str

    def __str__(self) -> str:
        return f"Entry #{self.number}: {self.what}"


class Anchor(NamedTuple):
    """The entry after which the chain goes on: nothing, or the last one that was pruned."""

    number: int = 0
    digest: str = GENESIS


class Checker:
    """Follows a chain entry by entry, in order; the first fault ends it."""

    def __init__(self, anchor: Anchor = Anchor(), signed: Mapping[int, str] | None = None) -> None:  # noqa: B008
        """`signed` are the digests that checkpoints name, by entry."""
        self.number, self.digest = anchor
        self.fault: Fault | None = None
        self.agreed = 0
        """The newest entry that a checkpoint names and that is still the same"""
        self._signed = dict(signed or {})
        if signed and anchor.number in signed:
            self._compare(anchor.number, anchor.digest)

    def follow(self, record: Record, stored: str, done: ModificationsDigest) -> None:
        """Take the next entry, with the digest that is stored for it and what its submission did."""
        if self.fault:
            return
        number = record["number"]
        if number != self.number + 1:
            self.fault = Fault(self.number + 1, "it is missing." if number > self.number else "it stands there twice.")
        elif record.get("previous", self.digest) != self.digest:
            self.fault = Fault(number, "it does not follow the entry before.")
        elif (submission := record["submission"]) and submission["modifications"] != done.hexdigest():
            self.fault = Fault(number, "what its submission did is not what was written then.")
        elif digest_of({**record, "previous": self.digest}) != stored:
            self.fault = Fault(number, "it is not what was written then.")
        else:
            self.number, self.digest = number, stored
            self._compare(number, stored)

    def end(self) -> Fault | None:
        """What is wrong with the chain, now that it is whole; None if nothing is."""
        missing = [number for number in self._signed if number > self.number]
        if not self.fault and missing:
            self.fault = Fault(self.number + 1, f"it is missing: a checkpoint says that there were {max(missing)}.")
        return self.fault

    def _compare(self, number: int, digest: str) -> None:
        signed = self._signed.get(number)
        if signed == digest:
            self.agreed = number
        elif signed is not None:
            after = f", after #{self.agreed}" if self.agreed else ""
            self.fault = Fault(
                number, f"it is not the one that was signed: the chain was written anew at or before it{after}."
            )


# -- checkpoints: signed notes of C2SP (c2sp.org/tlog-checkpoint, c2sp.org/signed-note) ------------------------------------

_ED25519 = b"\x01"


class Checkpoint(NamedTuple):
    """How many entries there were, and the digest of the last one."""

    origin: str
    size: int
    digest: str
    at: str
    """When, as in RFC 3339: an extension line"""

    def text(self) -> str:
        """What is signed."""
        root = base64.b64encode(bytes.fromhex(self.digest)).decode()
        return f"{self.origin}\n{self.size}\n{root}\n{self.at}\n"


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes by which a signature names its key."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """The public key as it is handed on: `name+0123abcd+base64`."""
    encoded = base64.b64encode(_ED25519 + public_key).decode()
    return f"{name}+{key_id(name, public_key).hex()}+{encoded}"


def public_key_in(text: str) -> tuple[str, bytes]:
    """The name and the 32 bytes of a verifier key. Raises ValueError for anything else."""
    try:
        name, id_, encoded = text.strip().split("+", 2)  # base64 may hold more of them
        raw = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise ValueError("This is no verifier key; one looks like name+0123abcd+base64.") from None
    if raw[:1] != _ED25519 or len(raw) != 33 or id_ != key_id(name, raw[1:]).hex():
        raise ValueError("This verifier key is damaged, or of another kind than Ed25519.")
    return name, raw[1:]


def signed_note(checkpoint: Checkpoint, name: str, public_key: bytes, signature: bytes) -> str:
    """A checkpoint as it is written: its text, an empty line, and a line with the signature."""
    encoded = base64.b64encode(key_id(name, public_key) + signature).decode()
    return f"{checkpoint.text()}\n— {name} {encoded}\n"


def read_checkpoints(text: str, key: str) -> list[Checkpoint]:
    """All checkpoints in a text, one after the other. Raises ValueError for a damaged one, or one of another key."""
    name, public_key = public_key_in(key)
    found = []
    for body, signature in _notes(text):
        lines = body.split("\n")
        try:
            checkpoint = Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2]).hex(), lines[3])
            raw = base64.b64decode(signature.removeprefix(f"— {name} "), validate=True)
        except (ValueError, IndexError):
            raise ValueError(f"A checkpoint is damaged, or not of the key {name}: {lines[:2]}.") from None
        if raw[:4] != key_id(name, public_key) or not is_signed(public_key, checkpoint.text().encode(), raw[4:]):
            raise ValueError(f"The checkpoint of {checkpoint.size} entries is not signed with this key.")
        found.append(checkpoint)
    if not found:
        raise ValueError("There is no checkpoint in it.")
    return found


def _notes(text: str) -> Iterator[tuple[str, str]]:
    body = ""
    for block in filter(None, text.replace("\r\n", "\n").strip("\n").split("\n\n")):
        signature, _, rest = block.partition("\n") if body else ("", "", block)
        if body:
            yield body, signature
        body = rest
    if body:
        raise ValueError("The last checkpoint is cut off.")


# -- Ed25519 (RFC 8032, 5.1.7): slow, and only for a few signatures; who signs uses a library --------------------------------

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is the Ed25519 signature of a message with the private key of this public one."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public_key), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _ORDER
    return _equal(_times(scalar, _BASE), _sum(commitment, _times(challenge, key)))


def _sum(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _sum(result, point)
        point = _sum(point, point)
        scalar >>= 1
    return result


def _equal(one: _Point, other: _Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % _P == 0 and (one[1] * other[2] - other[1] * one[2]) % _P == 0


def _point(encoded: bytes) -> _Point | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


_BASE = _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little")) or (0, 1, 1, 0)


# -- an export ---------------------------------------------------------------------------------------------------------------


def check_lines(lines: Iterable[str], signed: Mapping[int, str]) -> tuple[Checker, bool]:
    """Check an export in JSONL; returns what was found, and whether the export is whole: no entry was filtered out.

    Of a part of the history each entry is checked by itself. Raises ValueError, with the line, for what is no export.
    """
    checker, whole, waiting = Checker(signed=signed), True, None
    for number, line in enumerate(lines, 1):
        try:
            part = json.loads(line)
            kind = "begins" if "history" in part else "entry" if "entry" in part else "modification"
            content = part[kind] if kind != "begins" else part["history"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"Line {number} is not one of an export.") from None
        if kind == "begins":
            whole = content["whole"]
            checker = Checker(Anchor(content["after"], content["digest"]), signed if whole else {})
        elif kind == "entry":
            _follow(checker, waiting, whole)
            waiting = (content, part["digest"], ModificationsDigest())
        elif waiting:
            names = ("row", "kind", "ip", "service", "before", "after", "texts")
            waiting[2].add([[content[name] for name in names if name in content]])
    _follow(checker, waiting, whole)
    return checker, whole


def _follow(checker: Checker, entry: tuple[Record, str, ModificationsDigest] | None, whole: bool) -> None:
    if entry is None or checker.fault:
        return
    if not whole:
        checker.number, checker.digest = entry[0]["number"] - 1, entry[0]["previous"]
    checker.follow(*entry)


def main() -> int:
    """Check an export; the exit status is 1 if something is wrong with it."""
    parser = argparse.ArgumentParser(description="Checks an export of the history of Authkeys, in JSONL.")
    parser.add_argument("export")
    parser.add_argument("--checkpoint", help="a file of signed checkpoints")
    parser.add_argument("--key", help="the verifier key that signs them, from `main.py history key`")
    told = parser.parse_args()
    try:
        if bool(told.checkpoint) != bool(told.key):
            raise ValueError("--checkpoint and --key belong together: a signature is checked with a key.")
        signed = {}
        if told.checkpoint:
            with open(told.checkpoint, encoding="utf-8") as file:
                signed = {each.size: each.digest for each in read_checkpoints(file.read(), told.key)}
        with open(told.export, encoding="utf-8") as file:
            checker, whole = check_lines(file, signed)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if fault := checker.end() if whole else checker.fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"Nothing is wrong, up to entry #{checker.number}." + ("" if whole else " It is a part of the history."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
