"""The table as it was: at any moment what a replay of all submissions says, searched and sorted like today's."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from models.errors import InvalidValue
from models.privileges import PRIVILEGES
from models.submissions import CellChange, Kind, NewAuthkey, Removal, Restoration
from models.views import View, parse_view
from services.console import Console, open_console
from storage import past
from storage.database import DatabaseLocation
from tests.generated_history import BEGAN, Key, generate
from tests.support import ADD, SEARCH, add_keys, new_keys, submit

SUBMISSIONS, MOMENTS = 100_000, 200


async def as_of(console: Console, view: View) -> dict[int, Key]:
    rows = await past.rows(view, (await console.past.moment(view.as_of or 0)).revision, 0, 10_000)
    return {row.id: Key(row.ip, row.service, row.privileges) for row in rows}


@pytest.mark.timeout(900)
async def test_at_200_random_moments_of_100_000_random_submissions_it_is_what_a_replay_says(
    database: DatabaseLocation,
) -> None:
    chance = random.Random(11)
    moments = {0, SUBMISSIONS, *chance.sample(range(1, SUBMISSIONS), MOMENTS - 2)}
    async with open_console(database) as console:
        replayed = await generate(SUBMISSIONS, moments)
        for revision in moments:
            view = View(as_of=revision)
            expected = replayed[revision]
            assert await as_of(console, view) == expected
        some = sorted(moments)[50:150:10]
        for revision in some:
            await check_views(console, revision, replayed[revision], chance)
        for earlier, later in pairwise(some):
            assert await differences(earlier, later) == difference_of(replayed[earlier], replayed[later])


async def check_views(console: Console, revision: int, expected: dict[int, Key], chance: random.Random) -> None:
    """Filters, search, both orders and blocks, as of one moment."""
    assert await console.authkeys.count(View(as_of=revision), 1) == len(expected)
    privilege = chance.choice(PRIVILEGES)
    has = View(as_of=revision, has=privilege.mask)
    assert await as_of(console, has) == {i: key for i, key in expected.items() if key.privileges & privilege.mask}
    network = View(as_of=revision, search="10.0.1.0/24")
    inside = {i: key for i, key in expected.items() if key.ip.startswith("10.0.1.")}
    assert await as_of(console, network) == inside
    assert await console.authkeys.count(network, 1) == len(inside)
    by_privilege = View(as_of=revision, sort=privilege.id)
    rows = [
        row
        for start in range(0, len(expected), 50)
        for row in await console.authkeys.block(by_privilege, 1, start, start + 50)
    ]
    assert {row.id for row in rows} == expected.keys()
    having = [bool(row.privileges & privilege.mask) for row in rows]
    assert having == sorted(having, reverse=True)


async def differences(earlier: int, later: int) -> dict[int, tuple[int | None, int | None]]:
    found = await past.differences(earlier, later)
    return {
        each.row_id: (
            None if each.kind is Kind.ADDED else each.before,
            None if each.kind is Kind.REMOVED else each.after,
        )
        for each in found
    }


def difference_of(one: dict[int, Key], other: dict[int, Key]) -> dict[int, tuple[int | None, int | None]]:
    before = {id_: key.privileges for id_, key in one.items()}
    after = {id_: key.privileges for id_, key in other.items()}
    ids = before.keys() | after.keys()
    return {id_: (before.get(id_), after.get(id_)) for id_ in ids if before.get(id_) != after.get(id_)}


async def test_a_key_that_is_gone_for_good_is_in_the_table_as_it_was(console: Console) -> None:
    key, other = await add_keys(console, *new_keys(2, SEARCH.mask))
    there = (await submit(console, CellChange(key.id, ADD.mask, 0))).revision
    await submit(console, Removal(key.id, 1_000))
    await console.submissions.purge_removed(datetime.now(UTC) + timedelta(days=40))
    rows = await as_of(console, View(as_of=there))
    assert rows[key.id] == Key(key.ip, key.service, ADD.mask | SEARCH.mask)
    assert list(await as_of(console, View(as_of=there, search=key.ip))) == [key.id]
    assert list(await as_of(console, View(as_of=there + 1))) == [other.id]


async def test_what_is_submitted_while_one_looks_changes_nothing_of_the_past(console: Console) -> None:
    key, other = await add_keys(console, *new_keys(2, SEARCH.mask))
    view = View(as_of=1)
    before = await as_of(console, view)
    await submit(console, CellChange(key.id, 0, SEARCH.mask), Removal(other.id, 1_000))
    assert await as_of(console, view) == before
    await submit(console, Restoration(other.id))
    assert await as_of(console, view) == before
    assert await console.authkeys.count(view, 1) == 2


async def test_a_time_names_the_submission_that_was_the_newest_then(console: Console) -> None:
    await generate(10, set())
    at = BEGAN + timedelta(minutes=4, seconds=30)
    assert (await console.past.moment(at)).revision == 4
    assert parse_view({"as_of": f"{at:%Y-%m-%dT%H:%M:%SZ}"}).as_of == at
    assert parse_view({"as_of": "#4"}).as_of == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2025-11-01T00:00:30Z", "The record begins at 2025-11-01 00:01 UTC"),
        ("2999-01-01", "has not come yet"),
        ("11", "There is no entry #11 on record; those that there are, are #1 to #10"),
        ("2025-02-30", "is no time; write it as in 2026-11-20 14:30"),
        ("yesterday", "is no time"),
        ("0001-01-01", "is a time of which nothing can be on record"),
        ("-1", "is no time"),
    ],
)
async def test_a_moment_that_cannot_be_is_refused_in_words(console: Console, text: str, said: str) -> None:
    await generate(10, set())
    with pytest.raises(InvalidValue, match=said):
        await console.past.moment(parse_view({"as_of": text}).as_of)


async def test_before_anything_is_on_record_there_is_no_past(console: Console) -> None:
    with pytest.raises(InvalidValue, match="Nothing is on record yet"):
        await console.past.moment(0)


async def test_the_filters_that_know_only_today_are_refused(console: Console) -> None:
    await submit(console, NewAuthkey("192.0.2.7", "billing", 0))
    with pytest.raises(InvalidValue, match="known of today only"):
        parse_view({"as_of": "1", "staged": "1"})
