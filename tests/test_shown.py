"""What a block of a view says of the whole, without waiting until all rows are counted."""

import asyncio

import pytest

from models.submissions import Assignment
from models.views import View
from services.console import Console
from storage import authkeys
from tests.elsewhere import start_over

KEYS = [Assignment(f"10.0.0.{n}", "billing", 0) for n in range(5)]


@pytest.mark.parametrize(
    ("start", "end", "found", "total"),
    [(0, 100, 5, 5), (3, 100, 2, 5), (0, 5, 5, None), (0, 2, 2, None), (9, 100, 0, None)],
)
async def test_the_last_block_knows_the_total_and_any_other_waits_a_moment_only(
    console: Console, monkeypatch: pytest.MonkeyPatch, start: int, end: int, found: int, total: int | None
) -> None:
    await start_over(console, KEYS)
    may_count = asyncio.Event()
    count = authkeys.count

    async def slowly(*arguments: object) -> int:
        await may_count.wait()
        return await count(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(authkeys, "count", slowly)
    shown, admin = console.staging.shown, console.admin.id
    assert len(await shown.block(View(), admin, start, end)) == found
    assert await shown.total(View(), admin, start, end, found) == total
    may_count.set()
    assert await shown.count(View(), admin) == 5
    assert await shown.total(View(), admin, 0, 2, 2) == 5
