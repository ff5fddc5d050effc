"""Invitations and resets as services: one link, one password, and who may make one. On both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from models.account_states import INVITATION_LASTS, AccountState, state_words
from models.accounts import Role
from models.errors import InvalidValue, LinkRefused, NotAllowed, TooManyAttempts
from models.history import EntryKind
from models.tables import Admin, Entry, Invitation
from services.admins import Verified
from services.console import Console
from tests.support import an_admin, came_in

PASSWORD, OTHER_PASSWORD = "vexing-marble-otter", "quiet-lantern-cactus"
HERE = "192.0.2.200"


async def state(console: Console, name: str) -> AccountState:
    now = datetime.now(UTC)
    return next(each.state(now) for each in await console.admins.accounts() if each.name == name)


async def newest(console: Console) -> tuple[EntryKind, str, str]:
    entry = (await console.history.newest(1))[0]
    return entry.kind, entry.name, entry.detail


async def is_refused(console: Console, token: str) -> None:
    with pytest.raises(LinkRefused, match="Ask an admin"):
        await console.invitations.accept(token, PASSWORD, HERE)


async def test_who_is_invited_chooses_a_password_once_and_signs_in_with_it(console: Console) -> None:
    link = await console.invitations.invite("dana", Role.AUDITOR, console.admin)
    assert await newest(console) == (
        EntryKind.ADDED,
        "dana",
        f"as auditor, with an invitation, by {console.admin.name}",
    )
    assert await state(console, "dana") is AccountState.INVITED
    opened = await console.invitations.open(link.token, HERE)
    assert (opened.admin.name, opened.admin.role, opened.is_reset) == ("dana", Role.AUDITOR, False)
    with pytest.raises(InvalidValue, match="at least 12"):
        await console.invitations.accept(link.token, "short", HERE)
    admin = (await console.invitations.accept(link.token, PASSWORD, HERE)).admin
    assert await newest(console) == (EntryKind.JOINED, "dana", "")
    assert await state(console, "dana") is AccountState.PASSWORD
    assert await console.admins.authenticate("dana", PASSWORD, HERE) == admin
    await is_refused(console, link.token)


async def test_only_a_digest_of_a_link_is_stored_and_nothing_of_it_is_on_record(console: Console) -> None:
    link = await console.invitations.invite("dana", Role.ADMIN, console.admin)
    (stored,) = await Invitation.all()
    assert link.token not in stored.digest
    assert not [entry for entry in await Entry.all() if link.token in f"{entry.name}{entry.detail}{entry.address}"]


async def test_of_many_who_use_a_link_at_once_one_chooses_the_password(console: Console) -> None:
    link = await console.invitations.invite("dana", Role.ADMIN, console.admin)
    tries = (console.invitations.accept(link.token, f"{PASSWORD} {n}", HERE) for n in range(4))
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert len([each for each in done if isinstance(each, Verified)]) == 1
    assert await Entry.filter(kind=EntryKind.JOINED).count() == 1


async def test_a_newer_link_a_password_and_disabling_each_end_the_one_before(console: Console) -> None:
    await came_in(console)
    first = await console.invitations.invite("dana", Role.ADMIN, console.admin)
    second = await console.invitations.renew("dana", console.admin)
    assert await newest(console) == (EntryKind.INVITED, "dana", f"by {console.admin.name}")
    await is_refused(console, first.token)
    await console.admins.set_disabled("dana", True, console.admin)
    await is_refused(console, second.token)
    with pytest.raises(InvalidValue, match="Enable the account first"):
        await console.invitations.renew("dana", console.admin)
    await console.admins.set_disabled("dana", False, console.admin)
    await is_refused(console, second.token)
    third = await console.invitations.renew("dana", console.admin)
    await console.admins.set_password("dana", OTHER_PASSWORD, "the command line")
    await is_refused(console, third.token)
    with pytest.raises(InvalidValue, match="has a password already"):
        await console.invitations.renew("dana", console.admin)


async def test_a_link_that_is_older_than_72_hours_lets_nobody_in(console: Console) -> None:
    link = await console.invitations.invite("dana", Role.ADMIN, console.admin)
    await Invitation.all().update(created_at=datetime.now(UTC) - INVITATION_LASTS + timedelta(minutes=1))
    await console.invitations.open(link.token, HERE)
    await Invitation.all().update(created_at=datetime.now(UTC) - INVITATION_LASTS)
    await is_refused(console, link.token)
    assert await state(console, "dana") is AccountState.EXPIRED


async def test_who_tries_links_that_are_none_is_slowed_and_on_record_once(console: Console) -> None:
    for n in range(5):
        await is_refused(console, f"invented {n}")
    with pytest.raises(TooManyAttempts, match="to use an invitation"):
        await console.invitations.open("invented", HERE)
    assert await Entry.filter(kind=EntryKind.INVITE_REFUSED, address=HERE).count() == 1
    link = await console.invitations.invite("dana", Role.ADMIN, console.admin)
    await console.invitations.open(link.token, HERE)  # who has one still gets in


async def test_a_reset_ends_the_password_and_the_sessions_at_once(console: Console) -> None:
    await came_in(console)
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    dana = await an_admin("dana")
    cookie = await console.sessions.begin(dana, HERE)
    link = await console.invitations.reset("dana", console.admin)
    assert await newest(console) == (EntryKind.RESET, "dana", f"by {console.admin.name}")
    await console.sessions.refresh()
    assert await console.sessions.find(cookie) is None
    assert await console.admins.authenticate("dana", PASSWORD, HERE) is None
    (account,) = [each for each in await console.admins.accounts() if each.name == "dana"]
    assert state_words(account, datetime.now(UTC)) == "New password pending"
    assert (await console.invitations.open(link.token, HERE)).is_reset
    again = await console.invitations.renew("dana", console.admin)
    assert again.is_reset, "what was lost is not forgotten by a second link"
    await console.invitations.accept(again.token, OTHER_PASSWORD, HERE)
    assert await console.admins.authenticate("dana", OTHER_PASSWORD, HERE) == dana


async def test_nobody_resets_their_own_account(console: Console) -> None:
    await came_in(console)
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    with pytest.raises(NotAllowed, match="your own account"):
        await console.invitations.reset("dana", await an_admin("dana"))
    assert await console.admins.authenticate("dana", PASSWORD, HERE) is not None


@pytest.mark.parametrize("changed", [{"role": Role.AUDITOR}, {"disabled": True}])
async def test_an_auditor_and_a_disabled_admin_change_no_account(console: Console, changed: dict[str, object]) -> None:
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    mallory = await an_admin("mallory")  # still an admin as far as an open page knows
    await Admin.filter(id=mallory.id).update(**changed)
    before = await Entry.all().count()
    for change in (
        console.invitations.invite("eve", Role.ADMIN, mallory),
        console.invitations.renew("mallory", mallory),
        console.invitations.reset("dana", mallory),
        console.admins.set_role("dana", Role.AUDITOR, mallory),
        console.admins.set_disabled("dana", True, mallory),
        console.admins.end_sessions("dana", mallory),
        console.admins.add("eve", PASSWORD, Role.ADMIN, mallory),
    ):
        with pytest.raises(NotAllowed, match="Nothing was changed"):
            await change
    assert await Entry.all().count() == before
    assert {each.name for each in await console.admins.accounts()} == {console.admin.name, "dana", "mallory"}


async def test_a_name_is_invited_once_and_must_be_one(console: Console) -> None:
    await console.invitations.invite("dana", Role.ADMIN, console.admin)
    with pytest.raises(InvalidValue, match="already an account 'dana'"):
        await console.invitations.invite("DANA", Role.ADMIN, console.admin)
    with pytest.raises(InvalidValue, match="letters, digits"):
        await console.invitations.invite("a b", Role.ADMIN, console.admin)


async def test_who_did_it_is_kept_by_number_so_that_the_name_can_be_erased(console: Console) -> None:
    await came_in(console)
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    await console.invitations.invite("eve", Role.ADMIN, await an_admin("dana"))
    assert (await newest(console))[2].endswith("by dana")
    await console.admins.erase_name("dana", "a test")
    assert not [each for each in await console.history.newest(100) if "dana" in f"{each.name} {each.detail}"]
    assert (await console.chain.check()).fault is None
