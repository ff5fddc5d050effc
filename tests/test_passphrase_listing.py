"""Pickup passphrases by the thousand: found, sorted, apart by their state, removed in one step and back again."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.passphrases import digest
from models.privileges import privilege
from models.subjects import Subject
from models.submissions import NewPassphrase, Source
from models.views import PassphraseView, State
from services.console import Console
from services.submissions import Order
from tests.support import ADD, SEARCH, an_admin, stage_all

MANY = 3_000
"""More than one portion of a submission."""


async def add(console: Console, *notes: str, **more: Any) -> None:
    """Passphrases with these notes, in this order."""
    new = [NewPassphrase(digest(b"test", uuid.uuid4().hex), 0, note=note)._replace(**more) for note in notes]
    admin = console.admin
    await console.submissions.submit(Order(uuid.uuid4(), admin, Source.IMPORT, new, Subject.PASSPHRASE))


async def shown(console: Console, **view: object) -> list[str]:
    """The notes of what a view shows, in its order."""
    wanted = PassphraseView(**{"descending": True, **view})  # type: ignore[arg-type]
    rows = await console.passphrases.block(wanted, console.admin.id, 0, 200)
    assert await console.passphrases.count(wanted, console.admin.id) == len(rows)
    return [row.note for row in rows]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("rack", ["Rack 40", "rack 4"]),
        ("RACK  40", ["Rack 40"]),
        ("stra\u00dfe", ["STRASSE"]),
        ("strasse", ["STRASSE"]),
        ("#2", ["Rack 40"]),
        ("#3", ["STRASSE"]),
        ("100%", []),
        ("_", []),
        ("2001:DB8:", ["by dana"]),
        ("DANA", ["by dana"]),
        ("9" * 40, []),
    ],
)
async def test_a_passphrase_is_found_by_its_note_number_network_and_maker_in_any_spelling(
    console: Console, search: str, found: list[str]
) -> None:
    await add(console, "rack 4", "Rack 40", "STRASSE")
    dana = await an_admin("dana")
    networks = ("2001:db8::/32",)
    await console.passphrases.add(dana, "open sesame please", 0, networks=networks, note="by dana")
    assert await shown(console, search=search) == found


async def test_they_are_sorted_newest_first_by_expiry_and_by_a_privilege(console: Console) -> None:
    now = datetime.now(UTC)
    await add(console, "never")
    await add(console, "late", expires_at=now + timedelta(days=30), privileges=SEARCH.mask)
    await add(console, "soon", expires_at=now + timedelta(days=1))
    assert await shown(console) == ["soon", "late", "never"]
    assert await shown(console, descending=False) == ["never", "late", "soon"]
    assert await shown(console, sort="expires", descending=False) == ["soon", "late", "never"]
    assert await shown(console, sort="expires") == ["never", "late", "soon"]
    assert await shown(console, sort="search", descending=False) == ["late", "soon", "never"]
    assert await shown(console, sort="search") == ["soon", "never", "late"]
    assert await shown(console, has=SEARCH.mask) == ["late"]
    assert await shown(console, lacks=SEARCH.mask) == ["soon", "never"]


async def test_what_is_staged_is_shown_whatever_its_state(console: Console) -> None:
    await add(console, "usable")
    await add(console, "expired", expires_at=datetime.now(UTC) - timedelta(days=1))
    me, staging = console.admin.id, console.passphrase_staging
    await staging.stage(me, 2, SEARCH, True)
    assert await shown(console) == ["usable"]
    assert await shown(console, state=State.OVER) == ["expired"]
    assert await shown(console, staged_only=True) == ["expired"]
    assert await console.passphrases.staged_ids_in(PassphraseView.natural(), me) == []
    assert await console.passphrases.staged_ids_in(PassphraseView(state=State.OVER), me) == [2]


async def test_thousands_are_removed_in_one_step_and_come_back_with_one_undo(console: Console) -> None:
    await add(console, *(f"rack {number}" for number in range(MANY)), privileges=ADD.mask)
    view, me, staging = PassphraseView(search="rack", descending=True), console.admin, console.passphrase_staging
    assert await console.passphrases.count(view, me.id) == MANY
    assert [row.note for row in await console.passphrases.block(view, me.id, 2_990, 3_100)] == [
        f"rack {number}" for number in reversed(range(10))
    ]
    assert await stage_all(staging, me.id, view, None, True) == MANY
    await staging.undo(me.id)
    await staging.redo(me.id)
    receipt = await staging.submit(me, uuid.uuid4())
    assert receipt[1:3] == (MANY, MANY)
    assert await console.passphrases.count(view, me.id) == 0
    removed = PassphraseView(state=State.REMOVED)
    assert await console.passphrases.count(removed, me.id) == MANY
    assert await console.passphrases.matching(removed, me.id) == []  # nothing can be staged for them
    assert receipt.revision
    assert (await console.submissions.undo(receipt.revision, me, uuid.uuid4()))[1:3] == (MANY, MANY)
    assert await console.passphrases.count(view, me.id) == MANY
    assert {row.privileges for row in await console.passphrases.matching(view, me.id)} == {ADD.mask}


async def test_a_step_for_a_view_leaves_alone_what_the_view_does_not_show(console: Console) -> None:
    await add(console, "rack 1", "rack 2")
    await add(console, "rack 3", expires_at=datetime.now(UTC) - timedelta(days=1))
    view = PassphraseView(search="rack")
    assert await stage_all(console.passphrase_staging, console.admin.id, view, privilege("modlisc"), True) == 2
    assert sorted(await console.passphrase_staging.of(console.admin.id)) == [1, 2]
