"""Three instances on one PostgreSQL behind nginx: pages are live across them, and no fault of one of them loses anything."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from models.submissions import CellChange
from services.authorizer import FRESH_SECONDS
from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.browser import PATIENCE_MS, bar, box, choose, chromium, needs_chromium, sign_in
from tests.nginx import needs_nginx
from tests.other_process import issue_key
from tests.postgres import Cluster
from tests.program import PASSWORD, Program
from tests.support import SEARCH, all_keys, submit
from tests.topology import SITE, Topology, topology
from tests.waiting import eventually

pytestmark = [needs_nginx, needs_chromium]
HERE, ELSEWHERE = "127.0.0.1", "192.0.2.2"
_numbers = count(1)


class Keys:
    """Two keys of a test's own: `own` may ask from this machine, with `secret`."""

    def __init__(self, database: DatabaseLocation) -> None:
        service = f"service{next(_numbers)}"
        self.own, self.other = (HERE, service), (ELSEWHERE, service)
        issue_key(database.text, *self.other)
        self.secret = issue_key(database.text, *self.own, "search")


@pytest.fixture(scope="module")
def all_three(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Three instances, and the admins dana and lee."""
    folder = tmp_path_factory.mktemp("three")
    with postgres.new_database(postgres.with_tables) as database, topology(database, folder) as found:
        yield found


@pytest.fixture
def three(all_three: Topology) -> Topology:
    """All of them running, whatever the test before did."""
    for instance in all_three.instances:
        if instance.process.poll() is not None:
            instance.start()
    return all_three


@pytest.fixture
def keys(three: Topology) -> Keys:
    """The keys of this test."""
    return Keys(three.database)


@pytest.fixture
async def console(three: Topology) -> AsyncIterator[Console]:
    """One more instance, of the test's own."""
    async with open_console(three.database, three.secret_file) as console:
        yield console


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium(f"--host-resolver-rules=MAP {SITE} 127.0.0.1") as browser:
        yield browser


async def opened(browser: Browser, found: Topology, name: str, program: Program, keys: Keys) -> Page:
    """A window of a signed-in browser whose pages come from this instance, with nothing staged."""
    context = await browser.new_context(ignore_https_errors=True, user_agent=found.user_agent_of(program))
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(found.url)
    await sign_in(page, name)
    await box(page, *keys.own).wait_for()
    discard = page.get_by_role("button", name="Discard")
    if await discard.is_visible():
        await discard.click()
    await expect(bar(page)).to_contain_text("No staged changes")
    return page


async def test_what_one_admin_submits_at_one_instance_shows_in_the_page_of_another_at_the_next(
    three: Topology, browser: Browser, keys: Keys
) -> None:
    first, second, _ = three.instances
    dana, lee = await opened(browser, three, "dana", first, keys), await opened(browser, three, "lee", second, keys)
    await expect(lee.get_by_role("button", name="dana")).to_be_visible()
    await box(dana, *keys.other).click()
    await expect(bar(dana)).to_contain_text("1 change to 1 key")
    await expect(lee.get_by_label("dana: staged changes, not yet submitted")).to_be_visible()
    await dana.get_by_role("button", name="Submit authkey modifications").click()
    await expect(box(lee, *keys.other)).to_be_checked()


async def test_one_session_serves_at_every_instance_and_its_end_at_one_closes_its_page_at_another(
    three: Topology, browser: Browser, keys: Keys
) -> None:
    first, second, _ = three.instances
    dana = await opened(browser, three, "dana", first, keys)
    [cookie] = [each for each in await dana.context.cookies() if "theme" not in each["name"]]
    with three.client(three.user_agent_of(second), Cookie=f"{cookie['name']}={cookie['value']}") as elsewhere:
        assert elsewhere.get("/grid/rows").status_code == 200
        origin = {"Origin": three.url}
        assert elsewhere.post("/sign-out-everywhere", headers=origin).status_code == 303
    await expect(dana).to_have_url(f"{three.url}/sign-in?ended=1&next=%2F")


async def test_attempts_to_sign_in_are_counted_together(three: Topology) -> None:
    statuses = []
    for number in range(9):
        with three.client(three.user_agent_of(three.instances[number % 3])) as client:
            statuses.append(client.post("/sign-in", data={"name": "mallory", "password": "wrong"}).status_code)
    assert statuses == [401] * 5 + [429] * 4


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_page_of_an_instance_that_ends_goes_on_at_another_and_nothing_staged_is_lost(
    three: Topology, browser: Browser, keys: Keys, how: signal.Signals
) -> None:
    first, *_ = three.instances
    agent = three.user_agent_of(first)
    dana = await opened(browser, three, "dana", first, keys)
    await box(dana, *keys.own).click()
    await expect(bar(dana)).to_contain_text("1 change to 1 key")
    first.end(how)
    await expect(box(dana, *keys.own, staged=True)).not_to_be_checked()
    await box(dana, *keys.other).click()
    await expect(bar(dana)).to_contain_text("2 changes to 2 keys")
    assert three.serves(agent) is not first
    first.start()
    await expect(bar(dana)).to_contain_text("2 changes to 2 keys")
    await dana.reload()
    await expect(bar(dana)).to_contain_text("2 changes to 2 keys")


async def ask(client: httpx.AsyncClient, secret: str) -> int:
    answer = await client.get("/authorize/search", headers={"Authorization": f"Bearer {secret}"})
    return answer.status_code


class Questions:
    """A script that asks through nginx, again and again: what it was answered, and when it asked."""

    def __init__(self, found: Topology, secret: str) -> None:
        self._found, self._secret = found, secret
        self.answers: list[tuple[float, int]] = []

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[None]:
        """Ask during the block."""
        asking = [asyncio.create_task(self._ask()) for _ in range(3)]
        try:
            yield
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(self) -> None:
        async with self._found.async_client() as client:
            while True:
                began = monotonic()
                self.answers.append((began, await ask(client, self._secret)))

    def allowed_after(self, moment: float) -> list[float]:
        """How long after this moment questions were asked that were still allowed."""
        return [began - moment for began, status in self.answers if began > moment and status == 204]

    async def hears(self, status: int, after: float) -> None:
        """Wait until a question that was asked later got this answer."""
        await eventually(lambda: any(began > after and each == status for began, each in self.answers))


async def revoke(console: Console, keys: Keys) -> float:
    """Revoke the privilege of a test's own key; when that was committed."""
    [key] = [key for key in (await all_keys()).values() if (key.ip, key.service) == keys.own]
    await submit(console, CellChange(key.id, 0, SEARCH.mask))
    return monotonic()


async def test_an_instance_that_stands_still_for_long_allows_nothing_that_was_revoked_meanwhile(
    three: Topology, console: Console, keys: Keys
) -> None:
    questions = Questions(three, keys.secret)
    first, *_ = three.instances
    async with questions.asked():
        await questions.hears(204, 0)
        first.process.send_signal(signal.SIGSTOP)
        try:
            revoked = await revoke(console, keys)
            await questions.hears(403, revoked + FRESH_SECONDS)
        finally:
            first.process.send_signal(signal.SIGCONT)
        woken = monotonic()
        # All three answer again, the one that slept too.
        await eventually(lambda: sum(began > woken for began, _ in questions.answers) > 100)
    assert max(questions.allowed_after(revoked), default=0) < FRESH_SECONDS


async def test_while_an_instance_is_killed_the_others_answer_and_revocations_hold_within_a_second(
    three: Topology, console: Console, keys: Keys
) -> None:
    questions = Questions(three, keys.secret)
    first, *_ = three.instances
    async with questions.asked():
        await questions.hears(204, 0)
        first.kill()
        killed = monotonic()
        await questions.hears(204, killed)
        revoked = await revoke(console, keys)
        await questions.hears(403, revoked + FRESH_SECONDS)
    assert {status for began, status in questions.answers if began > killed} == {204, 403}
    assert max(questions.allowed_after(revoked), default=0) < FRESH_SECONDS


async def test_postgres_restarts_and_pages_and_access_checks_go_on(
    postgres: Cluster, three: Topology, browser: Browser, keys: Keys
) -> None:
    questions = Questions(three, keys.secret)
    dana = await opened(browser, three, "dana", three.instances[1], keys)
    await box(dana, *keys.own).click()
    await expect(bar(dana)).to_contain_text("1 change to 1 key")
    async with questions.asked():
        await questions.hears(204, 0)
        postgres.stop()
        try:
            stopped = monotonic()
            await expect(dana.locator(".live-text")).to_have_text("Database unavailable")
            await eventually(lambda: any(s >= 500 for began, s in questions.answers if began > stopped))
        finally:
            postgres.start()
        started = monotonic()
        await expect(dana.locator(".live-text")).to_have_text("Live")
        await questions.hears(204, started)
    assert (
        max(
            (began - stopped for began, status in questions.answers if stopped < began < started and status == 204),
            default=0,
        )
        < FRESH_SECONDS
    )
    await box(dana, *keys.other).click()
    await expect(bar(dana)).to_contain_text("2 changes to 2 keys")
    await choose(dana, "Sign out")


# -- a balancer that gives each request to the next instance ------------------------------------------------------------


@pytest.fixture(scope="module")
def round_robin(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with (
        postgres.new_database(postgres.with_tables) as database,
        topology(database, tmp_path_factory.mktemp("round"), count=2, is_sticky=False) as found,
    ):
        yield found


def test_access_checks_sign_in_and_rows_are_answered_by_any(round_robin: Topology) -> None:
    keys = Keys(round_robin.database)
    served: set[Program] = set()
    with round_robin.client() as client:
        client.post("/sign-in", data={"name": "dana", "password": PASSWORD})
        while len(served) < len(round_robin.instances):
            answer = client.get("/grid/rows")
            assert answer.status_code == 200
            if program := round_robin.instance_of(answer):
                served.add(program)
            allowed = client.get("/authorize/search", headers={"Authorization": f"Bearer {keys.secret}"})
            assert allowed.status_code == 204


async def test_a_page_says_that_it_needs_them(round_robin: Topology, browser: Browser) -> None:
    context = await browser.new_context(ignore_https_errors=True)
    page = await context.new_page()
    await page.goto(round_robin.url)
    await sign_in(page, "dana")
    await expect(page.get_by_role("alert")).to_contain_text("sticky sessions")
