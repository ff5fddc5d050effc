"""What a year of use costs: a database with a history, uses of every key, denied requests and sign-ins beside a fresh one.

The year is written straight into the file, because a year of submissions by the product takes hours; every row is one that the product
would have written.
"""

import http.client
import random
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page

from benchmarks.browser import fresh_profile, measure_ticks, open_page
from benchmarks.measure import Report, median, milliseconds, paired_ratio
from benchmarks.servers import Server, running_server
from models.access_checks import Reason
from models.history import EntryKind
from models.privileges import PRIVILEGES
from models.submissions import Kind, Source

DAYS = 365
SUBMISSIONS_A_DAY = 300
_SIGN_INS_A_DAY = 30
_LATELY = 60
_REFUSALS = 1_000
GOAL = 1.1
_BLOCKS = ("/grid/rows?start=0&end=100", "/grid/rows?start=700&end=800&sort=service")
_TICKS_AT_ONCE = 9


def used_for_a_year(database: Path) -> Path:
    """A copy of a filled database, beside it, with a year of use; made once."""
    aged = database.with_name(f"{database.stem}-year.db")
    if aged.exists():
        return aged
    chance = random.Random(DAYS)
    began = datetime.now(UTC) - timedelta(days=DAYS)
    copy = database.with_name(f"{database.stem}-year.part")
    shutil.copyfile(database, copy)
    with closing(sqlite3.connect(copy)) as file:
        # What was there was there a year ago.
        file.execute("UPDATE submission SET at = ?", [_text(began)])
        file.execute("INSERT OR REPLACE INTO use_tracking (id, since) VALUES (1, ?)", [_text(began)])
        _submit(file, chance, began)
        file.executemany(
            "INSERT INTO key_use (authkey_id, privilege, count, last_at) VALUES (?, ?, ?, ?)",
            _uses(file, chance, began),
        )
        file.executemany(
            "INSERT INTO entry (number, at, kind, name, address, detail, digest) "
            "VALUES (1000000 + ?, ?, ?, '', '192.0.2.1', '', '')",  # nobody checks this chain
            ((number, _text(_within(began, chance)), EntryKind.SIGNED_IN) for number in range(DAYS * _SIGN_INS_A_DAY)),
        )
        file.executemany(
            "INSERT INTO refusal (reason, ip, authkey_id, service, what, count, first_at, last_at) "
            "VALUES (?, ?, 0, '', 'search', 1, ?, ?)",
            (
                (Reason.UNKNOWN_KEY, f"198.51.{number // 250}.{number % 250}", *[_text(_within(began, chance))] * 2)
                for number in range(_REFUSALS)
            ),
        )
        file.commit()
    copy.rename(aged)
    return aged


def _submit(file: sqlite3.Connection, chance: random.Random, began: datetime) -> None:
    """Submissions all through the year, each with one changed box of one authkey."""
    keys = {row[0]: row[1:] for row in file.execute("SELECT id, ip, service, privileges FROM authkey")}
    ids = list(keys)
    (admin_id,) = file.execute("SELECT MIN(id) FROM admin").fetchone()
    (first,) = file.execute("SELECT MAX(id) + 1 FROM submission").fetchone()
    submissions, modifications, changed = [], [], {}
    count = DAYS * SUBMISSIONS_A_DAY
    for revision in range(first, first + count):
        at = began + timedelta(days=DAYS) * (revision - first) / count
        # Lately only a fifth of the keys was changed: of the others it can be said what was not used.
        id_ = chance.choice(ids if began + timedelta(days=DAYS - _LATELY) > at else ids[: len(ids) // 5])
        ip, service, before = keys[id_]
        after = before ^ chance.choice(PRIVILEGES).mask
        keys[id_] = ip, service, after
        submissions.append(
            (revision, str(uuid.UUID(int=chance.getrandbits(128))), admin_id, Source.GRID, _text(at), 1, 1)
        )
        modifications.append((revision, id_, Kind.CHANGED, ip, service, before, after))
        changed[id_] = after, revision
    file.executemany(
        "INSERT INTO submission (id, uuid, admin_id, source, at, change_count, key_count) VALUES (?, ?, ?, ?, ?, ?, ?)",
        submissions,
    )
    file.executemany(
        'INSERT INTO modification (submission_id, row_id, kind, ip, service, "before", "after") '
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        modifications,
    )
    file.executemany(
        "UPDATE authkey SET privileges = ?, revision = ? WHERE id = ?",
        ((privileges, revision, id_) for id_, (privileges, revision) in changed.items()),
    )


def _uses(file: sqlite3.Connection, chance: random.Random, began: datetime) -> Iterator[tuple[int, int, int, str]]:
    """Each granted privilege was used, most of them lately."""
    for id_, privileges in file.execute("SELECT id, privileges FROM authkey").fetchall():
        for privilege in PRIVILEGES:
            if privileges & privilege.mask:
                since = began if chance.random() < 0.3 else began + timedelta(days=DAYS - 3)
                yield id_, privilege.bit, chance.randrange(1, 10_000), _text(_within(since, chance))


def _within(began: datetime, chance: random.Random) -> datetime:
    """Some moment between then and now."""
    return began + (datetime.now(UTC) - began) * chance.random()


def _text(moment: datetime) -> str:
    """A time as Tortoise writes it into SQLite."""
    return moment.isoformat(" ")


async def compare_year(
    report: Report, database: Path, keys: int, browser: Browser, *, requests: int, ticks: int
) -> None:
    """Blocks and ticks on a database with a year of use, against the same keys without it."""
    async with AsyncExitStack() as stack:
        servers = [stack.enter_context(running_server(each)) for each in (database, used_for_a_year(database))]
        fresh, aged = _request_blocks(servers, requests)
        figure = f"{milliseconds(median(aged))} (fresh {milliseconds(median(fresh))})"
        report.add(f"block after a year, {keys:,} keys", figure, ratio=paired_ratio(aged, fresh), goal=GOAL)
        pages = [await _page(stack, browser, server) for server in servers]
        fresh, aged = await _tick(pages, ticks)
        figure = f"{milliseconds(median(aged))} (fresh {milliseconds(median(fresh))})"
        report.add(f"tick after a year, {keys:,} keys", figure, ratio=paired_ratio(aged, fresh), goal=GOAL)


def _request_blocks(servers: list[Server], requests: int) -> list[list[float]]:
    connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for server in servers]
    figures: list[list[float]] = [[] for _ in servers]
    for number in range(requests + 1):
        for block in _BLOCKS:
            for server, connection, times in zip(servers, connections, figures, strict=True):
                started = time.perf_counter()
                connection.request("GET", block, headers={"Cookie": "=".join(server.cookie)})
                connection.getresponse().read()
                if number:  # the first round warms up
                    times.append(1000 * (time.perf_counter() - started))
    return figures


async def _page(stack: AsyncExitStack, browser: Browser, server: Server) -> Page:
    page = await (await stack.enter_async_context(fresh_profile(browser, server))).new_page()
    await open_page(page, server.url)
    return page


async def _tick(pages: list[Page], ticks: int) -> list[list[float]]:
    figures: list[list[float]] = [[] for _ in pages]
    for number in range(0, ticks + _TICKS_AT_ONCE, _TICKS_AT_ONCE):
        for page, times in zip(pages, figures, strict=True):
            ticked = await measure_ticks(page, _TICKS_AT_ONCE)
            if number:
                times.extend(ticked)
    return figures
