"""Plans of pastes and files: what is shown is what is staged, whatever others do meanwhile; and exports come back as nothing to do."""

import asyncio
import csv
import random
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.accounts import AdminIdentity
from models.amendments import TextName
from models.errors import ImportRefused, InvalidValue, PlanOutdated
from models.exports import TABLE_COLUMNS, ExportFormat
from models.privileges import ALL_PRIVILEGES
from models.selections import Selection, Stretch
from models.staging_plans import LineOutcome, PlanPart, StagingPlan
from models.submissions import Assignment, CellChange, NewAuthkey, Removal
from models.views import PassphraseView, View
from services.console import Console
from services.imports import HEADER
from services.planning import decide_again, plan_file, plan_paste, stage_plan
from tests.program import write_csv
from tests.support import ADD, MODIFY, SEARCH, add_keys, all_keys, an_admin, new_keys, submit

EVERYTHING = set(PlanPart)
NOTHING_SELECTED = Selection(())


async def pasted(console: Console, text: str, selection: Selection = NOTHING_SELECTED, row: int = 0) -> StagingPlan:
    return await plan_paste(console.staging, console.admin.id, text, View(), selection, (row, [ADD, SEARCH]))


async def imported(console: Console, file: Path, admin: AdminIdentity | None = None) -> StagingPlan:
    return await plan_file(console.staging, (admin or console.admin).id, file, file.name)


def outcomes(plan: StagingPlan) -> list[LineOutcome]:
    return [line.outcome for line in plan.lines]


# -- what a plan says, and what it stages --------------------------------------------------------------------------------


async def test_each_line_of_a_file_is_new_changed_or_already_so(console: Console, tmp_path: Path) -> None:
    one, two = await add_keys(console, *new_keys(2, SEARCH.mask))
    file = write_csv(tmp_path / "keys.csv", [*new_keys(1, ADD.mask), *new_keys(3, SEARCH.mask)[1:]])
    plan = await imported(console, file)
    assert outcomes(plan) == [LineOutcome.CHANGED, LineOutcome.ALREADY, LineOutcome.NEW]
    assert (plan.lines[0].grants, plan.lines[0].revocations) == (ADD.mask, SEARCH.mask)
    assert dict(plan.totals) == {PlanPart.NEW: 1, PlanPart.GRANTS: 1, PlanPart.REVOCATIONS: 1}
    assert [line.wanted.line for line in plan.lines] == [2, 3, 4]
    assert not len(await console.staging.of(console.admin.id)), "a plan stages nothing"
    assert await stage_plan(console.staging, console.admin.id, plan, EVERYTHING) == 2
    await console.staging.submit(console.admin, uuid.uuid4())
    keys = {key.ip: key.privileges for key in (await all_keys()).values()}
    assert keys == {one.ip: ADD.mask, two.ip: SEARCH.mask, "10.0.0.2": SEARCH.mask}


@pytest.mark.parametrize(
    ("part", "expected"),
    [(PlanPart.NEW, (SEARCH.mask, 2)), (PlanPart.GRANTS, (SEARCH.mask | ADD.mask, 1)), (PlanPart.REVOCATIONS, (0, 1))],
)
async def test_a_part_of_a_plan_can_be_chosen(
    console: Console, tmp_path: Path, part: PlanPart, expected: tuple[int, int]
) -> None:
    (one,) = await add_keys(console, *new_keys(1, SEARCH.mask))
    plan = await imported(console, write_csv(tmp_path / "keys.csv", new_keys(2, ADD.mask)))
    await stage_plan(console.staging, console.admin.id, plan, {part})
    await console.staging.submit(console.admin, uuid.uuid4())
    keys = await all_keys()
    assert (keys[one.id].privileges, len(keys)) == expected


async def test_new_keys_of_a_plan_get_secrets_on_demand(console: Console, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "keys.csv", new_keys(3))
    await stage_plan(console.staging, console.admin.id, await imported(console, file), EVERYTHING, issues=True)
    name = uuid.uuid4()
    await console.staging.submit(console.admin, name)
    assert len(console.staging.take_issued(name)) == 3
    assert all(key.secret_hint for key in (await all_keys()).values())


async def test_a_plan_is_about_what_is_staged_already_too(console: Console, tmp_path: Path) -> None:
    one, two, three = await add_keys(console, *new_keys(3))
    await console.staging.stage(console.admin.id, one.id, SEARCH, True)
    await console.staging.stage_removal(console.admin.id, two.id)
    await console.staging.stage_addition(console.admin.id, "10.0.0.3", "billing", SEARCH.mask)
    plan = await imported(console, write_csv(tmp_path / "keys.csv", new_keys(4, SEARCH.mask)))
    assert outcomes(plan) == [LineOutcome.ALREADY, LineOutcome.REMOVAL, LineOutcome.CHANGED, LineOutcome.ALREADY]
    await stage_plan(console.staging, console.admin.id, plan, EVERYTHING)
    staged = await console.staging.of(console.admin.id)
    assert (staged[three.id].grants, staged[two.id].removal, staged.addition_count) == (SEARCH.mask, True, 1)


async def test_a_block_is_laid_onto_the_rows_of_the_view_and_nothing_beside_it(console: Console) -> None:
    rows = await add_keys(console, *new_keys(4, MODIFY.mask))
    plan = await pasted(console, "1\t0\n\t1\n", row=1)
    await stage_plan(console.staging, console.admin.id, plan, EVERYTHING)
    staged = await console.staging.of(console.admin.id)
    assert {id_: (each.grants, each.revocations) for id_, each in staged.entries.items()} == {
        rows[1].id: (ADD.mask, 0),
        rows[2].id: (SEARCH.mask, 0),
    }
    assert plan.remarks == ["Left as before: 1 empty cell."]


async def test_one_value_goes_into_every_selected_box(console: Console) -> None:
    rows = await add_keys(console, *new_keys(3))
    two = Selection((Stretch(0, 1, rows[0].id, rows[1].id, SEARCH.mask | MODIFY.mask),))
    await stage_plan(console.staging, console.admin.id, await pasted(console, "WAHR", two), EVERYTHING)
    staged = await console.staging.of(console.admin.id)
    assert [staged[row.id].grants for row in rows] == [SEARCH.mask | MODIFY.mask] * 2 + [0]
    with pytest.raises(InvalidValue, match="neither yes nor no"):
        await pasted(console, "perhaps", two)


async def test_rows_with_names_are_found_wherever_they_stand(console: Console) -> None:
    rows = await add_keys(console, *new_keys(2))
    plan = await pasted(console, "ip\tservice\tsearch\n10.0.0.1\tbilling\tx\n9.9.9.9\tnew\tx\n")
    assert outcomes(plan) == [LineOutcome.CHANGED, LineOutcome.NEW]
    await stage_plan(console.staging, console.admin.id, plan, EVERYTHING)
    assert (await console.staging.of(console.admin.id))[rows[1].id].grants == SEARCH.mask


async def test_a_block_is_pasted_onto_passphrases_too_and_rows_with_names_are_refused_there(console: Console) -> None:
    await console.passphrases.add(console.admin, "open sesame street", 0)
    view = PassphraseView.natural()
    staging, mine = console.passphrase_staging, console.admin.id
    plan = await plan_paste(staging, mine, "1", view, NOTHING_SELECTED, (0, [SEARCH]))
    await stage_plan(staging, mine, plan, EVERYTHING)
    assert (await staging.of(mine))[1].grants == SEARCH.mask
    with pytest.raises(InvalidValue, match="paste them there"):
        await plan_paste(staging, mine, "192.0.2.7\tbilling\t1", view, NOTHING_SELECTED, (0, [SEARCH]))


# -- what others do meanwhile --------------------------------------------------------------------------------------------


async def test_what_changed_since_a_plan_was_shown_is_told_and_nothing_is_staged(
    console: Console, tmp_path: Path
) -> None:
    one, two = await add_keys(console, *new_keys(2))
    dana = await an_admin("dana")
    plan = await imported(console, write_csv(tmp_path / "keys.csv", new_keys(3, SEARCH.mask)))
    await submit(
        console,
        CellChange(one.id, SEARCH.mask, 0),
        Removal(two.id, 10**6),
        NewAuthkey("10.0.0.2", "billing", 0),
        admin=dana,
    )
    with pytest.raises(PlanOutdated, match="3 of these lines would do something else by now"):
        await stage_plan(console.staging, console.admin.id, plan, EVERYTHING)
    assert not len(await console.staging.of(console.admin.id))
    now = await decide_again(console.staging, console.admin.id, plan)
    assert outcomes(now) == [LineOutcome.ALREADY, LineOutcome.NEW, LineOutcome.CHANGED]
    assert await stage_plan(console.staging, console.admin.id, now, EVERYTHING) == 2


MASKS = st.integers(0, ALL_PRIVILEGES)
LINES = st.dictionaries(st.integers(0, 7), MASKS, min_size=1)


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(before=LINES, wanted=LINES, meanwhile=st.none() | LINES, seed=st.randoms(use_true_random=False))
def test_what_a_plan_shows_is_what_its_submission_does(
    runner: asyncio.Runner, open_now: Console, tmp_path: Path, before: dict[int, int], wanted: dict[int, int],
    meanwhile: dict[int, int] | None, seed: random.Random,
) -> None:  # fmt: skip
    async def use() -> None:
        console = open_now
        await start_over(console, before)
        lines = list(named(wanted))
        seed.shuffle(lines)
        file = write_csv(tmp_path / "keys.csv", lines)
        plan = await imported(console, file)
        if meanwhile is not None:
            await submit(console, *named(meanwhile))
        there = await stored(console)
        again = await decide_again(console.staging, console.admin.id, plan)
        same = [line.effect for line in plan.lines] == [line.effect for line in again.lines]
        try:
            await stage_plan(console.staging, console.admin.id, plan, EVERYTHING)
        except PlanOutdated:
            assert not same
            assert not len(await console.staging.of(console.admin.id))
            return
        assert same
        await console.staging.submit(console.admin, uuid.uuid4())
        assert await stored(console) == there | {(each.ip, each.service): each.privileges for each in lines}

    runner.run(use())


def named(keys: dict[int, int]) -> list[Assignment]:
    return [new_keys(8)[number]._replace(privileges=mask) for number, mask in keys.items()]


async def stored(console: Console) -> dict[tuple[str, str], int]:
    rows = await console.authkeys.matching(View(), console.admin.id)
    return {(row.ip, row.service): row.privileges for row in rows}


async def start_over(console: Console, keys: dict[int, int]) -> None:
    await console.staging.discard(console.admin.id)
    there = await console.authkeys.matching(View(), console.admin.id)
    await submit(console, *(Removal(row.id, 10**9) for row in there))
    await submit(console, *named(keys))


# -- round trip ----------------------------------------------------------------------------------------------------------

OWNER, NOTE = TextName.OWNER, TextName.NOTE
ODD = [
    "=cmd()",
    "+1",
    "-x",
    "@sum",
    "'quoted",
    'say "hi"',
    "a,b;c",
    "Ünïcode 服务",
    "<img src=x>",
    "TRUE",
    "1e5",
    "#REF",
]


async def test_what_is_exported_imports_again_to_no_change(console: Console, tmp_path: Path) -> None:
    random_ = random.Random(7)
    keys = [
        each._replace(
            service=f"{ODD[n % len(ODD)]} {n // len(ODD) or ''}".strip(),
            privileges=random_.randrange(512),
            texts=((NOTE, ODD[n % 7].strip()), (OWNER, "=1+1")) if n % 3 == 0 else (),
        )
        for n, each in enumerate(new_keys(500))
    ]
    await submit(console, *keys)
    file = tmp_path / "export.csv"
    pieces = await console.exports.of_table(View(), ExportFormat.CSV, console.admin)
    file.write_text("".join([piece async for piece in pieces]), newline="")
    plan = await imported(console, file)
    assert (set(outcomes(plan)), plan.problem_count, len(plan.lines)) == ({LineOutcome.ALREADY}, 0, 500)
    changed = random_.sample(range(500), 20)
    with file.open(newline="") as opened:
        header, *body = csv.reader(opened)
    for place in changed:
        body[place][10] = str(1 - int(body[place][10]))
    random_.shuffle(body)
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([header, *body])
    plan = await imported(console, file)
    assert sum(plan.totals.values()) == 20
    assert plan.count(LineOutcome.CHANGED) == 20


async def test_an_export_of_what_is_staged_or_unused_holds_these_rows_only(console: Console) -> None:
    rows = await add_keys(console, *new_keys(5))
    await console.staging.stage(console.admin.id, rows[3].id, SEARCH, True)
    pieces = await console.exports.of_table(View(staged_only=True), ExportFormat.CSV, console.admin)
    lines = "".join([piece async for piece in pieces]).splitlines()
    assert lines == [",".join(TABLE_COLUMNS), f"{rows[3].ip},billing{',0' * 9},,"]


# -- bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it must begin with the line ip,service"),
        (b"one line", "it must begin with the line ip,service"),
        (bytes(range(256)) * 100, "cannot be imported"),
        (b"PK\x03\x04rest", "a spreadsheet's own file"),
        (b"x" * 200_000, "more than 100,000 characters"),
    ],
    ids=["empty", "one line", "binary", "xlsx", "one very long line"],
)
async def test_what_is_no_csv_file_is_refused_in_words(
    console: Console, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "upload"
    file.write_bytes(content)
    with pytest.raises(ImportRefused, match=said) as refused:
        await plan_file(console.staging, console.admin.id, file, "my keys.csv")
    assert str(refused.value).startswith("my keys.csv ")


async def test_of_a_file_with_bad_lines_the_good_ones_can_be_staged(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "keys.csv"
    file.write_text(f"{','.join(HEADER)}\n10.0.0.1,a{',1' * 9}\n10.0.0.2,b,maybe{',1' * 8}\nx{',1' * 10}\n")
    plan = await imported(console, file)
    assert (plan.problem_count, outcomes(plan)) == (2, [LineOutcome.NEW])
    assert [problem[:6] for problem in plan.problems] == ["line 3", "line 4"]
    assert await stage_plan(console.staging, console.admin.id, plan, EVERYTHING) == 1


async def test_an_upload_is_read_once_by_its_admin_and_a_large_one_is_refused(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def parts(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 1_000

    token = await console.uploads.put(7, parts(3))
    with pytest.raises(InvalidValue, match="no longer there"):
        console.uploads.take(8, token)
    path = console.uploads.take(7, token)
    assert path.stat().st_size == 3_000
    with pytest.raises(InvalidValue, match="no longer there"):
        console.uploads.take(7, token)
    monkeypatch.setattr("services.uploads.MAX_BYTES", 2_500)
    path.unlink()
    with pytest.raises(InvalidValue, match="more than 2,500 bytes"):
        await console.uploads.put(7, parts(3))
    assert not list(path.parent.iterdir()), "nothing of it is kept"
