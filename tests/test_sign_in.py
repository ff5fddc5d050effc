"""Accounts, sessions and launch links as services: who is let in, for how long, and what is on record."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tortoise.expressions import F

from models.access import ABSOLUTE, IDLE, LAUNCH_LINK_LASTS
from models.accounts import AdminIdentity, Role
from models.errors import InvalidValue, NotAllowed, SecretUnusable, TooManyAttempts
from models.history import EntryKind
from models.privileges import privilege
from models.subjects import Subject
from models.submissions import NewSecret
from models.tables import Admin, Attempt, LaunchLink, Session
from services.console import Console
from services.secret_file import load_secret
from services.sessions import SignedIn
from storage.database import DatabaseLocation, writer
from storage.staging import who_staged
from tests.other_process import another_process
from tests.support import SEARCH, add_key, an_admin, came_in, listening, submit
from tests.waiting import eventually

PASSWORD, OTHER_PASSWORD = "vexing-marble-otter", "quiet-lantern-cactus"
HERE = "192.0.2.200"


async def dana(console: Console, role: Role = Role.ADMIN) -> AdminIdentity:
    await console.admins.add("dana", PASSWORD, role, "a test")
    admin = await console.admins.authenticate("dana", PASSWORD, HERE)
    assert admin is not None
    return admin


async def session_of(console: Console, admin: AdminIdentity) -> tuple[str, SignedIn]:
    cookie = await console.sessions.begin(admin, HERE)
    session = await console.sessions.find(cookie)
    assert session is not None
    return cookie, session


async def kinds(console: Console) -> list[EntryKind]:
    return [entry.kind for entry in reversed(await console.history.accesses())]


# -- accounts ----------------------------------------------------------------------------------------------------------


async def test_only_the_right_password_lets_in_and_every_attempt_is_on_record(console: Console) -> None:
    admin = await dana(console)
    assert admin.role is Role.ADMIN
    assert await console.admins.authenticate("dana", OTHER_PASSWORD, HERE) is None
    assert await console.admins.authenticate("nobody", PASSWORD, HERE) is None
    assert await console.admins.authenticate(console.admin.name, "", HERE) is None
    assert await kinds(console) == [EntryKind.ADDED, *[EntryKind.REFUSED] * 3]


@pytest.mark.parametrize("name", ["a\0b", "\n", "", "x" * 65, "x" * 150, "x" * 300, "\ud800"])
async def test_a_name_that_no_account_can_have_is_refused_like_a_wrong_one(console: Console, name: str) -> None:
    assert await console.admins.authenticate(name, PASSWORD, HERE) is None
    assert await console.admins.authenticate_script(name, PASSWORD, HERE) is None


async def test_a_password_is_stored_only_as_argon2id(console: Console) -> None:
    await dana(console)
    stored = (await Admin.get(name="dana")).password_hash
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


async def test_a_name_that_differs_only_in_case_is_taken(console: Console) -> None:
    await dana(console)
    with pytest.raises(InvalidValue, match="already an account 'dana'"):
        await console.admins.add("Dana", OTHER_PASSWORD, Role.ADMIN, "a test")


async def test_a_disabled_account_is_out_at_once_and_comes_back_when_enabled(console: Console) -> None:
    await came_in(console)
    cookie, session = await session_of(console, await dana(console))
    async with listening(console.sessions.ended) as ended:
        await console.admins.set_disabled("dana", True, "a test")
        await ended.next()
    assert await console.sessions.find(cookie) is None
    assert await console.admins.authenticate("dana", PASSWORD, HERE) is None
    with pytest.raises(NotAllowed, match="disabled"):
        await submit(console, NewSecret(1, "x", "y"), admin=session.admin)
    await console.admins.set_disabled("dana", False, "a test")
    assert await console.admins.authenticate("dana", PASSWORD, HERE) is not None


async def test_changing_ones_password_ends_the_other_sessions_only(console: Console) -> None:
    admin = await dana(console)
    mine, session = await session_of(console, admin)
    other, _ = await session_of(console, admin)
    with pytest.raises(InvalidValue, match="present password is wrong"):
        await console.admins.change_own_password(admin, OTHER_PASSWORD, OTHER_PASSWORD, session)
    await console.admins.change_own_password(admin, PASSWORD, OTHER_PASSWORD, session)
    await console.sessions.refresh()
    assert await console.sessions.find(mine) is not None
    assert await console.sessions.find(other) is None
    assert await console.admins.authenticate("dana", OTHER_PASSWORD, HERE) == admin


async def test_an_auditor_can_neither_stage_nor_submit_whatever_the_page_lets_through(console: Console) -> None:
    key = await add_key(console)
    auditor = await dana(console, Role.AUDITOR)
    with pytest.raises(NotAllowed, match="auditor"):
        await console.staging.stage(auditor.id, key.id, SEARCH, True)
    with pytest.raises(NotAllowed, match="auditor"):
        await submit(console, NewSecret(key.id, "x", "y"), admin=auditor)


async def test_a_name_is_known_however_the_keyboard_composes_its_letters(console: Console) -> None:
    await console.admins.add("Zoe\u0308", PASSWORD, Role.ADMIN, "a test")
    for name in ("Zoë", "Zoe\u0308"):
        admin = await console.admins.authenticate(name, PASSWORD, HERE)
        assert admin is not None
        assert admin.name == "Zoë"
    await came_in(console)
    await console.admins.set_disabled("Zoe\u0308", True, "a test")


# -- too many attempts -------------------------------------------------------------------------------------------------


async def wait_after_guesses(console: Console, count: int, address: str) -> list[int]:
    """Give wrong passwords; returns how many seconds each of the slowed ones was told to wait."""
    waits = []
    for _ in range(count):
        try:
            assert await console.admins.authenticate("dana", "wrong wrong wrong", address) is None
        except TooManyAttempts as error:
            waits.append(error.retry_after)
    return waits


async def test_a_thousand_wrong_passwords_are_slowed_and_the_rightful_admin_still_gets_in(console: Console) -> None:
    admin = await dana(console)
    waits = await wait_after_guesses(console, 1000, "198.51.100.66")
    assert len(waits) >= 990
    assert all(0 < wait <= 60 for wait in waits)
    assert await console.admins.authenticate("dana", PASSWORD, HERE) == admin
    assert (await kinds(console)).count(EntryKind.SLOWED) == 1


async def test_all_addresses_of_one_ipv6_network_count_as_one(console: Console) -> None:
    waits = [await wait_after_guesses(console, 1, f"2001:db8:1:2::{number:x}") for number in range(10)]
    assert [bool(wait) for wait in waits] == [False] * 5 + [True] * 5
    assert await wait_after_guesses(console, 1, "2001:db8:1:3::1") == []


async def test_ipv4_addresses_written_as_ipv6_ones_do_not_count_as_one_network(console: Console) -> None:
    waits = [await wait_after_guesses(console, 1, f"::ffff:192.0.2.{number}") for number in range(10)]
    assert waits == [[]] * 10
    assert await wait_after_guesses(console, 5, "192.0.2.0") != [], "the same address"


@pytest.mark.parametrize("address", ["fe80::1%" + "z" * 5_000, "a\x00b", "\ud83d"])
async def test_an_address_that_no_table_takes_is_recorded_as_far_as_it_can_be(console: Console, address: str) -> None:
    admin = await dana(console)
    assert await console.admins.authenticate("dana", OTHER_PASSWORD, address) is None
    assert await console.sessions.launch("invented", address) is None
    await console.sessions.begin(admin, address)
    recorded = [entry.address for entry in await console.history.accesses(3)]
    assert recorded == ["".join(each if each.isprintable() else "?" for each in address)[:45]] * 3


async def test_guessing_from_everywhere_does_not_lock_out_who_is_signed_in_already(console: Console) -> None:
    admin = await dana(console)
    await session_of(console, admin)
    waits = [wait for n in range(40) for wait in await wait_after_guesses(console, 1, f"198.51.100.{n}")]
    assert waits, "guessing from many addresses was not slowed"
    assert await console.admins.authenticate("dana", PASSWORD, HERE) == admin


async def test_a_clock_that_jumps_back_an_hour_does_not_prolong_the_wait(console: Console) -> None:
    admin = await dana(console)
    assert await wait_after_guesses(console, 10, HERE)
    await Attempt.all().using_db(writer()).update(at=F("at") + 3600)  # which is what the database's clock then thinks
    assert await console.admins.authenticate("dana", PASSWORD, HERE) == admin


# -- sessions ----------------------------------------------------------------------------------------------------------


async def test_a_cookie_that_we_did_not_sign_is_nobodys(console: Console) -> None:
    cookie, _ = await session_of(console, console.admin)
    token, _, signature = cookie.rpartition(".")
    for forged in (None, "", "x", token, f"{token}.{signature[:-2]}xx", f"{token}x.{signature}", "é.ü"):
        assert await console.sessions.find(forged) is None


async def test_the_database_does_not_hold_what_a_cookie_needs(console: Console) -> None:
    cookie, _ = await session_of(console, console.admin)
    (row,) = await Session.all()
    assert row.digest not in cookie
    assert cookie.partition(".")[0] not in row.digest


@pytest.mark.parametrize(("created", "used"), [(timedelta(), IDLE), (ABSOLUTE, timedelta())])
async def test_a_session_that_is_idle_or_old_has_ended(console: Console, created: timedelta, used: timedelta) -> None:
    cookie = await console.sessions.begin(console.admin, HERE)
    now = datetime.now(UTC)
    await Session.all().using_db(writer()).update(created_at=now - created, used_at=now - used)
    assert await console.sessions.find(cookie) is None


async def test_signing_out_everywhere_ends_every_session_of_that_admin_and_no_other(console: Console) -> None:
    admin, other = await dana(console), await an_admin("erin")
    first, session = await session_of(console, admin)
    second, _ = await session_of(console, admin)
    theirs, _ = await session_of(console, other)
    await console.sessions.end_all(admin, HERE)
    assert await console.sessions.find(first) is None
    assert await console.sessions.find(second) is None
    assert await console.sessions.find(theirs) is not None
    with pytest.raises(NotAllowed, match="signed out"):
        await console.sessions.use(session)


async def test_what_another_process_ends_is_over_here_too(database: DatabaseLocation, console: Console) -> None:
    await came_in(console)
    await dana(console)
    cookie, _ = await session_of(console, await an_admin("dana"))
    async with another_process(database) as other:
        await other.do(disable, "dana")

    async def is_over() -> bool:
        return await console.sessions.find(cookie) is None

    await eventually(is_over)


async def disable(console: Console, name: str) -> None:
    await console.admins.set_disabled(name, True, "another process")


# -- launch links ------------------------------------------------------------------------------------------------------


async def test_a_launch_link_signs_in_once(console: Console) -> None:
    token = await console.sessions.make_launch_link(console.admin)
    cookie = await console.sessions.launch(token, HERE)
    session = await console.sessions.find(cookie)
    assert session is not None
    assert session.admin == console.admin
    assert await console.sessions.launch(token, HERE) is None
    assert await kinds(console) == [EntryKind.LAUNCHED, EntryKind.LINK_REFUSED]


async def test_of_many_who_use_a_link_at_once_one_gets_in(console: Console) -> None:
    token = await console.sessions.make_launch_link(console.admin)
    cookies = await asyncio.gather(*(console.sessions.launch(token, HERE) for _ in range(10)))
    assert len([cookie for cookie in cookies if cookie]) == 1


async def test_an_old_or_invented_link_lets_nobody_in(console: Console) -> None:
    token = await console.sessions.make_launch_link(console.admin)
    await LaunchLink.all().using_db(writer()).update(created_at=datetime.now(UTC) - LAUNCH_LINK_LASTS)
    for wrong in (token, "invented", "", "\ud800"):
        assert await console.sessions.launch(wrong, HERE) is None


# -- the secret file ---------------------------------------------------------------------------------------------------


def test_the_secret_is_made_once_and_only_its_user_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    secret = load_secret(file)
    assert len(secret) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_secret(file) == secret
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_secret_that_others_can_read_or_that_is_damaged_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    load_secret(file)
    for mode in (0o644, 0o444, 0o660, 0o604, 0o602):
        file.chmod(mode)
        with pytest.raises(SecretUnusable, match=r"chmod 640 .* 64 hexadecimal digits.* pickup passphrases .* end"):
            load_secret(file)
    file.chmod(0o600)
    for damaged in ("", "xyz", "ab" * 16):
        file.write_text(damaged)
        with pytest.raises(SecretUnusable, match="damaged"):
            load_secret(file)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o640])
def test_a_secret_that_only_its_group_can_read_as_well_is_taken(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    secret = load_secret(file)
    file.chmod(mode)
    assert load_secret(file) == secret


async def test_staged_changes_belong_to_the_admin_and_others_are_told_whose_they_are(console: Console) -> None:
    key = await add_key(console)
    admin = await dana(console)
    await console.staging.stage(admin.id, key.id, privilege("search"), True)
    assert len(await console.staging.of(console.admin.id)) == 0
    assert await who_staged(Subject.AUTHKEY, [key.id]) == {key.id: {admin.id: "dana"}}
