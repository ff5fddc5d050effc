"""Authkeys that shall be made: staged like any change, shown as rows, and made with their secrets when that is submitted."""

import uuid
from pathlib import Path

import pytest

from models.amendments import Amendment, TextChange, TextName
from models.authkeys import Authkey
from models.errors import DuplicateAuthkey, NotAllowed, SubmissionRefused
from models.reviews import Heading
from models.secrets import IssuedKey, KnownSecret, new_secret
from models.selections import Act, Selection, Stretch
from models.staged_changes import StagedChanges
from models.staged_rows import Addition, NewKey, StagedRow, Wanted
from models.staging_plans import PlanPart
from models.submissions import CellChange, ConflictKind, NewAuthkey, Removal
from models.views import View
from services.console import Console, open_console
from services.keymaking import Handouts
from services.planning import plan_file, stage_plan
from services.selecting import act_on
from storage import authkeys
from storage.database import DatabaseLocation
from tests.other_process import another_process
from tests.program import write_csv
from tests.support import (
    ADD,
    MODIFY,
    SEARCH,
    add_keys,
    all_keys,
    an_admin,
    digests,
    listening,
    new_keys,
    staged_in_database,
    submit,
)

NEW = NewKey("192.0.2.9", "new", issues=True)


async def stage(console: Console, ip: str = NEW.ip, service: str = NEW.service, privileges: int = ADD.mask) -> int:
    """Stage one; its number."""
    await console.staging.stage_addition(console.admin.id, ip, service, privileges)
    return (await console.staging.of(console.admin.id)).additions[ip, service]


async def shown(console: Console, view: View = View()) -> list[str]:  # noqa: B008 - it never changes
    rows = await console.staging.shown.block(view, console.admin.id, 0, 100)
    assert len(rows) == await console.staging.shown.count(view, console.admin.id)
    assert [await console.staging.shown.place(view, console.admin.id, row.id) for row in rows] == list(range(len(rows)))
    return [f"{row.ip} {row.service}" for row in rows]


# -- as a row ------------------------------------------------------------------------------------------------------------


async def test_it_stands_before_the_others_and_is_searched_and_filtered_like_them(console: Console) -> None:
    await add_keys(console, *new_keys(2))
    await stage(console, "203.0.113.1", "web", SEARCH.mask)
    await stage(console, "9.0.0.1", "mail")
    assert await shown(console) == ["9.0.0.1 mail", "203.0.113.1 web", "10.0.0.0 billing", "10.0.0.1 billing"]
    assert await shown(console, View(descending=True)) == [
        "203.0.113.1 web",
        "9.0.0.1 mail",
        "10.0.0.1 billing",
        "10.0.0.0 billing",
    ]
    assert await shown(console, View(sort="service")) == [
        "9.0.0.1 mail",
        "203.0.113.1 web",
        "10.0.0.0 billing",
        "10.0.0.1 billing",
    ]
    assert (await shown(console, View(sort="service", descending=True)))[:2] == ["203.0.113.1 web", "9.0.0.1 mail"]
    assert (await shown(console, View(sort="search")))[0] == "203.0.113.1 web"
    assert (await shown(console, View(sort="search", descending=True)))[0] == "9.0.0.1 mail"
    assert await shown(console, View(search="203.0.113.0/24")) == ["203.0.113.1 web"]
    assert await shown(console, View(search="MAIL")) == ["9.0.0.1 mail"]
    assert await shown(console, View(has=SEARCH.mask)) == ["203.0.113.1 web"]
    assert await shown(console, View(lacks=SEARCH.mask)) == ["9.0.0.1 mail", "10.0.0.0 billing", "10.0.0.1 billing"]
    assert await shown(console, View(staged_only=True)) == ["9.0.0.1 mail", "203.0.113.1 web"]
    assert await shown(console, View(unused_days=30)) == []


async def test_nobody_else_sees_it(console: Console) -> None:
    number = await stage(console)
    dana = await an_admin("dana")
    assert not await console.staging.shown.count(View(), dana.id)
    await console.staging.stage_addition(dana.id, "192.0.2.200", "hers", 0)
    (row,) = await console.staging.overlaid(
        console.admin.id, await console.staging.shown.block(View(), console.admin.id, 0, 9)
    )
    assert (row["id"], row["ip"], row["others"]) == (number, NEW.ip, [])


async def test_its_boxes_are_ticked_and_taken_back_like_others(console: Console) -> None:
    number = await stage(console)
    mine, staging = console.admin.id, console.staging
    await staging.stage(mine, number, SEARCH, True)
    await staging.stage(mine, number, ADD, False)
    assert (await staging.of(mine))[number] == StagedRow(SEARCH.mask, new=NEW)
    await staging.take_back_part(mine, number, SEARCH)
    assert (await staging.of(mine))[number] == StagedRow(new=NEW), "a key without privileges is one, too"
    assert await staged_in_database(mine) == {number: StagedRow(new=NEW)}
    await staging.stage_removal(mine, number)
    assert await staged_in_database(mine) == {}
    await staging.undo(mine)
    assert await staged_in_database(mine) == {number: StagedRow(new=NEW)}


async def test_a_selection_may_hold_it(console: Console) -> None:
    (row,) = await add_keys(console, *new_keys(1))
    number = await stage(console)
    both = Selection((Stretch(0, 1, number, row.id, SEARCH.mask),))
    await act_on(console.staging, console.admin.id, View(), both, Act.GRANT)
    staged = await console.staging.of(console.admin.id)
    assert (staged[number].grants, staged[row.id].grants) == (ADD.mask | SEARCH.mask, SEARCH.mask)


async def test_it_outlives_the_program_with_its_steps(database: DatabaseLocation) -> None:
    async with open_console(database) as console:
        number = await stage(console)
        await console.staging.stage(console.admin.id, number, MODIFY, True)
        await console.staging.discard(console.admin.id)
    async with open_console(database) as console:
        mine = console.admin.id
        assert not await console.staging.shown.count(View(), mine)
        await console.staging.undo(mine)
        assert dict((await console.staging.of(mine)).entries) == {number: StagedRow(ADD.mask | MODIFY.mask, new=NEW)}
        await console.staging.undo(mine)
        await console.staging.undo(mine)
        assert not len(await console.staging.of(mine))
        await console.staging.redo(mine)
        other = await stage(console, service="another")
        assert other != number
        assert len(await console.staging.of(mine)) == 2


async def test_another_process_of_the_same_admin_has_it_too(console: Console) -> None:
    await stage(console)
    async with another_process(console.location) as there:
        assert await there.do(_count_here) == 1


async def _count_here(console: Console) -> int:
    return len(await console.staging.of(console.admin.id))


# -- when it is submitted ------------------------------------------------------------------------------------------------


async def test_it_is_made_with_a_secret_that_is_told_once(console: Console) -> None:
    await stage(console)
    name = uuid.uuid4()
    receipt = await console.staging.submit(console.admin, name)
    assert (receipt.change_count, receipt.key_count) == (1, 1)
    (issued,) = console.staging.take_issued(name)
    (key,) = (await all_keys()).values()
    assert (key.ip, key.service, key.privileges, key.secret_hint) == (NEW.ip, NEW.service, ADD.mask, issued.secret.hint)
    assert issued.secret.text[-4:] == issued.secret.hint
    assert not console.staging.take_issued(name), "this once"
    assert not len(await console.staging.of(console.admin.id))
    await console.submissions.undo(receipt.revision or 0, console.admin, uuid.uuid4())
    assert await all_keys() == {}


async def test_additions_removals_and_cells_are_one_submission(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2))
    await stage(console)
    await console.staging.stage(console.admin.id, one.id, SEARCH, True)
    await console.staging.stage_removal(console.admin.id, two.id)
    receipt = await console.staging.submit(console.admin, uuid.uuid4())
    assert (receipt.change_count, receipt.key_count) == (3, 3)
    assert {key.ip: key.privileges for key in (await all_keys()).values()} == {one.ip: SEARCH.mask, NEW.ip: ADD.mask}
    assert (await console.chain.check()).fault is None


async def test_a_name_that_is_taken_or_staged_is_refused_at_once(console: Console) -> None:
    await add_keys(console, *new_keys(1))
    await stage(console)
    for ip, service in (("10.0.0.0", " billing "), ("::ffff:192.0.2.9", "new")):
        with pytest.raises(DuplicateAuthkey):
            await console.staging.stage_addition(console.admin.id, ip, service, 0)
    assert len(await console.staging.of(console.admin.id)) == 1


async def test_a_name_that_somebody_else_takes_meanwhile_is_a_conflict_that_can_be_decided(console: Console) -> None:
    dana = await an_admin("dana")
    number, other = await stage(console), await stage(console, service="other")
    await submit(console, NewAuthkey(NEW.ip, NEW.service, SEARCH.mask), NewAuthkey(NEW.ip, "other", 0), admin=dana)
    with pytest.raises((DuplicateAuthkey, SubmissionRefused)):
        await console.staging.submit(console.admin, uuid.uuid4())
    mine = await console.staging.of(console.admin.id)
    assert {id_: each.kind for id_, each in mine.conflicts.items()} == {
        number: ConflictKind.TAKEN,
        other: ConflictKind.TAKEN,
    }
    await console.staging.take_back(console.admin.id, [other])
    await console.staging.confirm(console.admin.id, [number])
    await console.staging.submit(console.admin, uuid.uuid4())
    keys = {(key.ip, key.service): key.privileges for key in (await all_keys()).values()}
    assert keys == {(NEW.ip, NEW.service): SEARCH.mask | ADD.mask, (NEW.ip, "other"): 0}


@pytest.mark.parametrize("is_keyed", [False, True])
async def test_the_texts_and_the_secret_of_what_was_to_be_made_go_to_the_key_that_has_its_name_now(
    console: Console, is_keyed: bool
) -> None:
    mine, dana = console.admin.id, await an_admin("dana")
    theirs = KnownSecret("e" * 64, "abcd") if is_keyed else None
    wanted = Amendment(KnownSecret("d" * 64, "wxyz"), (TextChange(TextName.OWNER, "", "Ana"),))
    await console.staging.stage_wanted(mine, Wanted(additions=[Addition(NEW, ADD.mask, wanted)]))
    await submit(console, NewAuthkey(NEW.ip, NEW.service, 0, theirs), admin=dana)
    await console.staging.rebase(None)
    [line] = [
        each
        for each in (await console.staging.reviewed.part(mine, "", {}, 0, 9)).lines
        if not isinstance(each, Heading)
    ]
    assert line.decision
    assert line.decision.confirmation == "Give it all of this"
    assert ("It has a key by now" in [each.text for each in line.decision.effects]) is is_keyed
    await console.staging.confirm(mine, [-1])
    await console.staging.submit(console.admin, uuid.uuid4())
    (key,) = (await all_keys()).values()
    assert (await authkeys.find([key.id]))[key.id].owner == "Ana"
    assert (key.privileges, (await digests())[key.id]) == (ADD.mask, "e" * 64 if is_keyed else "d" * 64)


async def test_a_row_that_needs_a_decision_says_so_in_the_grid(console: Console) -> None:
    (row,) = await add_keys(console, *new_keys(1))
    mine, dana = console.admin.id, await an_admin("dana")
    await console.staging.stage_removal(mine, row.id)
    await stage(console)
    await submit(console, CellChange(row.id, SEARCH.mask, 0), NewAuthkey(NEW.ip, NEW.service, 0), admin=dana)
    await console.staging.rebase(None)
    shown_rows = await console.staging.shown.block(View(), mine, 0, 9)
    said = {
        each["service"]: each["conflict"]
        for each in await console.staging.overlaid(mine, shown_rows)
        if each["id"] != 2
    }
    assert said == {"billing": "changed", "new": "taken"}
    assert {each["conflict"] for each in await console.staging.overlaid(dana.id, [row])} == {""}


async def test_what_others_submit_is_no_news_for_additions_that_it_does_not_concern(console: Console) -> None:
    await stage(console)
    dana = await an_admin("dana")
    async with listening(console.staging.changed) as heard:
        async with listening(console.feed.committed) as committed:
            await submit(console, NewAuthkey("203.0.113.9", "other", 0), admin=dana)
            await committed.next()
        assert not heard.rest()


async def test_a_submission_moves_rows_also_if_no_secret_is_made(console: Console, tmp_path: Path) -> None:
    plan = await plan_file(console.staging, console.admin.id, write_csv(tmp_path / "a.csv", new_keys(2)), "a.csv")
    await stage_plan(console.staging, console.admin.id, plan, set(PlanPart))
    async with listening(console.staging.changed) as heard:
        await console.staging.submit(console.admin, uuid.uuid4())
        (change,) = await heard.next()
    assert change.moves_rows


async def test_a_conflict_ends_when_the_other_key_goes(console: Console) -> None:
    dana = await an_admin("dana")
    number = await stage(console)
    await submit(console, NewAuthkey(NEW.ip, NEW.service, 0), admin=dana)
    with pytest.raises(DuplicateAuthkey):
        await console.staging.submit(console.admin, uuid.uuid4())
    (other,) = (await all_keys()).values()
    await submit(console, Removal(other.id, other.revision), admin=dana)
    await console.staging.rebase(None)
    mine = await console.staging.of(console.admin.id)
    assert not mine.conflicts
    assert number in mine
    await console.staging.submit(console.admin, uuid.uuid4())
    assert len(await all_keys()) == 1


# -- many at once --------------------------------------------------------------------------------------------------------


def test_numbers_are_never_given_twice() -> None:
    staged = StagedChanges()
    staged.stage_wanted(
        Wanted(additions=[Addition(NewKey("192.0.2.1", "a"), 0), Addition(NewKey("192.0.2.2", "a"), 0)])
    )
    staged.undo()
    staged.redo()
    staged.discard()
    staged.stage_wanted(Wanted(additions=[Addition(NewKey("192.0.2.3", "a"), 0)]))
    assert set(staged) == {-3}
    assert staged.addition_count == 1
    staged.undo()
    staged.undo()
    assert set(staged) == {-1, -2}
    assert staged.addition_count == 2


def test_a_name_is_never_staged_twice_whoever_was_quicker() -> None:
    staged = StagedChanges()
    staged.stage_wanted(Wanted(additions=[Addition(NEW, ADD.mask)]))
    assert not staged.stage_wanted(Wanted(additions=[Addition(NEW._replace(issues=False), 0)]))
    assert dict(staged.entries) == {-1: StagedRow(ADD.mask, new=NEW)}


def test_what_is_marked_for_removal_stays_so_if_an_addition_of_its_name_is_decided() -> None:
    staged = StagedChanges()
    row = Authkey(5, NEW.ip, NEW.service, 0, 1)
    staged.stage_wanted(Wanted(additions=[Addition(NEW, ADD.mask)], removals=[row]))
    staged.learn_names({(NEW.ip, NEW.service): row})
    staged.confirm([-1])
    assert dict(staged.entries) == {5: StagedRow(removal=True, revision=1)}


def test_a_step_that_grants_to_rows_also_grants_to_what_shall_be_made() -> None:
    staged = StagedChanges()
    staged.stage_wanted(Wanted(additions=[Addition(NEW, ADD.mask)]))
    row = Authkey(-1, NEW.ip, NEW.service, 0, 0)
    staged.stage_all([row], SEARCH, True)
    assert staged[-1] == StagedRow(ADD.mask | SEARCH.mask, new=NEW)
    staged.revoke([row], {-1: ADD.mask})
    assert staged[-1] == StagedRow(SEARCH.mask, new=NEW)


# -- handing out ---------------------------------------------------------------------------------------------------------


def test_new_keys_are_handed_out_once_and_to_nobody_else() -> None:
    handouts, told = Handouts(), []
    keys = [IssuedKey("192.0.2.1", "a", new_secret())]
    token = handouts.put(7, keys, lambda: told.append("taken"))
    for admin_id, which in ((8, token), (7, "another"), (7, "")):
        with pytest.raises(NotAllowed, match="handed out already"):
            handouts.take(admin_id, which)
    assert not told
    assert handouts.take(7, token) == keys
    assert told == ["taken"]
    with pytest.raises(NotAllowed):
        handouts.take(7, token)
