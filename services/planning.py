"""Plans of what pasted or imported lines would stage: made from the rows as they are now, and staged as they were shown."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from models.errors import InvalidValue, PlanOutdated
from models.key_lines import Parsed
from models.pasted import Pasted, ReadLines, read_block, read_cells, read_named, read_value
from models.privileges import ALL_PRIVILEGES, Privilege
from models.selections import Selection
from models.staging_plans import PlanLine, PlanPart, PresentRows, StagingPlan, WantedRow, decide_lines, wanted_of
from models.subjects import Row, Subject
from models.views import GridView
from models.wording import several
from services.imports import read_lines
from services.selecting import rows_of
from services.staging import Staging
from storage import authkeys, secrets


async def plan_file(staging: Staging[Any], admin_id: int, path: Path, name: str) -> StagingPlan:
    """What a CSV file would stage: each line the boxes of its key, exactly. Raises ImportRefused for what is no such file."""
    parsed: Parsed = await asyncio.to_thread(read_lines, path, name)
    wanted = [
        WantedRow(
            number,
            each.ip,
            each.service,
            each.privileges,
            ALL_PRIVILEGES & ~each.privileges,
            texts=each.texts,
            secret=each.secret,
        )
        for number, each in zip(parsed.numbers, parsed.assignments, strict=True)
    ]
    return await _plan(staging, admin_id, wanted, parsed.problems, parsed.problem_count)


async def plan_paste(
    staging: Staging[Any],
    admin_id: int,
    text: str,
    view: GridView,
    selection: Selection,
    at: tuple[int, Sequence[Privilege]],
) -> StagingPlan:
    """What a pasted text would stage: rows by their names, one value for all that is selected, or a block from a cell on.

    `at` is the place of that cell's row in the view, and the columns of boxes from it on. Raises InvalidValue for what is neither.
    """
    pasted = await asyncio.to_thread(read_cells, text)
    if pasted.has_names:
        if staging.subject is not Subject.AUTHKEY:
            raise InvalidValue("Rows with an IP and a service are of authorization keys; paste them there.")
        read = await asyncio.to_thread(read_named, pasted)
    elif pasted.is_single and selection.stretches:
        read = await _one_value(staging, admin_id, pasted, view, selection)
    else:
        read = await _block(staging, admin_id, pasted, view, at)
    remarks = [f"Left as before: {several(read.empty_cells, 'empty cell')}."] if read.empty_cells else []
    return await _plan(staging, admin_id, read.rows, read.problems, read.problem_count, remarks)


async def _one_value(
    staging: Staging[Any], admin_id: int, pasted: Pasted, view: GridView, selection: Selection
) -> ReadLines:
    value = read_value(pasted.lines[0][1][0])
    if value is None:
        raise InvalidValue("An empty cell was pasted: it says neither yes nor no.")
    rows = await rows_of(staging, admin_id, view, selection)
    wanted = [
        WantedRow(1, row.ip, row.service, mask if value else 0, 0 if value else mask, row.id)
        for row, mask in rows.values()
    ]
    return ReadLines(wanted, [], 0, 0)


async def _block(
    staging: Staging[Any], admin_id: int, pasted: Pasted, view: GridView, at: tuple[int, Sequence[Privilege]]
) -> ReadLines:
    first, columns = at
    pasted = pasted.without_heading
    if not columns:
        raise InvalidValue(
            "What was pasted has no IP and service in its first two columns, and no box is where it was pasted. "
            "Paste it onto a box, or with ip and service before the privileges."
        )
    rows = await staging.shown.stretch(view, admin_id, first, first + len(pasted.lines))
    there = [(row.id, row.ip, row.service) for row in rows]
    return await asyncio.to_thread(read_block, pasted, there, columns)


async def _plan(
    staging: Staging[Any],
    admin_id: int,
    wanted: Sequence[WantedRow],
    problems: Sequence[str],
    problem_count: int,
    remarks: Sequence[str] = (),
) -> StagingPlan:
    pointed = await staging.shown.find(admin_id, [each.row_id for each in wanted if each.row_id is not None])
    named = await _named(staging, admin_id, [(each.ip, each.service) for each in wanted if each.row_id is None])
    staged = await staging.of(admin_id)
    owners = await secrets.owners([each.secret.digest for each in wanted if each.secret])
    lines = await asyncio.to_thread(decide_lines, wanted, PresentRows(pointed, named, owners), staged)
    return StagingPlan(lines, problems, problem_count, remarks)


async def _named(
    staging: Staging[Any], admin_id: int, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Row]:
    """The rows that have these names; authkeys that shall be made among them."""
    if not names:
        return {}
    additions = (await staging.of(admin_id)).additions
    ids = [*(await authkeys.named(names)).values(), *(additions[name] for name in names if name in additions)]
    return {(row.ip, row.service): row for row in (await staging.shown.find(admin_id, ids)).values()}


async def decide_again(staging: Staging[Any], admin_id: int, plan: StagingPlan) -> StagingPlan:
    """The same lines, decided on the rows as they are now."""
    wanted = [line.wanted for line in plan.lines]
    return await _plan(staging, admin_id, wanted, plan.problems, plan.problem_count, plan.remarks)


async def stage_plan(
    staging: Staging[Any], admin_id: int, plan: StagingPlan, parts: Collection[PlanPart], *, issues: bool = False
) -> int:
    """Stage the chosen parts of a plan, exactly as it was shown, in one step; returns for how many rows.

    Raises PlanOutdated if a line would stage something else by now; then nothing is staged.
    """
    now = await decide_again(staging, admin_id, plan)
    if different := _different(plan.lines, now.lines):
        raise PlanOutdated(
            f"{different:,} of these lines would do something else by now, because somebody changed their keys. "
            "Nothing was staged; the plan shows what they would do now."
        )
    wanted = await asyncio.to_thread(lambda: wanted_of(now.lines, parts, issues=issues))
    return len(await staging.stage_wanted(admin_id, wanted))


def _different(shown: Iterable[PlanLine], now: Iterable[PlanLine]) -> int:
    return sum(one.effect != other.effect for one, other in zip(shown, now, strict=True))
