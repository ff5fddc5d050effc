"""Pickup passphrases and registration, as services."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from models.accounts import Role
from models.errors import InvalidValue, NotAllowed, NotStaged, RegistrationRefused, RowNotFound, SubmissionRefused
from models.history import EntryKind
from models.passphrases import (
    PhraseProblem,
)
from models.secrets import digest
from models.staged_rows import StagedRow
from models.subjects import Subject
from models.submissions import Kind
from models.tables import PickupPassphrase
from services.console import Console, open_console
from storage import submissions
from storage.database import DatabaseLocation, writer
from tests.other_process import another_process
from tests.support import (
    ADD,
    SEARCH,
    add_keys,
    all_keys,
    an_admin,
    came_in,
    cells,
    digests,
    kept_passphrases,
    modifications,
    new_keys,
)
from tests.waiting import eventually

PHRASE, OTHER = "open sesame please", "close sesame please"
SERVER = "192.0.2.50"


async def make(console: Console, phrase: str = PHRASE, *privilege_ids: str, **more: object) -> int:
    await console.passphrases.add(console.admin, phrase, cells(*privilege_ids), **more)  # type: ignore[arg-type]
    return (await kept_passphrases())[0].id


async def refusal(console: Console, phrase: str = PHRASE, ip: str = SERVER) -> str:
    with pytest.raises(RegistrationRefused) as refused:
        await console.passphrases.register(phrase, "billing", ip)
    assert "not valid for this server" in str(refused.value)
    return refused.value.reason


async def recorded(console: Console) -> list[EntryKind]:
    return [entry.kind for entry in reversed(await console.history.accesses())]


# -- registering -------------------------------------------------------------------------------------------------------


async def test_a_server_registers_its_key_with_the_privileges_of_the_passphrase(console: Console) -> None:
    await make(console, PHRASE, "addlicense", "search")
    registered = await console.passphrases.register(PHRASE, " billing ", "::ffff:192.0.2.50")
    assert (registered.ip, registered.service) == (SERVER, "billing")
    (key,) = (await all_keys()).values()
    assert (key.ip, key.service, key.privileges) == (SERVER, "billing", ADD.mask | SEARCH.mask)
    assert (await digests())[key.id] == digest(registered.secret.text)
    (done,) = await modifications()
    assert (done.kind, done.before, done.after) == (Kind.REGISTERED, 0, key.privileges)
    (use,) = await console.passphrases.uses((await kept_passphrases())[0].id, 10)
    assert (use.ip, use.service) == (SERVER, "billing")


async def test_registering_again_replaces_the_key_and_sets_the_privileges_to_the_passphrases(console: Console) -> None:
    await make(console, PHRASE, "addlicense", "search")
    await make(console, OTHER, "search")
    first = await console.passphrases.register(PHRASE, "billing", SERVER)
    second = await console.passphrases.register(OTHER, "billing", SERVER)
    (key,) = (await all_keys()).values()
    assert key.privileges == SEARCH.mask
    assert list((await digests()).values()) == [digest(second.secret.text)]
    assert first.secret.text != second.secret.text
    assert [each.kind for each in await modifications()] == [Kind.REGISTERED, Kind.REREGISTERED]


async def test_a_registration_can_be_undone(console: Console) -> None:
    await make(console)
    await console.passphrases.register(PHRASE, "billing", SERVER)
    (key,) = (await all_keys()).values()
    await console.submissions.undo(key.revision, console.admin, uuid.uuid4())
    assert await all_keys() == {}


async def test_a_passphrase_works_once_unless_it_was_made_for_more(console: Console) -> None:
    await make(console)
    await make(console, OTHER, uses=2)
    await console.passphrases.register(PHRASE, "billing", SERVER)
    assert await refusal(console) == PhraseProblem.USED_UP
    for n in (1, 2):
        await console.passphrases.register(OTHER, "billing", f"192.0.2.{n}")
    assert await refusal(console, OTHER) == PhraseProblem.USED_UP
    assert len(await all_keys()) == 3


async def test_of_many_servers_that_come_at_once_with_one_use_left_one_gets_in(
    database: DatabaseLocation, console: Console
) -> None:
    await make(console)

    async def attempt(n: int) -> bool:
        try:
            await console.passphrases.register(PHRASE, "billing", f"192.0.2.{n}")
        except RegistrationRefused:
            return False
        return True

    async with another_process(database) as other:
        other.begin(register_there, PHRASE, "192.0.2.99")
        here = await asyncio.gather(*(attempt(n) for n in range(8)))
        there = await other.told()
    assert [*here, there].count(True) == 1
    assert len(await all_keys()) == 1


async def register_there(console: Console, phrase: str, ip: str) -> bool:
    try:
        await console.passphrases.register(phrase, "billing", ip)
    except RegistrationRefused:
        return False
    return True


async def test_an_unknown_expired_removed_or_foreign_phrase_lets_nobody_in_and_the_record_says_why(
    console: Console,
) -> None:
    assert await refusal(console) == PhraseProblem.UNKNOWN
    assert await refusal(console, "short") == PhraseProblem.UNKNOWN
    expired = await make(console, "expired phrase", expires_at=datetime.now(UTC) + timedelta(hours=1))
    await PickupPassphrase.filter(id=expired).using_db(writer()).update(expires_at=datetime.now(UTC))
    assert await refusal(console, "expired phrase") == PhraseProblem.EXPIRED
    await make(console, "network phrase", networks=("198.51.100.0/24", "2001:db8::/48"))
    assert await refusal(console, "network phrase") == PhraseProblem.WRONG_NETWORK
    await console.passphrases.register("network phrase", "billing", "2001:db8::7")
    removed = await make(console)
    await console.passphrase_staging.stage_removal(console.admin.id, removed)
    await console.passphrase_staging.submit(console.admin, uuid.uuid4())
    assert await refusal(console) == PhraseProblem.REMOVED
    assert EntryKind.PHRASE_REFUSED in await recorded(console)


async def test_a_phrase_of_a_disabled_admin_lets_nobody_in(console: Console) -> None:
    await console.admins.add("dana", "vexing-marble-otter", (await an_admin("x")).role, "a test")
    await console.passphrases.add(await an_admin("dana"), PHRASE, 0)
    await came_in(console)
    await console.admins.set_disabled("dana", True, "a test")
    assert await refusal(console) == PhraseProblem.MAKER_DISABLED


async def test_a_phrase_is_stored_only_as_a_digest_and_never_twice(console: Console) -> None:
    await make(console)
    assert PHRASE not in str(await PickupPassphrase.all().values())
    with pytest.raises(InvalidValue, match="used before"):
        await make(console, f" {PHRASE} ")


async def test_a_bad_service_name_uses_nothing_up(console: Console) -> None:
    await make(console)
    with pytest.raises(InvalidValue):
        await console.passphrases.register(PHRASE, "bell\a", SERVER)
    await console.passphrases.register(PHRASE, "billing", SERVER)


# -- editing, staged ---------------------------------------------------------------------------------------------------


async def test_privileges_are_staged_undone_and_submitted_like_those_of_keys(console: Console) -> None:
    staging, me = console.passphrase_staging, console.admin
    first, second = await make(console, PHRASE, "search"), await make(console, OTHER)
    await staging.stage(me.id, first, SEARCH, False)
    await staging.stage(me.id, first, ADD, True)
    await staging.stage_removal(me.id, second)
    assert (await staging.of(me.id)).change_count == 3
    await staging.undo(me.id)
    await staging.redo(me.id)
    await staging.stage(me.id, first, SEARCH, True)
    receipt = await staging.submit(me, uuid.uuid4())
    assert (receipt.change_count, receipt.key_count) == (2, 2)
    assert {each.id: each.privileges for each in await kept_passphrases()} == {first: ADD.mask | SEARCH.mask}
    assert len(await staging.of(me.id)) == 0
    (entry,) = await console.history.newest(1)
    assert entry.submission is not None
    assert entry.submission.kinds == "changed:1 removed:1"


async def test_what_is_staged_for_a_passphrase_that_somebody_removed_is_refused_and_kept(console: Console) -> None:
    first = await make(console)
    other = await an_admin("dana")
    await console.passphrase_staging.stage(console.admin.id, first, ADD, True)
    await console.passphrase_staging.stage_removal(other.id, first)
    await console.passphrase_staging.submit(other, uuid.uuid4())
    with pytest.raises(SubmissionRefused, match="1 passphrase was changed or removed by somebody else"):
        await console.passphrase_staging.submit(console.admin, uuid.uuid4())
    assert (await console.passphrase_staging.of(console.admin.id)).change_count == 1
    await console.passphrase_staging.discard(console.admin.id)
    assert (await console.passphrase_staging.of(console.admin.id)).change_count == 0


async def test_a_submission_of_passphrases_is_on_record_and_can_be_undone_removals_too(console: Console) -> None:
    me, staging = console.admin, console.passphrase_staging
    first, second = await make(console, PHRASE, "search"), await make(console, OTHER)
    await staging.stage(me.id, first, ADD, True)
    await staging.stage_removal(me.id, second)
    receipt = await staging.submit(me, uuid.uuid4())
    assert receipt.revision
    done = (await submissions.modifications([receipt.revision]))[receipt.revision]
    assert [(each.subject, each.row_id, each.kind, each.before, each.after) for each in done] == [
        (Subject.PASSPHRASE, first, Kind.CHANGED, SEARCH.mask, ADD.mask | SEARCH.mask),
        (Subject.PASSPHRASE, second, Kind.REMOVED, 0, 0),
    ]
    assert await refusal(console, OTHER) == PhraseProblem.REMOVED
    await console.submissions.undo(receipt.revision, me, uuid.uuid4())
    assert {each.id: each.privileges for each in await kept_passphrases()} == {first: SEARCH.mask, second: 0}
    await console.passphrases.register(OTHER, "billing", SERVER)


async def test_steps_on_passphrases_are_undone_by_the_next_process_and_do_not_touch_those_on_keys(
    database: DatabaseLocation,
) -> None:
    async with open_console(database) as console:
        me = console.admin
        first = await make(console, PHRASE, "search")
        (key,) = await add_keys(console, *new_keys(1))
        await console.staging.stage(me.id, key.id, ADD, True)
        await console.passphrase_staging.stage(me.id, first, ADD, True)
        await console.passphrase_staging.stage_removal(me.id, first)
    async with open_console(database) as console:
        await console.passphrase_staging.undo(me.id)
        assert (await console.passphrase_staging.of(me.id))[first] == StagedRow(grants=ADD.mask)
        await console.passphrase_staging.redo(me.id)
        assert (await console.passphrase_staging.of(me.id))[first].removal
        assert (await console.staging.of(me.id))[key.id] == StagedRow(grants=ADD.mask)
        await console.passphrase_staging.submit(me, uuid.uuid4())
        assert (await console.staging.of(me.id)).change_count == 1


async def test_a_phrase_that_another_process_removes_is_gone_from_what_was_staged_here(
    database: DatabaseLocation, console: Console
) -> None:
    first = await make(console)
    await console.passphrase_staging.stage_removal(console.admin.id, first)
    async with another_process(database) as other:
        await other.do(remove_there, first)
    await eventually(lambda: console.feed.revision == 2)
    assert len(await console.passphrase_staging.of(console.admin.id)) == 0


async def remove_there(console: Console, passphrase_id: int) -> None:
    dana = await an_admin("dana")
    await console.passphrase_staging.stage_removal(dana.id, passphrase_id)
    await console.passphrase_staging.submit(dana, uuid.uuid4())


async def test_what_cannot_be_staged_is_told(console: Console) -> None:
    first = await make(console)
    with pytest.raises(RowNotFound, match="nothing was staged"):
        await console.passphrase_staging.stage(console.admin.id, first + 1, ADD, True)
    with pytest.raises(NotStaged):
        await console.passphrase_staging.redo(console.admin.id)
    await console.passphrase_staging.stage_removal(console.admin.id, first)
    with pytest.raises(NotStaged, match="is staged for removal"):
        await console.passphrase_staging.stage(console.admin.id, first, ADD, True)


async def test_an_auditor_can_do_nothing_with_passphrases(console: Console) -> None:
    first = await make(console)
    await console.admins.add("ada", "vexing-marble-otter", Role.AUDITOR, "a test")
    auditor = await an_admin("ada")
    with pytest.raises(NotAllowed):
        await console.passphrases.add(auditor, OTHER, 0)
    with pytest.raises(NotAllowed):
        await console.passphrase_staging.stage(auditor.id, first, ADD, True)
    with pytest.raises(NotAllowed):
        await console.passphrase_staging.submit(auditor, uuid.uuid4())
