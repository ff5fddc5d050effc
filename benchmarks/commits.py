"""What one page commits, in fifty others: when it shows there."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

from benchmarks.browser import HARMLESS, fresh_profile, open_page, running_chromium, stage_one, submit_watched
from benchmarks.live_pages import LivePage, live_pages
from benchmarks.measure import Report, p50_and_p95, p95, progress
from benchmarks.servers import Server, running_server

OTHER_PAGES = 50
SEEN_SECONDS = 20


async def measure_commits(report: Report, commits: int, database: Path) -> None:
    """Submit so often, and note when each of the other pages shows it."""
    progress(f"commits in {OTHER_PAGES} other pages")
    seen: list[float] = []
    confirmed: list[float] = []
    watched: list[float] = []
    async with AsyncExitStack() as stack:
        server = stack.enter_context(running_server(database))
        others = await stack.enter_async_context(live_pages(server, OTHER_PAGES - 1))
        browser = await stack.enter_async_context(running_chromium())
        pages = []
        for _ in range(2):
            pages.append(await (await stack.enter_async_context(fresh_profile(browser, server))).new_page())
            await open_page(pages[-1], server.url)
        submitter, watcher = pages
        for number in range(commits):
            row, privilege = number % 10, HARMLESS[number % len(HARMLESS)]
            expect_commit(others, server, row, privilege.mask)
            await stage_one(submitter, row, privilege)
            times = await submit_watched(submitter, watcher, row, privilege)
            async with asyncio.timeout(SEEN_SECONDS):
                seen += [1000 * (await other.seen() - times.clicked) for other in others]
            confirmed.append(1000 * (times.confirmed - times.clicked))
            watched.append(1000 * (times.watched - times.clicked))
    everywhere = [*seen, *watched]
    report.add(
        f"submit → visible in {OTHER_PAGES} other pages",
        p50_and_p95(everywhere),
        value=p95(everywhere),
        goal=300,
        unit=" ms",
    )
    report.add("… of these, the Chromium page", p50_and_p95(watched))
    report.add("submit → confirmed to the admin", p50_and_p95(confirmed))
    report.note(
        f"submit → visible: from the mouse press on Submit in Chromium; {OTHER_PAGES - 1} of the other pages are socket.io "
        "clients that load the page, connect and fetch blocks like a browser (visible: they have the row with its new "
        "privileges and the order to flash it), 1 is a Chromium page (visible: the flashing cell is painted). "
        "50 Chromium tabs would measure Chromium. Clients, browser and server share this machine's processors."
    )


def expect_commit(pages: list[LivePage], server: Server, row: int, mask: int) -> None:
    """Make each page wait for the row's new privileges: one of them switched."""
    with closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as connection:
        query = "SELECT id, privileges FROM authkey ORDER BY ip_key, service_key, id LIMIT 1 OFFSET ?"
        authkey_id, privileges = connection.execute(query, (row,)).fetchone()
    for page in pages:
        page.expect(authkey_id, privileges ^ mask)
