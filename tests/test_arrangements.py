"""How an admin's grid is arranged: what a browser may claim of it, how it is remembered, and what of the staged changes it hides."""

import json
from typing import Any

import pytest

from models.accounts import Role
from models.arrangements import Arrangement, ColumnPlace, Density, from_text, natural, parse_layout, to_text
from models.errors import InvalidValue
from models.privileges import ALL_PRIVILEGES
from models.subjects import Subject
from models.views import View
from services.arrangements import arrangement_of, keep_arrangement
from services.console import Console
from storage.database import DatabaseLocation
from tests.other_process import OtherProcess
from tests.support import ADD, MODIFY, SEARCH, add_keys, an_admin, came_in, new_keys

GRID = natural(("ip", "service", "addlicense", "search"))


def ids(arrangement: Arrangement) -> list[str]:
    return [each.id for each in arrangement.columns]


# -- what is decided -----------------------------------------------------------------------------------------------------


def test_a_column_moves_between_the_first_one_and_the_end() -> None:
    assert ids(GRID.moved("search", -1)) == ["ip", "service", "search", "addlicense"]
    assert ids(GRID.moved("search", -9)) == ["ip", "search", "service", "addlicense"]
    assert ids(GRID.moved("service", 9)) == ["ip", "addlicense", "search", "service"]
    assert GRID.moved("ip", 1) == GRID.moved("drop", 1) == GRID


def test_what_says_which_row_it_is_cannot_be_hidden() -> None:
    assert GRID.with_shown("ip", False) == GRID
    hidden = GRID.with_shown("search", False)
    assert (hidden.hidden_privileges, hidden.shown_privileges) == (SEARCH.mask, ALL_PRIVILEGES & ~SEARCH.mask)
    assert hidden.with_privileges_shown(ADD.mask) == hidden
    assert hidden.with_privileges_shown(SEARCH.mask) == GRID


def claimed(*columns: tuple[Any, Any]) -> dict[str, Any]:
    return {"columns": [{"id": id_, "width": width} for id_, width in columns]}


def test_order_and_widths_are_taken_from_the_browser_and_nothing_else() -> None:
    hidden = GRID.with_shown("search", False)
    claim = claimed(("ip", 176), ("search", None), ("service", 240), ("addlicense", 40))
    claim["columns"][1] |= {"hide": False, "shown": True}
    found = parse_layout(claim, hidden)
    assert found.columns == (
        ColumnPlace("ip", 176), ColumnPlace("search", None, is_shown=False), ColumnPlace("service", 240),
        ColumnPlace("addlicense", 40),
    )  # fmt: skip


REST = (("service", None), ("addlicense", None), ("search", None))


@pytest.mark.parametrize(
    "claim",
    [
        None, "x", [], {}, {"columns": None}, {"columns": [{}] * 4}, {"columns": list(range(100_000))},
        claimed(*REST),
        claimed(("ip", None), *REST, ("search", None)),
        claimed(("ip", None), *REST[:2], ("service", None)),
        claimed(("ip", None), *REST[:2], ("remove", None)),
        claimed(REST[0], ("ip", None), *REST[1:]),
        claimed((None, None), *REST), claimed((["ip"], None), *REST),
        *(claimed(("ip", width), *REST) for width in (39, 801, 0, -1, True, 100.5, "100", 10**30, [100])),
    ],
)  # fmt: skip
def test_a_forged_arrangement_is_refused(claim: object) -> None:
    with pytest.raises(InvalidValue, match="cannot be arranged like that"):
        parse_layout(claim, GRID)


def test_what_is_stored_is_read_again() -> None:
    arranged = parse_layout(claimed(("ip", 200), *REST), GRID).moved("search", -1).with_shown("service", False)
    compact = arranged._replace(density=Density.COMPACT)
    assert from_text(to_text(compact), GRID) == compact


def test_columns_of_another_release_are_left_out_and_new_ones_stand_where_they_naturally_do() -> None:
    text = to_text(GRID.moved("search", -9).with_shown("addlicense", False))
    later = natural(("ip", "owner", "service", "addlicense", "modlisc", "search"))
    found = from_text(text, later)
    assert ids(found) == ["ip", "owner", "search", "service", "addlicense", "modlisc"]
    assert found.hidden_privileges == ADD.mask
    assert from_text(to_text(later), GRID) == GRID
    renamed = natural(("address", "service", "addlicense", "search"))
    assert ids(from_text(text, renamed)) == ["address", "search", "service", "addlicense"]


def test_a_hidden_first_column_that_somebody_wrote_into_the_database_is_shown() -> None:
    text = json.dumps({"columns": [["ip", None, False], ["service", None, True]], "density": "compact"})
    assert from_text(text, GRID).columns[0].is_shown


# -- what is remembered --------------------------------------------------------------------------------------------------


async def test_each_admin_has_an_arrangement_for_each_grid_and_the_last_one_counts(console: Console) -> None:
    lee = await an_admin("lee")
    one, other = GRID.moved("search", -1), GRID.with_shown("search", False)
    for arrangement in (GRID, other, one):
        await keep_arrangement(console.admin, Subject.AUTHKEY, arrangement)
    await keep_arrangement(lee._replace(role=Role.AUDITOR), Subject.AUTHKEY, other)
    assert await arrangement_of(console.admin, Subject.AUTHKEY, GRID) == one
    assert await arrangement_of(lee, Subject.AUTHKEY, GRID) == other
    assert await arrangement_of(console.admin, Subject.PASSPHRASE, GRID) == GRID


async def arrange(console: Console, text: str) -> None:
    await keep_arrangement(console.admin, Subject.AUTHKEY, from_text(text, GRID))


async def test_another_server_shows_the_same(console: Console, database: DatabaseLocation) -> None:
    arranged = GRID.with_shown("service", False)._replace(density=Density.COMPACT)
    other = OtherProcess(database, console.admin.name)
    try:
        await other.told()
        await other.do(arrange, to_text(arranged))
        await other.end()
    finally:
        other.kill()
    assert await arrangement_of(console.admin, Subject.AUTHKEY, GRID) == arranged


async def test_a_name_that_is_forgotten_takes_its_arrangement_along(console: Console) -> None:
    await console.admins.add("lee", "vexing-marble-otter", Role.ADMIN, "alice")
    lee = await an_admin("lee")
    await keep_arrangement(lee, Subject.AUTHKEY, GRID.with_shown("search", False))
    await came_in(console)
    await console.admins.erase_name("lee", "alice")
    assert await arrangement_of(lee, Subject.AUTHKEY, GRID) == GRID


# -- what it hides -------------------------------------------------------------------------------------------------------


async def test_what_is_staged_in_a_hidden_column_is_counted_as_not_in_view(console: Console) -> None:
    one, two, three = await add_keys(console, *new_keys(3, MODIFY.mask))
    mine, staging = console.admin.id, console.staging
    await staging.stage(mine, one.id, SEARCH, True)
    await staging.stage(mine, one.id, MODIFY, False)
    await staging.stage(mine, two.id, MODIFY, False)
    await staging.stage_removal(mine, three.id)
    await staging.stage_addition(mine, "192.0.2.9", "new", SEARCH.mask)

    async def hidden(view: View, columns: int) -> int:
        return await staging.shown.hidden_changes(view, mine, shows_removed=False, hidden_columns=columns)

    everything = View()
    assert await hidden(everything, 0) == 0
    assert await hidden(everything, SEARCH.mask) == 2  # and a new key's, one change whatever it grants
    assert await hidden(everything, MODIFY.mask) == 2
    assert await hidden(everything, ALL_PRIVILEGES) == 4  # not the removal, whose column is always shown
    assert await hidden(View(search=one.ip), MODIFY.mask) == 2 + 1 + 1 - 1 + 1  # of other rows all
    assert await hidden(View(staged_only=True), MODIFY.mask) == 2
