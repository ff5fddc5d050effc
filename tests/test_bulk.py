"""A hundred thousand staged changes at once: nobody else is held up meanwhile."""

import asyncio
import uuid
from pathlib import Path

from playwright.async_api import expect

from models.views import View
from services.console import Console
from tests.browser import (
    bar,
    box,
    chromium,
    grant_all,
    needs_chromium,
    open_page,
    open_sign_in,
    sign_in,
    submit_reviewed,
)
from tests.databases import copy_of_tables
from tests.program import add_admin, import_csv, running, write_csv
from tests.support import ADD, SEARCH, an_admin, new_keys, stage_all, submit
from tests.waiting import eventually

MANY = 100_000
KEEP_WHAT_THE_BAR_SAYS = """() => {
  window.said = [];
  const bar = document.querySelector(".bar");
  new MutationObserver(() => said.push(bar.innerText)).observe(bar, {subtree: true, childList: true, characterData: true});
}"""


async def test_others_read_and_stage_while_100000_changes_are_submitted(console: Console) -> None:
    await submit(console, *new_keys(MANY))
    mine, dana = console.admin.id, await an_admin("dana")
    assert await stage_all(console.staging, mine, View(), SEARCH, True) == MANY
    await console.staging.discard(mine)
    await console.staging.undo(mine)
    told: list[int] = []
    submitting = asyncio.create_task(
        console.staging.submit(console.admin, uuid.uuid4(), lambda done, _: told.append(done))
    )
    await eventually(lambda: bool(told))
    (row,) = await console.authkeys.block(View(), dana.id, 7, 8)  # reads wait for nothing
    assert not submitting.done()
    await console.staging.stage(dana.id, row.id, ADD, True)
    assert (await submitting)[1:3] == (MANY, MANY)
    assert len(told) > 10
    assert told[-1] == MANY
    assert (await console.staging.of(dana.id)).change_count == 1
    assert (await console.staging.of(mine)).change_count == 0


@needs_chromium
async def test_progress_shows_and_the_page_of_another_admin_goes_on_meanwhile(tmp_path: Path) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db").text
    import_csv(database, write_csv(tmp_path / "keys.csv", new_keys(MANY)))
    add_admin(database, "dana")
    first = ("10.0.0.0", "billing")
    with running(database=database) as server:
        async with chromium() as browser:
            page = await open_page(browser, server)
            dana = await open_sign_in(browser, server)
            await sign_in(dana, "dana")
            await expect(box(dana, *first)).to_be_visible()

            await grant_all(page)
            await expect(bar(page)).to_contain_text("100,000 changes to 100,000 keys")
            await page.evaluate(KEEP_WHAT_THE_BAR_SAYS)
            await submit_reviewed(page)
            await box(dana, *first, "Expire a License").click()
            await expect(box(dana, *first, "Expire a License", staged=True)).to_be_checked()
            await dana.get_by_role("searchbox").fill("10.1.0.7")
            await expect(dana.get_by_text("1 of 100,000 keys", exact=True)).to_be_visible()
            await expect(bar(page)).to_contain_text("Applied 100,000 changes to 100,000 keys")
            assert any("Submitting" in text and "of 100,000 keys" in text for text in await page.evaluate("said"))
            await expect(bar(dana)).to_contain_text("1 change to 1 key")
            await dana.get_by_role("searchbox").fill("")
            await expect(box(dana, *first, "Expire a License", staged=True)).to_be_checked()
