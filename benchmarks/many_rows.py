"""Many rows in one hand: a selection of 100,000 rows staged and undone, an import planned, and what 50,000 removals would have refused.

    uv run benchmarks/many_rows.py

Each figure stands beside that of a tenth of the rows: in one run the ratio says how it grows, whatever the machine does.
"""

import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from datetime import UTC, datetime

from models.privileges import ALL_PRIVILEGES
from models.selections import Act, Selection, Stretch
from models.staging_plans import PlanPart
from models.submissions import (
    Assignment,
    Source,
)
from models.views import View
from services.console import Console, open_console
from services.planning import plan_file, stage_plan
from services.selecting import act_on, tally_of
from services.submissions import Order
from storage import uses
from storage.database import DatabaseLocation
from tests.program import write_csv

SIZES = (10_000, 100_000)


def keys(count: int) -> list[Assignment]:
    """So many, without privileges."""
    return [Assignment(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "billing", 0) for n in range(count)]


async def took(what: Callable[[], Awaitable[Any]]) -> float:
    """Seconds."""
    began = time.perf_counter()
    await what()
    return time.perf_counter() - began


async def measure(console: Console, count: int, folder: Path) -> dict[str, float]:
    """Seconds of each act, for so many rows."""
    mine, staging = console.admin.id, console.staging
    everything = Selection((Stretch(0, 0, None, None, ALL_PRIVILEGES, is_whole=True),))
    view = View(search="10.0.0.0/8")
    result = {
        "tally of all boxes": await took(lambda: tally_of(staging, mine, view, everything)),
        "all boxes staged": await took(lambda: act_on(staging, mine, view, everything, Act.GRANT)),
        "undone": await took(lambda: staging.undo(mine)),
        "all marked for removal": await took(lambda: act_on(staging, mine, view, everything, Act.REMOVE)),
        "calls that these would have refused": await took(lambda: console.uses.lost_calls(mine)),
    }
    await staging.discard(mine)
    file = write_csv(folder / "plan.csv", [each._replace(privileges=ALL_PRIVILEGES) for each in keys(count)])
    plan = None

    async def make() -> None:
        nonlocal plan
        plan = await plan_file(staging, mine, file, file.name)

    result["import planned"] = await took(make)
    assert plan is not None
    result["plan staged"] = await took(lambda: stage_plan(staging, mine, plan, set(PlanPart)))
    await staging.discard(mine)
    return result


async def main() -> None:
    """Measure both sizes, each in a database of its own."""
    found = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            location = DatabaseLocation(str(Path(folder) / "authkeys.db"))
            async with open_console(location) as console:
                await console.submissions.submit(Order(uuid.uuid4(), console.admin, Source.IMPORT, keys(size)))
                rows = await console.authkeys.matching(View(), console.admin.id)
                now = datetime.now(UTC)
                for first in range(0, size // 2, 10_000):
                    await uses.store(
                        {(row.id, bit): (3, now) for row in rows[first : first + 10_000] for bit in (0, 8)}, {}
                    )
                found[size] = await measure(console, size, Path(folder))
    small, large = SIZES
    print(f"{'':38} {small:>9,} {large:>9,}  ratio")
    for name, seconds in found[large].items():
        print(f"{name:38} {found[small][name]:>8.3f}s {seconds:>8.3f}s {seconds / found[small][name]:>6.1f}")


if __name__ == "__main__":
    asyncio.run(main())
