"""Ways into an account: none that somebody else opened, none that outlives the provider, none that was shut meanwhile."""

import asyncio
import threading
from typing import Any

import pytest

from models.accounts import Role
from models.errors import DatabaseUnavailable, FactorRefused, InvalidValue, LinkRefused, NotAllowed
from models.history import EntryKind
from services.console import Console, open_console
from services.identities import link
from storage import accounts, sessions
from storage.database import DatabaseLocation
from tests.approvals import FOUR_EYES, lee
from tests.authenticator import Authenticator
from tests.factors import BROWSER, HERE, WHERE, add_passkey, an_account, on_record, session_of, with_passkey
from tests.oidc_provider import OidcProvider
from tests.program import PASSWORD
from tests.single_sign_on import rules, sign_in, sso
from tests.support import came_in
from tests.waiting import eventually

ELSEWHERE = "192.0.2.9"
NEW_PASSWORD = "another-marble-otter"


# -- that somebody else opened -------------------------------------------------------------------------------------------


async def test_with_four_eyes_no_admin_gets_into_an_account_that_the_provider_may_make_an_admins_again(
    database: DatabaseLocation, provider: OidcProvider
) -> None:
    async with open_console(database, provider=rules(provider), four_eyes=FOUR_EYES) as console:
        await sign_in(console)
        await came_in(console)
        me = await lee()
        await console.admins.set_role("dana", Role.AUDITOR, me)
        for attempt in (
            console.invitations.renew("dana", me),
            console.invitations.reset("dana", me),
            console.second_factors.reset("dana", me),
            console.admins.set_password("dana", PASSWORD, me),
        ):
            with pytest.raises(NotAllowed, match="wants four eyes"):
                await attempt
        assert (await sign_in(console)).admin.role is Role.ADMIN


async def test_a_link_that_was_made_before_lets_nobody_into_the_account_of_a_person_at_the_provider(
    linked_console: Console, provider: OidcProvider
) -> None:
    invited = await linked_console.invitations.invite("dana", Role.AUDITOR, "a test")
    await link("dana", "subject-of-dana", provider.issuer, "a test", keep_password=False)
    with pytest.raises(LinkRefused):
        await linked_console.invitations.open(invited.token, HERE)


# -- that outlives the provider ------------------------------------------------------------------------------------------


async def test_a_passkey_alone_is_no_way_in_for_who_signs_in_at_the_provider(linked_console: Console) -> None:
    arrival = await sign_in(linked_console)
    session = await session_of(linked_console, await linked_console.sessions.begin(arrival.admin, HERE))
    await add_passkey(linked_console, session, device := Authenticator())
    with pytest.raises(FactorRefused, match="signs in with single sign-on"):
        await with_passkey(linked_console, device)
    said = await on_record(linked_console, EntryKind.FACTOR_REFUSED)
    assert said == ["the passkey laptop, of an account that signs in at the provider"]
    passkeys = linked_console.second_factors.passkeys
    asked = await passkeys.ask_to_prove(arrival.admin, WHERE, BROWSER, HERE)
    assert await passkeys.prove(arrival.admin, device.get(asked), WHERE, BROWSER, HERE), "it still proves who is there"


async def test_who_has_a_password_here_too_signs_in_with_a_passkey(
    linked_console: Console, provider: OidcProvider
) -> None:
    admin, session = await an_account(linked_console)
    await add_passkey(linked_console, session, device := Authenticator())
    await link("dana", "subject-of-dana", provider.issuer, "a test", keep_password=True)
    assert (await with_passkey(linked_console, device)).admin == admin


async def test_a_logout_that_could_not_be_stored_is_done_when_the_provider_asks_again(
    linked_console: Console, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrival = await sign_in(linked_console)
    session = await session_of(linked_console, await linked_console.sessions.begin(arrival.admin, HERE))
    token = provider.logout_token(sub="subject-of-dana")

    async def disk_is_full(*_: Any, **__: Any) -> int:
        raise DatabaseUnavailable("The disk is full.")

    with monkeypatch.context() as fault:
        fault.setattr(sessions, "delete_all_of", disk_is_full)
        with pytest.raises(DatabaseUnavailable):
            await sso(linked_console).end_by_provider(token, HERE)
    assert linked_console.sessions.lasts(session)
    await sso(linked_console).end_by_provider(token, HERE)
    assert not linked_console.sessions.lasts(session)


# -- that was shut meanwhile ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["reset", "another password", "disabled"])
async def test_a_sign_in_that_is_under_way_ends_with_what_shuts_the_account(console: Console, what: str) -> None:
    admin, session = await an_account(console)
    await came_in(console)
    await add_passkey(console, session, device := Authenticator())
    verified = await console.admins.verify("dana", PASSWORD, HERE)
    assert verified
    by_passkey = await with_passkey(console, device)
    match what:
        case "reset":
            await console.invitations.reset("dana", "a test")
            await console.second_factors.reset("dana", "a test")
        case "another password":
            await console.admins.set_password("dana", NEW_PASSWORD, "a test")
        case "disabled":
            await console.admins.set_disabled("dana", True, "a test")
    with pytest.raises(InvalidValue, match="was changed at this moment"):
        await console.sessions.begin(admin, HERE, require=verified.require)
    if what != "reset":
        with pytest.raises(InvalidValue, match="was changed at this moment"):
            await console.second_factors.begin_step(admin, verified.require)
    if what != "another password":
        with pytest.raises(FactorRefused):
            await console.sessions.begin(admin, HERE, require=by_passkey.require)
    assert await console.sessions.of(admin.id) == []


async def test_an_old_password_is_not_remembered_as_right_because_its_check_took_long(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    await an_account(console)
    is_checking, go_on, verify = threading.Event(), threading.Event(), console.admins._verify

    def slowly(stored: str, password: str) -> bool:
        is_checking.set()
        assert go_on.wait(60)
        return verify(stored, password)

    look_up, looked_up = accounts.find, 0

    async def find(*about: Any) -> Any:
        nonlocal looked_up
        found = await look_up(*about)
        looked_up += 1
        return found

    monkeypatch.setattr(console.admins, "_verify", slowly)
    first = asyncio.create_task(console.admins.authenticate_script("dana", PASSWORD, HERE))
    assert await asyncio.to_thread(is_checking.wait, 60)
    await console.admins.set_password("dana", NEW_PASSWORD, "a test")
    # It asks the same, and waits for the same check; but by now another password is stored.
    monkeypatch.setattr(accounts, "find", find)
    second = asyncio.create_task(console.admins.authenticate_script("dana", PASSWORD, HERE))
    await eventually(lambda: looked_up == 1)
    go_on.set()
    await asyncio.gather(first, second)
    assert await console.admins.authenticate_script("dana", PASSWORD, ELSEWHERE) is None
    assert await console.admins.authenticate_script("dana", NEW_PASSWORD, ELSEWHERE)
