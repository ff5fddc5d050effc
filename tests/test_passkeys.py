"""Passkeys as a service: which answers prove who is there, which do not and why, and what is on record of it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from models.accounts import AdminIdentity
from models.errors import FactorRefused, InvalidValue, TooManyAttempts
from models.history import EntryKind
from models.second_factors import RECOVERY_CODES, PasskeyPlace
from models.tables import Passkey, PasskeyChallenge
from services.console import Console
from storage.database import DatabaseLocation
from tests.authenticator import Authenticator
from tests.factors import BROWSER, HERE, WHERE, Clock, add_passkey, an_account, on_record, with_passkey
from tests.other_process import another_process
from tests.support import came_in

OTHER_BROWSER = "c" * 64


async def prove(console: Console, admin: AdminIdentity, device: Authenticator, holder: str = BROWSER) -> str:
    """Ask the passkey, and check what it answers."""
    passkeys = console.second_factors.passkeys
    asked = await passkeys.ask_to_prove(admin, WHERE, BROWSER, HERE)
    return await passkeys.prove(admin, device.get(asked), WHERE, holder, HERE)


async def sign_in(console: Console, device: Authenticator) -> AdminIdentity:
    """The same without a name."""
    return (await with_passkey(console, device)).admin


async def refused(console: Console) -> str:
    """What the newest refusal on record says."""
    return (await on_record(console, EntryKind.FACTOR_REFUSED))[-1]


async def test_a_passkey_is_a_second_factor_and_brings_recovery_codes(console: Console) -> None:
    admin, session = await an_account(console)
    device = Authenticator()
    assert len(await add_passkey(console, session, device)) == RECOVERY_CODES
    assert await console.second_factors.begin_step(admin)
    assert await prove(console, admin, device) == "by the passkey laptop"
    assert await prove(console, admin, device), "and again, with another challenge"
    assert await on_record(console, EntryKind.FACTOR_ADDED) == ["the passkey laptop"]
    (listed,) = (await console.second_factors.of(admin)).passkeys
    assert listed.used_at is not None


async def test_a_passkey_alone_signs_in_if_it_was_unlocked(console: Console) -> None:
    admin, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    assert await sign_in(console, device) == admin
    device.is_unlocked = False
    assert await prove(console, admin, device), "beside a password having it is enough"
    with pytest.raises(FactorRefused):
        await sign_in(console, device)
    assert "User verification" in await refused(console)


async def test_a_disabled_account_stays_out(console: Console) -> None:
    _, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    await came_in(console)
    await console.admins.set_disabled("dana", True, "a test")
    with pytest.raises(FactorRefused):
        await sign_in(console, device)
    assert await refused(console) == "the account is disabled"


async def test_an_answer_is_taken_once_also_at_the_same_moment(console: Console) -> None:
    admin, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    passkeys = console.second_factors.passkeys
    answer = device.get(await passkeys.ask_to_prove(admin, WHERE, BROWSER, HERE))
    tries = [passkeys.prove(admin, answer, WHERE, BROWSER, HERE) for _ in range(3)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["FactorRefused"] * 2 + ["str"]
    assert await refused(console) == "an answer that was used already, or that nobody asked for"
    assert await PasskeyChallenge.all().count() == 0


async def test_a_challenge_is_good_for_five_minutes(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, "services.passkeys")
    admin, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    passkeys = console.second_factors.passkeys
    answer = device.get(await passkeys.ask_to_prove(admin, WHERE, BROWSER, HERE))
    clock.forward(minutes=5, seconds=1)
    with pytest.raises(FactorRefused):
        await passkeys.prove(admin, answer, WHERE, BROWSER, HERE)
    assert await refused(console) == "an answer that came after more than 5 minutes"


async def test_a_challenge_is_for_one_browser_and_one_purpose(console: Console) -> None:
    admin, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    with pytest.raises(FactorRefused):
        await prove(console, admin, device, OTHER_BROWSER)
    passkeys = console.second_factors.passkeys
    answer = device.get(await passkeys.ask_to_prove(admin, WHERE, BROWSER, HERE))
    with pytest.raises(FactorRefused):
        await passkeys.sign_in(answer, WHERE, BROWSER, HERE)
    said = "an answer to what another browser was asked, or for something else"
    assert await on_record(console, EntryKind.FACTOR_REFUSED) == [said]  # once a minute from one address


def from_another_site(device: Authenticator) -> None:
    device.origin = "https://keys.example.net"


def from_a_site_that_begins_alike(device: Authenticator) -> None:
    device.origin = "https://keys.example.com.evil.example"


def over_plain_http(device: Authenticator) -> None:
    device.origin = "http://keys.example.com"


def for_another_host(device: Authenticator) -> None:
    device.rp_id = "example.com"


def with_another_key(device: Authenticator) -> None:
    device._key = Authenticator()._key


WRONG = {
    from_another_site: "origin",
    from_a_site_that_begins_alike: "origin",
    over_plain_http: "origin",
    for_another_host: "RP ID",
    with_another_key: "signature",
}


@pytest.mark.parametrize(("change", "said"), WRONG.items())
async def test_an_answer_from_elsewhere_is_refused(
    console: Console, change: Callable[[Authenticator], None], said: str
) -> None:
    admin, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    change(device)
    with pytest.raises(FactorRefused, match="does not let you in here"):
        await prove(console, admin, device)
    with pytest.raises(FactorRefused):
        await sign_in(console, device)
    assert all(said in each for each in await on_record(console, EntryKind.FACTOR_REFUSED))
    (stored,) = await Passkey.all()
    assert stored.used_at is None


@pytest.mark.parametrize("change", [from_another_site, over_plain_http, for_another_host])
async def test_a_passkey_that_is_made_elsewhere_is_not_taken(
    console: Console, change: Callable[[Authenticator], None]
) -> None:
    admin, session = await an_account(console)
    device = Authenticator()
    change(device)
    with pytest.raises(FactorRefused, match="could not be made"):
        await add_passkey(console, session, device)
    assert not (await console.second_factors.of(admin)).any


async def test_a_counter_that_goes_back_is_a_clone(console: Console) -> None:
    admin, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    await prove(console, admin, device)
    device.count -= 1
    with pytest.raises(FactorRefused):
        await prove(console, admin, device)
    assert await refused(console) == "laptop: its counter went back, from 2 to 2: perhaps it was cloned"


async def test_a_counter_that_stays_at_zero_is_no_clone(console: Console) -> None:
    admin, session = await an_account(console)
    device = Authenticator()
    device.count = device.counts_by = 0
    await add_passkey(console, session, device)
    for _ in range(2):
        assert await prove(console, admin, device)


async def test_a_passkey_of_another_account_proves_nothing(console: Console) -> None:
    admin, session = await an_account(console)
    ben, bens = await an_account(console, "ben")
    await add_passkey(console, session, device := Authenticator())
    await add_passkey(console, bens, theirs := Authenticator())
    with pytest.raises(FactorRefused):
        await prove(console, ben, device)
    theirs.handle = device.handle
    with pytest.raises(FactorRefused):
        await sign_in(console, theirs)
    assert await refused(console) == "the passkey laptop names another account"
    assert await prove(console, admin, device)


@pytest.mark.parametrize("answer", ["", "x", "[]", "{}", '{"response": 7}', '{"id": 1, "response": {}}', "[" * 20_000])
async def test_what_is_no_answer_is_refused_in_words(console: Console, answer: str) -> None:
    admin, _ = await an_account(console)
    with pytest.raises(FactorRefused):
        await console.second_factors.passkeys.prove(admin, answer, WHERE, BROWSER, HERE)
    with pytest.raises(FactorRefused):
        await console.second_factors.passkeys.sign_in(answer, WHERE, BROWSER, HERE)


@pytest.mark.parametrize("part", ["authenticatorData", "signature", "clientDataJSON", "userHandle"])
@pytest.mark.parametrize("value", [None, 7, "", "AAAA", "é"])
async def test_an_answer_whose_parts_are_forged_is_refused(console: Console, part: str, value: Any) -> None:
    _, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    passkeys = console.second_factors.passkeys
    forged = json.loads(device.get(await passkeys.ask_who(WHERE, BROWSER, HERE)))
    forged["response"][part] = value
    with pytest.raises(FactorRefused):
        await passkeys.sign_in(json.dumps(forged), WHERE, BROWSER, HERE)


@pytest.mark.parametrize("credential", [None, 7, "", "\0", "\ud800", "é", "x" * 1_401])
async def test_what_is_no_id_of_a_passkey_is_refused_and_on_record(console: Console, credential: Any) -> None:
    _, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    passkeys = console.second_factors.passkeys
    forged = json.loads(device.get(await passkeys.ask_who(WHERE, BROWSER, HERE))) | {"id": credential}
    with pytest.raises(FactorRefused):
        await passkeys.sign_in(json.dumps(forged), WHERE, BROWSER, HERE)
    assert await refused(console) == "no answer of a passkey"


async def test_names_tell_passkeys_apart(console: Console) -> None:
    _, session = await an_account(console)
    await add_passkey(console, session, Authenticator(), "Laptop")
    with pytest.raises(InvalidValue, match="already"):
        await add_passkey(console, session, Authenticator(), " laptop ")
    with pytest.raises(InvalidValue, match="Give the passkey a name"):
        await add_passkey(console, session, Authenticator(), " ")


async def test_where_there_can_be_no_passkeys_it_is_said(console: Console) -> None:
    with pytest.raises(InvalidValue, match="IP address"):
        await console.second_factors.passkeys.ask_who(PasskeyPlace("192.0.2.7", "", "by the IP address"), BROWSER, HERE)


async def test_one_address_cannot_fill_the_database_with_challenges(console: Console) -> None:
    passkeys = console.second_factors.passkeys
    for _ in range(30):
        await passkeys.ask_who(WHERE, BROWSER, HERE)
    with pytest.raises(TooManyAttempts, match="with a passkey"):
        await passkeys.ask_who(WHERE, BROWSER, HERE)


async def ask_here(console: Console, name: str) -> dict[str, Any]:
    """In another process: what the passkey of this account is asked."""
    admin = next(each for each in await console.admins.accounts() if each.name == name)
    assert admin.name == name
    return await console.second_factors.passkeys.ask_who(WHERE, BROWSER, HERE)


async def sign_in_there(console: Console, answer: str) -> str:
    """In another process: check an answer."""
    return (await console.second_factors.passkeys.sign_in(answer, WHERE, BROWSER, HERE))[0].name


async def test_one_instance_asks_and_another_takes_the_answer_once(
    console: Console, database: DatabaseLocation
) -> None:
    _, session = await an_account(console)
    await add_passkey(console, session, device := Authenticator())
    async with another_process(database) as other:
        answer = device.get(await other.do(ask_here, "dana"))
        assert await other.do(sign_in_there, answer) == "dana"
        with pytest.raises(FactorRefused):
            await console.second_factors.passkeys.sign_in(answer, WHERE, BROWSER, HERE)
