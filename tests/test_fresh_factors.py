"""What this server may ask for beyond a password: a second factor proven just now, where Manage Authkeys is handed out."""

import uuid
from collections.abc import AsyncIterator

import pytest

from models.errors import FactorNeeded
from models.privileges import MANAGE_AUTHKEYS
from models.second_factors import FactorPolicy
from models.submissions import Source
from services.console import Console, open_console
from services.keymaking import issue_new_key
from services.submissions import Order
from storage.database import DatabaseLocation
from tests.approvals import FOUR_EYES
from tests.factors import HERE, Clock, add_codes, an_account, session_of
from tests.other_process import another_process
from tests.program import PASSWORD
from tests.support import ADD, SEARCH, add_key, all_keys, kept_passphrases, new_keys, submissions

MANAGE = MANAGE_AUTHKEYS.mask
PHRASE = "correct horse battery staple"
POLICY = FactorPolicy(fresh=True)


@pytest.fixture
async def strict(database: DatabaseLocation) -> AsyncIterator[Console]:
    """The services with that policy, on an empty database."""
    async with open_console(database, factor_policy=POLICY) as console:
        yield console


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, "services.second_factors", "services.proofs")


async def test_a_grant_of_manage_authkeys_is_refused_until_a_factor_was_proven(strict: Console, clock: Clock) -> None:
    admin, session = await an_account(strict)
    key = await add_key(strict)
    before = await submissions()
    await strict.staging.stage(admin.id, key.id, MANAGE_AUTHKEYS, True)
    await strict.staging.stage(admin.id, key.id, ADD, True)
    with pytest.raises(FactorNeeded, match="hand out Manage Authkeys"):
        await strict.staging.submit(admin, uuid.uuid4(), session_id=session.id)
    assert await submissions() == before, "nothing was written"
    assert (await all_keys())[key.id].privileges == 0
    assert len(await strict.staging.of(admin.id)) == 1, "and nothing lost"
    await add_codes(strict, session)  # which proves it
    await strict.staging.submit(admin, uuid.uuid4(), session_id=session.id)
    assert (await all_keys())[key.id].privileges == MANAGE | ADD.mask


async def test_the_proof_is_of_one_session_and_holds_for_five_minutes(strict: Console, clock: Clock) -> None:
    admin, session = await an_account(strict)
    app, _ = await add_codes(strict, session)
    other = await session_of(strict, await strict.sessions.begin(admin, HERE))
    order = Order(uuid.uuid4(), admin, Source.GRID, new_keys(1, MANAGE))
    for session_id in (other.id, None, 0, 999_999):
        with pytest.raises(FactorNeeded):
            await strict.submissions.submit(order._replace(session_id=session_id))
    clock.forward(minutes=5, seconds=1)
    with pytest.raises(FactorNeeded):
        await strict.submissions.submit(order._replace(session_id=session.id))
    await strict.second_factors.prove_code(admin, app.at(clock.now), HERE)
    await strict.second_factors.confirm(session, by_factor=True)
    assert (await strict.submissions.submit(order._replace(session_id=session.id))).key_count == 1


async def test_a_password_is_no_second_factor(strict: Console) -> None:
    admin, session = await an_account(strict)
    await strict.second_factors.confirm(session, by_factor=False)
    with pytest.raises(FactorNeeded):
        await strict.submissions.submit(
            Order(uuid.uuid4(), admin, Source.GRID, new_keys(1, MANAGE), session_id=session.id)
        )


async def test_every_way_to_hand_out_manage_authkeys_is_guarded(strict: Console, clock: Clock) -> None:
    admin, session = await an_account(strict)
    await add_codes(strict, session)
    order = Order(uuid.uuid4(), admin, Source.GRID, new_keys(1, MANAGE), session_id=session.id)
    await strict.submissions.submit(order)
    (key,) = (await all_keys()).values()
    await strict.staging.stage_removal(admin.id, key.id)
    clock.forward(minutes=6)
    receipt = await strict.staging.submit(admin, uuid.uuid4(), session_id=session.id)  # to remove one is harmless
    with pytest.raises(FactorNeeded):  # it would come back
        await strict.submissions.undo(receipt.revision, admin, uuid.uuid4(), session.id)
    await strict.second_factors.confirm(session, by_factor=True)
    await strict.submissions.undo(receipt.revision, admin, uuid.uuid4(), session.id)
    clock.forward(minutes=6)
    with pytest.raises(FactorNeeded):  # its secret would be known to whoever asks
        await issue_new_key(strict.submissions, admin, key, session.id)
    with pytest.raises(FactorNeeded):
        await strict.passphrases.add(admin, PHRASE, MANAGE, session_id=session.id)
    assert await kept_passphrases() == []


async def test_what_hands_out_nothing_of_it_needs_no_proof(strict: Console) -> None:
    admin, session = await an_account(strict)
    every_other = SEARCH.mask | ADD.mask
    await strict.submissions.submit(
        Order(uuid.uuid4(), admin, Source.GRID, new_keys(3, every_other), session_id=session.id)
    )
    (key, *_) = (await all_keys()).values()
    await issue_new_key(strict.submissions, admin, key, session.id)
    await strict.passphrases.add(admin, PHRASE, every_other, session_id=session.id)


async def test_a_server_registers_with_what_its_phrase_has(strict: Console) -> None:
    admin, session = await an_account(strict)
    await add_codes(strict, session)
    await strict.passphrases.add(admin, PHRASE, MANAGE, session_id=session.id)
    await strict.passphrases.register(PHRASE, "billing", "192.0.2.9")
    (key,) = (await all_keys()).values()
    assert key.privileges == MANAGE


async def test_ones_password_is_changed_only_after_a_proof(strict: Console) -> None:
    admin, session = await an_account(strict)
    with pytest.raises(FactorNeeded, match="change your password"):
        await strict.admins.change_own_password(admin, PASSWORD, "harbour-lantern-quilt", session)
    await add_codes(strict, session)
    await strict.admins.change_own_password(admin, PASSWORD, "harbour-lantern-quilt", session)


async def test_without_the_policy_nothing_is_asked(console: Console) -> None:
    admin, session = await an_account(console)
    await console.submissions.submit(Order(uuid.uuid4(), admin, Source.GRID, new_keys(1, MANAGE)))
    await console.admins.change_own_password(admin, PASSWORD, "harbour-lantern-quilt", session)


async def prove_there(console: Console, session_id: int, cookie: str) -> None:
    """In another process: the factor is proven."""
    session = await session_of(console, cookie)
    assert session.id == session_id
    await console.second_factors.confirm(session, by_factor=True)


async def test_what_is_proven_at_one_instance_holds_at_another(strict: Console, database: DatabaseLocation) -> None:
    admin, _ = await an_account(strict)
    cookie = await strict.sessions.begin(admin, HERE)
    session = await session_of(strict, cookie)
    order = Order(uuid.uuid4(), admin, Source.GRID, new_keys(1, MANAGE), session_id=session.id)
    with pytest.raises(FactorNeeded):
        await strict.submissions.submit(order)
    async with another_process(database) as other:
        await other.do(prove_there, session.id, cookie)
    assert (await strict.submissions.submit(order)).key_count == 1


async def test_where_four_eyes_are_wanted_too_both_who_asks_and_who_approves_prove_it(
    database: DatabaseLocation,
) -> None:
    async with open_console(database, factor_policy=POLICY, four_eyes=FOUR_EYES) as console:
        (lee, lees), (dana, danas) = await an_account(console, "lee"), await an_account(console, "dana")
        key = await add_key(console)
        await console.staging.stage(lee.id, key.id, MANAGE_AUTHKEYS, True)
        with pytest.raises(FactorNeeded):
            await console.staging.submit(lee, uuid.uuid4(), session_id=lees.id)
        await add_codes(console, lees)
        asked = await console.staging.submit(lee, uuid.uuid4(), session_id=lees.id)
        assert asked.approval
        plan = await console.approvals.plans.of(await console.approvals.find(asked.approval))
        with pytest.raises(FactorNeeded):
            await console.approvals.approve(dana, asked.approval, plan.digest, danas.id)
        assert (await all_keys())[key.id].privileges == 0
        await add_codes(console, danas)
        await console.approvals.approve(dana, asked.approval, plan.digest, danas.id)
        assert (await all_keys())[key.id].privileges == MANAGE
