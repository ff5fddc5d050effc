"""Second factors as services, on both databases: one-time codes, recovery codes, the second step, and what is on record."""

import asyncio

import pyotp
import pytest

from models.errors import FactorNeeded, FactorRefused, InvalidValue, NotAllowed, TooManyAttempts
from models.history import EntryKind
from models.second_factors import FREE_GUESSES, RECOVERY_CODES, FactorPolicy
from models.tables import CodeApp, PendingSignIn, RecoveryCode
from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.factors import HERE, WHERE, Clock, add_codes, an_account, on_record, session_of
from tests.program import PASSWORD
from tests.support import came_in

SERVICES = ("services.second_factors", "services.passkeys", "services.proofs")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, *SERVICES)


async def test_an_account_without_a_factor_needs_no_second_step(console: Console) -> None:
    admin, _ = await an_account(console)
    assert await console.second_factors.begin_step(admin) is None


async def test_with_one_time_codes_a_password_lets_in_only_with_a_code(console: Console, clock: Clock) -> None:
    admin, session = await an_account(console)
    app, codes = await add_codes(console, session)
    assert len(set(codes)) == RECOVERY_CODES
    token = await console.second_factors.begin_step(admin)
    assert token is not None
    assert await console.second_factors.pending(token) == admin
    with pytest.raises(FactorRefused, match="wrong, or was used"):
        await console.second_factors.prove_code(admin, "000000", HERE)
    clock.next_step()
    by = await console.second_factors.prove_code(admin, app.at(clock.now), HERE)
    cookie = await console.second_factors.finish_step(token, HERE, by)
    assert await console.second_factors.may_change(await session_of(console, cookie))
    assert await on_record(console, EntryKind.FACTOR_REFUSED) == ["a wrong one-time code"]
    assert await on_record(console, EntryKind.FACTOR_ADDED) == ["one-time codes"]
    assert (await on_record(console, EntryKind.SIGNED_IN))[-1] == "by a one-time code"


async def test_a_code_is_used_once_also_when_two_give_it_at_the_same_moment(console: Console, clock: Clock) -> None:
    admin, session = await an_account(console)
    app, _ = await add_codes(console, session)
    clock.next_step()
    code = app.at(clock.now)
    tries = [console.second_factors.prove_code(admin, code, HERE) for _ in range(4)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["FactorRefused"] * 3 + ["str"]
    assert await on_record(console, EntryKind.FACTOR_REFUSED) == ["a one-time code that was used already"] * 3


async def test_the_code_that_set_up_an_app_does_not_also_sign_in(console: Console) -> None:
    admin, session = await an_account(console)
    app, _ = await add_codes(console, session)
    with pytest.raises(FactorRefused):
        await console.second_factors.prove_code(admin, app.now(), HERE)


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (1, True), (2, False)])
async def test_a_clock_that_differs_by_one_step_is_allowed_for(
    console: Console, clock: Clock, steps: int, is_taken: bool
) -> None:
    admin, session = await an_account(console)
    app, _ = await add_codes(console, session)
    clock.forward(minutes=10)
    code = app.at(clock.now, counter_offset=steps)
    if is_taken:
        assert await console.second_factors.prove_code(admin, f"{code[:3]} {code[3:]}", HERE)
    else:
        with pytest.raises(FactorRefused):
            await console.second_factors.prove_code(admin, code, HERE)


async def test_wrong_codes_in_a_row_make_wait_longer_and_longer_whatever_the_address(
    console: Console, clock: Clock
) -> None:
    admin, session = await an_account(console)
    app, codes = await add_codes(console, session)
    clock.forward(minutes=10)
    for number in range(FREE_GUESSES):
        with pytest.raises(FactorRefused, match="wrong"):
            await console.second_factors.prove_code(admin, "000000", f"198.51.100.{number}")
    with pytest.raises(FactorRefused, match=r"Too many wrong codes\. Try again in 30 seconds"):
        await console.second_factors.prove_code(admin, app.at(clock.now), HERE)
    assert await console.second_factors.prove_recovery(admin, codes[0], HERE), "another way in stays open"
    clock.forward(seconds=31)
    assert await console.second_factors.prove_code(admin, app.at(clock.now), HERE)
    assert (await CodeApp.get(admin_id=admin.id)).failures == 0


async def test_attempts_are_limited_as_those_with_passwords_are(console: Console) -> None:
    admin, session = await an_account(console)
    await add_codes(console, session)
    for _ in range(5):
        with pytest.raises(FactorRefused):
            await console.second_factors.prove_recovery(admin, "aaaaa-aaaaa-aaaaa", "198.51.100.7")
    with pytest.raises(TooManyAttempts, match="with a second factor"):
        await console.second_factors.prove_recovery(admin, "aaaaa-aaaaa-aaaaa", "198.51.100.7")
    assert await on_record(console, EntryKind.SLOWED) == ["second factor"]


async def test_a_recovery_code_works_once_however_it_is_typed(console: Console) -> None:
    admin, session = await an_account(console)
    _, codes = await add_codes(console, session)
    typed = codes[3].replace("-", " ").upper()
    assert await console.second_factors.prove_recovery(admin, typed, HERE) == "by a recovery code"
    with pytest.raises(FactorRefused, match="used already"):
        await console.second_factors.prove_recovery(admin, codes[3], HERE)
    with pytest.raises(InvalidValue, match="15 letters and digits"):
        await console.second_factors.prove_recovery(admin, "nonsense", HERE)
    assert await on_record(console, EntryKind.RECOVERY_USED) == ["9 are left"]
    assert await on_record(console, EntryKind.FACTOR_REFUSED) == ["a recovery code that is none, or was used already"]


async def test_a_recovery_code_of_another_account_is_refused(console: Console) -> None:
    _, session = await an_account(console)
    ben, bens = await an_account(console, "ben")
    _, codes = await add_codes(console, session)
    await add_codes(console, bens)
    with pytest.raises(FactorRefused):
        await console.second_factors.prove_recovery(ben, codes[0], HERE)


async def test_new_recovery_codes_end_those_from_before(console: Console) -> None:
    admin, session = await an_account(console)
    _, old = await add_codes(console, session)
    new = await console.second_factors.new_recovery_codes(session)
    with pytest.raises(FactorRefused):
        await console.second_factors.prove_recovery(admin, old[0], HERE)
    assert await console.second_factors.prove_recovery(admin, new[0], HERE)


async def test_the_database_holds_neither_the_secret_nor_a_recovery_code(console: Console) -> None:
    admin, session = await an_account(console)
    app, codes = await add_codes(console, session)
    assert app.secret not in (await CodeApp.get(admin_id=admin.id)).sealed
    kept = {row.digest for row in await RecoveryCode.all()}
    assert not kept & {each.replace("-", "") for each in codes}


async def test_a_second_step_is_taken_once_and_within_five_minutes(console: Console, clock: Clock) -> None:
    admin, session = await an_account(console)
    await add_codes(console, session)
    first, second = [await console.second_factors.begin_step(admin) for _ in range(2)]
    assert first
    assert second
    await console.second_factors.finish_step(first, HERE, "by a test")
    with pytest.raises(FactorRefused, match="finished already"):
        await console.second_factors.finish_step(first, HERE, "by a test")
    clock.forward(minutes=5, seconds=1)
    assert await console.second_factors.pending(second) is None
    with pytest.raises(FactorRefused, match="waited for too long"):
        await console.second_factors.finish_step(second, HERE, "by a test")
    await console.second_factors.begin_step(admin)
    assert await PendingSignIn.all().count() == 1, "old ones go"


async def test_a_new_password_or_a_disabled_account_ends_a_second_step(console: Console) -> None:
    admin, session = await an_account(console)
    await add_codes(console, session)
    token = await console.second_factors.begin_step(admin)
    await console.admins.set_password("dana", "harbour-lantern-quilt", "a test")
    assert await console.second_factors.pending(token) is None
    token = await console.second_factors.begin_step(admin)
    await came_in(console)
    await console.admins.set_disabled("dana", True, "a test")
    assert await console.second_factors.pending(token) is None


async def test_factors_are_changed_only_by_who_has_just_shown_who_that_is(console: Console, clock: Clock) -> None:
    admin, session = await an_account(console)
    clock.forward(minutes=5, seconds=1)
    with pytest.raises(FactorNeeded):
        await add_codes(console, session)
    await console.second_factors.confirm(session, by_factor=False)
    draft = console.second_factors.draft_codes(session, WHERE)
    assert await console.second_factors.set_codes(session, draft, pyotp.TOTP(draft.secret).at(clock.now))
    other = await session_of(console, await console.sessions.begin(admin, HERE))
    with pytest.raises(FactorNeeded):
        await console.second_factors.remove_codes(other)  # a password is no longer enough
    with pytest.raises(FactorRefused, match="another session"):
        console.second_factors.drafted(other, draft.sealed, WHERE)


async def test_with_the_last_factor_its_recovery_codes_go(console: Console) -> None:
    admin, session = await an_account(console)
    await add_codes(console, session)
    await console.second_factors.remove_codes(session)
    assert await RecoveryCode.all().count() == 0
    assert await console.second_factors.begin_step(admin) is None
    assert await on_record(console, EntryKind.FACTOR_REMOVED) == ["one-time codes"]


async def test_where_a_factor_is_required_the_last_one_stays(database: DatabaseLocation) -> None:
    async with open_console(database, factor_policy=FactorPolicy(required=True)) as console:
        _, session = await an_account(console)
        await add_codes(console, session)
        with pytest.raises(NotAllowed, match="Add another one"):
            await console.second_factors.remove_codes(session)
        assert (await console.second_factors.of(session.admin)).any


async def test_a_reset_takes_everything_away_and_ends_the_sessions(console: Console) -> None:
    admin, session = await an_account(console)
    _, codes = await add_codes(console, session)
    await console.second_factors.reset("dana", "a test")
    await console.sessions.refresh()
    assert not console.sessions.lasts(session)
    assert await console.second_factors.begin_step(admin) is None
    with pytest.raises(FactorRefused):
        await console.second_factors.prove_recovery(admin, codes[0], HERE)
    with pytest.raises(InvalidValue, match="has no second factor"):
        await console.second_factors.reset("dana", "a test")
    assert await on_record(console, EntryKind.FACTOR_RESET) == ["by a test"]
    assert await console.admins.authenticate("dana", PASSWORD, HERE) == admin
