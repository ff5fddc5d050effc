"""Selections: which rows they mean, what they hold, and that an act on one is the same as doing it box by box."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authkeys import Authkey
from models.errors import SelectionMoved
from models.pasted import read_cells, read_named
from models.privileges import ALL_PRIVILEGES, PRIVILEGES, Privilege
from models.selections import Act, Selected, Selection, Stretch, decide_act, tally
from models.staged_changes import StagedChanges
from models.staged_rows import NOTHING
from models.submissions import Removal
from models.views import View
from services.console import Console
from services.selecting import act_on, rows_of, tally_of, text_of
from tests.support import ADD, MODIFY, SEARCH, add_keys, new_keys, submit

Steps = Sequence[tuple[int, Privilege | None, bool]]


def selection(
    first: int, last: int, mask: int = SEARCH.mask, ids: tuple[int | None, int | None] = (None, None)
) -> Selection:
    return Selection((Stretch(first, last, *ids, mask),))


def whole(mask: int) -> Selection:
    return Selection((Stretch(0, 0, None, None, mask, is_whole=True),))


# -- what an act does ----------------------------------------------------------------------------------------------------

MASKS = st.integers(0, ALL_PRIVILEGES)
KEYS = st.lists(MASKS, min_size=1, max_size=5)
STEPS = st.lists(st.tuples(st.integers(1, 5), st.sampled_from([None, *PRIVILEGES]), st.booleans()), max_size=8)


def staged_by(keys: Sequence[Authkey], steps: Steps) -> StagedChanges:
    """What is staged after some ticks."""
    staged = StagedChanges()
    for number, privilege, granted in steps:
        if number > len(keys) or (privilege and staged[number].removal):
            continue
        if privilege is None:
            staged.stage_removal([keys[number - 1]])
        else:
            staged.stage(keys[number - 1], privilege, granted)
    return staged


def box_by_box(keys: Sequence[Authkey], staged: StagedChanges, masks: Sequence[int], act: Act) -> None:
    """The same, as somebody would do it who has no selection."""
    selected = [(key, mask) for key, mask in zip(keys, masks, strict=True)]
    shown = {key.id: staged[key.id].applied_to(key.privileges) for key, _ in selected}
    if act is Act.REMOVE:
        marked = [staged[key.id].removal for key, _ in selected]
        for key, _ in selected:
            staged.take_back([key.id]) if all(marked) else staged.stage_removal([key])
        return
    boxes = [
        (key, each)
        for (key, mask), each in product(selected, PRIVILEGES)
        if mask & each.mask and not staged[key.id].removal
    ]
    all_granted = all(shown[key.id] & each.mask for key, each in boxes)
    for key, each in boxes:
        wanted = {
            Act.GRANT: True,
            Act.REVOKE: False,
            Act.TOGGLE: not all_granted,
            Act.FILL: bool(shown[keys[0].id] & each.mask),
        }[act]
        staged.stage(key, each, wanted)


@given(KEYS, STEPS, st.lists(MASKS, min_size=5, max_size=5), st.sampled_from(Act))
def test_an_act_on_a_selection_is_what_each_box_alone_would_be(
    privileges: list[int], steps: Steps, masks: list[int], act: Act
) -> None:
    keys = [Authkey(number, f"192.0.2.{number}", "billing", each, 1) for number, each in enumerate(privileges, 1)]
    at_once, one_by_one = staged_by(keys, steps), staged_by(keys, steps)
    before = dict(at_once.entries)
    selected = [Selected(key, at_once[key.id], mask) for key, mask in zip(keys, masks, strict=False)]
    at_once.stage_wanted(decide_act(act, selected))
    box_by_box(keys, one_by_one, masks[: len(keys)], act)
    assert dict(at_once.entries) == dict(one_by_one.entries)
    if dict(at_once.entries) != before:
        at_once.undo()
        assert dict(at_once.entries) == before, "it is one step"


@given(KEYS, STEPS, st.lists(MASKS, min_size=5, max_size=5))
def test_a_tally_counts_each_box(privileges: list[int], steps: Steps, masks: list[int]) -> None:
    keys = [Authkey(number, f"192.0.2.{number}", "billing", each, 1) for number, each in enumerate(privileges, 1)]
    staged = staged_by(keys, steps)
    found = tally(Selected(key, staged[key.id], mask) for key, mask in zip(keys, masks, strict=False))
    alive = [(key, mask) for key, mask in zip(keys, masks, strict=False) if not staged[key.id].removal]
    assert found.row_count == len(keys)
    assert found.removal_count == len(keys) - len(alive)
    for place, each in enumerate(PRIVILEGES):
        mine = [key for key, mask in alive if mask & each.mask]
        assert found.boxes[place] == len(mine)
        assert found.granted[place] == sum(bool(staged[k.id].applied_to(k.privileges) & each.mask) for k in mine)


def test_nothing_is_done_to_nothing() -> None:
    for act in Act:
        assert not StagedChanges().stage_wanted(decide_act(act, []))


# -- which rows it means -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "view", [View(), View(descending=True), View(sort="service"), View(sort="search"), View(has=SEARCH.mask)]
)
async def test_a_selection_means_the_rows_that_the_view_shows_from_one_corner_to_the_other(
    console: Console, view: View
) -> None:
    rows = await add_keys(
        console, *new_keys(30, SEARCH.mask), *(each._replace(service="mail", privileges=0) for each in new_keys(20))
    )
    shown = await console.authkeys.block(view, console.admin.id, 0, 60)
    found = await rows_of(console.staging, console.admin.id, view, selection(3, 12, ids=(shown[3].id, shown[12].id)))
    assert list(found) == [row.id for row in shown[3:13]]
    assert len(rows) == 50


async def test_what_lies_in_two_stretches_is_meant_with_the_boxes_of_both(console: Console) -> None:
    rows = await add_keys(console, *new_keys(4))
    ids = [row.id for row in rows]
    both = Selection((Stretch(0, 2, ids[0], ids[2], SEARCH.mask), Stretch(2, 3, ids[2], ids[3], ADD.mask)))
    await act_on(console.staging, console.admin.id, View(), both, Act.GRANT)
    staged = await console.staging.of(console.admin.id)
    assert [staged[row.id].grants for row in rows] == [SEARCH.mask, SEARCH.mask, SEARCH.mask | ADD.mask, ADD.mask]


async def test_the_whole_view_means_all_that_match_and_is_undone_at_once(console: Console) -> None:
    await add_keys(console, *new_keys(450, ADD.mask))
    found = await act_on(
        console.staging, console.admin.id, View(search="10.0.0.0/24"), whole(SEARCH.mask | ADD.mask), Act.GRANT
    )
    assert (found.touched, found.before.box_count, found.before.granted_count) == (256, 512, 256)
    await console.staging.undo(console.admin.id)
    assert not len(await console.staging.of(console.admin.id))


async def test_a_fill_of_a_whole_view_takes_the_boxes_of_the_row_that_stands_first(console: Console) -> None:
    rows = await add_keys(console, *new_keys(3))
    await console.staging.stage(console.admin.id, rows[2].id, SEARCH, True)
    await act_on(console.staging, console.admin.id, View(descending=True), whole(SEARCH.mask | MODIFY.mask), Act.FILL)
    staged = await console.staging.of(console.admin.id)
    assert [staged[row.id].grants for row in rows] == [SEARCH.mask] * 3


@pytest.mark.parametrize("ids", [(None, None), (None, 2), (2, None)])
async def test_nothing_is_done_to_rows_of_which_a_corner_was_never_seen(
    console: Console, ids: tuple[int | None, int | None]
) -> None:
    await add_keys(console, *new_keys(5))
    with pytest.raises(SelectionMoved, match="Not all of the selection has come yet"):
        await act_on(console.staging, console.admin.id, View(), selection(1, 1, ids=ids), Act.REMOVE)
    assert (await tally_of(console.staging, console.admin.id, View(), selection(1, 3))).row_count == 3, "but counted"


@pytest.mark.parametrize("seen", [(1, 10**9), (10**9, 4)])
async def test_if_other_rows_stand_at_its_corners_nothing_is_done(
    console: Console, seen: tuple[int | None, int | None]
) -> None:
    await add_keys(console, *new_keys(5))
    with pytest.raises(SelectionMoved, match="nothing was done"):
        await act_on(console.staging, console.admin.id, View(), selection(1, 3, ids=seen), Act.GRANT)
    assert not len(await console.staging.of(console.admin.id))


async def test_a_selection_is_found_again_where_its_corners_stand_now(console: Console) -> None:
    rows = await add_keys(console, *new_keys(9)[4:])
    meant = selection(1, 3, ids=(rows[1].id, rows[3].id))
    await add_keys(console, *new_keys(4))
    assert list(await rows_of(console.staging, console.admin.id, View(), meant)) == [row.id for row in rows[1:4]]


async def test_a_corner_that_is_gone_is_told(console: Console) -> None:
    rows = await add_keys(console, *new_keys(3))
    await submit(console, Removal(rows[2].id, 10**6))
    with pytest.raises(SelectionMoved):
        await tally_of(console.staging, console.admin.id, View(), selection(0, 2, ids=(rows[0].id, rows[2].id)))


@pytest.mark.parametrize("sort", ["ip", "service", "search", "addlicense"])
@pytest.mark.parametrize("descending", [False, True])
async def test_the_place_of_a_row_is_where_its_block_shows_it(console: Console, sort: str, descending: bool) -> None:
    await add_keys(
        console,
        *(each._replace(service=f"s{number % 7}", privileges=number) for number, each in enumerate(new_keys(40))),
    )
    view = View(sort=sort, descending=descending, lacks=MODIFY.mask)
    shown = await console.authkeys.block(view, console.admin.id, 0, 100)
    places = [await console.authkeys.place(view, console.admin.id, row.id) for row in shown]
    assert places == list(range(len(shown)))
    assert await console.authkeys.place(view, console.admin.id, 10**6) is None


async def test_a_copied_table_is_no_formula_and_comes_back_as_it_was(console: Console) -> None:
    names = ["=cmd()", "+1", "'x", "#REF!", "a\tb".replace("\t", " "), 'say "hi"']
    await add_keys(console, *(each._replace(service=name) for each, name in zip(new_keys(6), names, strict=True)))
    everything = Selection(
        (Stretch(0, 0, None, None, ALL_PRIVILEGES, is_whole=True),), ("ip", "service", "search", "remove")
    )
    text = await text_of(console.staging, console.admin.id, View(), everything)
    assert [line.split("\t")[1][:1] for line in text.splitlines()[1:5]] == ["'"] * 4
    assert [row.service for row in read_named(read_cells(text)).rows] == names


def test_an_entry_that_is_not_there_shows_what_is_stored() -> None:
    assert Selected(Authkey(1, "192.0.2.1", "billing", 5, 1), NOTHING, 0).shown == 5
