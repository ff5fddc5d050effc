"""One's sessions: where they are, and ending them from elsewhere, in whichever server their pages are open."""

import time

from models.accounts import AdminIdentity, Role
from models.history import EntryKind
from services.console import Console, open_console
from services.sessions import SignedIn
from storage.database import DatabaseLocation
from tests.other_process import another_process, tell
from tests.support import an_admin, came_in, listening

HERE, THERE = "192.0.2.200", "2001:db8::7"


async def begin(console: Console, admin: AdminIdentity, device: str, address: str = HERE) -> SignedIn:
    session = await console.sessions.find(await console.sessions.begin(admin, address, device=device))
    assert session is not None
    return session


async def test_each_is_listed_with_its_device_and_ends_alone(console: Console) -> None:
    dana = await an_admin("dana")
    mine = await begin(console, dana, "Firefox on Linux")
    phone = await begin(console, dana, "Safari on iPhone", THERE)
    listed = await console.sessions.of(dana.id)
    assert {(each.device, each.address) for each in listed} == {("Firefox on Linux", HERE), ("Safari on iPhone", THERE)}
    async with listening(console.sessions.ended) as ended:
        assert await console.sessions.end_chosen(mine, phone.id)
        assert await ended.next() == (frozenset({phone.id}),)
    assert not await console.sessions.end_chosen(mine, phone.id), "it is over already"
    entry = (await console.history.newest(1))[0]
    assert (entry.kind, entry.name, entry.address) == (EntryKind.SESSION_ENDED, "dana", HERE)
    assert entry.detail == f"Safari on iPhone, {THERE}"
    assert [each.id for each in await console.sessions.of(dana.id)] == [mine.id]


async def test_nobody_ends_the_session_of_somebody_else(console: Console) -> None:
    mine = await begin(console, await an_admin("dana"), "")
    theirs = await begin(console, await an_admin("eve"), "")
    assert not await console.sessions.end_chosen(mine, theirs.id)
    assert await console.sessions.end_others(mine) == 0
    assert console.sessions.lasts(theirs)


async def test_all_others_end_and_this_one_stays(console: Console) -> None:
    dana = await an_admin("dana")
    mine, *others = [await begin(console, dana, str(n)) for n in range(4)]
    assert await console.sessions.end_others(mine) == 3
    assert console.sessions.lasts(mine)
    assert not [each for each in others if console.sessions.lasts(each)]


async def hold(console: Console, name: str) -> float:
    """Let somebody sign in here, and wait until that session is over; how long after the other server was told of it."""
    session = await begin(console, await an_admin(name), "elsewhere")
    async with listening(console.sessions.ended) as ended:
        tell(session.id)
        await ended.next()
    assert not console.sessions.lasts(session)
    return time.time()


async def test_a_session_that_ends_in_one_server_is_over_within_a_second_in_the_other(
    postgres_database: DatabaseLocation,
) -> None:
    async with open_console(postgres_database) as console, another_process(postgres_database) as other:
        await came_in(console)
        dana = await an_admin("dana")
        mine = await begin(console, dana, "here")

        async def takes_until_over_there(how: str) -> float:
            other.begin(hold, "dana")
            there = await other.told()
            before = time.time()
            if how == "one":
                assert await console.sessions.end_chosen(mine, there)
            elif how == "others":
                assert await console.sessions.end_others(mine) == 1
            else:
                await console.admins.set_role("dana", Role.AUDITOR, console.admin)
            return float(await other.told()) - before

        took = [await takes_until_over_there(how) for how in ("one", "others", "role")]
        assert min(took) < 1, took
        assert max(took) < 5, "it was found by looking now and then, and not told"  # a busy machine is no error
