"""The authorizer as a service: who is let through, how soon changes take effect, and what it remembers of uses and denied requests."""

import uuid
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.access_checks import KeyState, Reason, decide
from models.authkeys import Authkey
from models.denials import denial
from models.manage2_functions import Requirement
from models.privileges import PRIVILEGES, Privilege
from models.secrets import Secret, new_secret
from models.subjects import Subject
from models.submissions import CellChange, NewAuthkey, NewSecret, Removal
from models.tables import DeniedRequest, KeyUse
from models.usage import NO_PRIVILEGE
from services.authorizer import Question
from services.console import Console
from services.feed import NAMED_MODIFICATIONS
from services.uses import KEPT_DENIALS
from storage.database import DatabaseLocation
from tests.other_process import another_process
from tests.support import ADD, MODIFY, SEARCH, add_keys, cells, new_keys, submit
from tests.waiting import eventually

IP, ELSEWHERE = "192.0.2.50", "192.0.2.51"


async def a_key(console: Console, *privilege_ids: str) -> tuple[Authkey, Secret]:
    secret = new_secret()
    new = NewAuthkey(IP, "billing", cells(*privilege_ids), secret.kept)
    return (await add_keys(console, new))[0], secret


async def answer(
    console: Console, secret: str | None, needs: Privilege | Requirement = SEARCH, ip: str = IP
) -> Reason | None:
    what = needs.id if isinstance(needs, Privilege) else needs.value
    return (await console.authorizer.ask(Question(secret, ip, needs, what))).reason


async def test_exactly_the_granted_privileges_pass_from_exactly_that_address(console: Console) -> None:
    _, secret = await a_key(console, "search")
    assert await answer(console, secret.text) is None
    assert await answer(console, secret.text, ip="::ffff:192.0.2.50") is None
    assert await answer(console, secret.text, ADD) is Reason.PRIVILEGE_MISSING
    assert await answer(console, secret.text, ip=ELSEWHERE) is Reason.WRONG_IP
    assert await answer(console, secret.text, ip="not an address") is Reason.UNKNOWN_KEY
    assert await answer(console, new_secret().text) is Reason.UNKNOWN_KEY
    assert await answer(console, secret.text.swapcase()) is Reason.UNKNOWN_KEY
    assert await answer(console, None) is Reason.NO_KEY
    assert await answer(console, secret.text, Requirement.ANY_KEY) is None
    assert await answer(console, secret.text, Requirement.NO_KEY) is Reason.NOT_FOR_KEYS


async def test_every_change_takes_effect_on_the_very_next_question(console: Console) -> None:
    key, secret = await a_key(console)
    assert await answer(console, secret.text) is Reason.PRIVILEGE_MISSING
    await submit(console, CellChange(key.id, SEARCH.mask, 0))
    assert await answer(console, secret.text) is None
    await submit(console, CellChange(key.id, 0, SEARCH.mask))
    assert await answer(console, secret.text) is Reason.PRIVILEGE_MISSING
    await submit(console, CellChange(key.id, SEARCH.mask, 0))

    newer = new_secret()
    assert await answer(console, newer.text) is Reason.UNKNOWN_KEY
    receipt = await submit(console, NewSecret(key.id, newer.digest, newer.hint))
    assert await answer(console, secret.text) is Reason.REPLACED
    assert await answer(console, newer.text) is None

    receipt = await submit(console, Removal(key.id, receipt.revision or 0))
    assert await answer(console, newer.text) is Reason.REMOVED
    await console.submissions.undo(receipt.revision or 0, console.admin, uuid.uuid4())
    assert await answer(console, newer.text) is None


async def test_a_submission_of_many_keys_in_use_takes_effect_for_each_of_them(console: Console) -> None:
    secrets = [new_secret() for _ in range(250)]
    keys = await add_keys(
        console,
        *(NewAuthkey(IP, f"s{n}", SEARCH.mask, each.kept) for n, each in enumerate(secrets)),
    )
    assert {await answer(console, each.text) for each in secrets} == {None}
    by_service = {key.service: key.id for key in keys}
    kept = by_service["s7"]
    await submit(console, *(CellChange(key.id, ADD.mask, SEARCH.mask) for key in keys if key.id != kept))
    for n, each in enumerate(secrets):
        assert await answer(console, each.text) is (None if n == 7 else Reason.PRIVILEGE_MISSING)
        assert await answer(console, each.text, ADD) is (Reason.PRIVILEGE_MISSING if n == 7 else None)


async def test_a_change_by_another_process_takes_effect_within_a_second(
    database: DatabaseLocation, console: Console
) -> None:
    key, secret = await a_key(console, "search")
    async with another_process(database) as other:
        assert await answer(console, secret.text) is None
        await other.do(revoke, key.id)

        async def is_refused() -> bool:
            return await answer(console, secret.text) is Reason.PRIVILEGE_MISSING

        await eventually(is_refused)


async def revoke(console: Console, authkey_id: int) -> None:
    await submit(console, CellChange(authkey_id, 0, SEARCH.mask))


async def test_a_replaced_key_is_forgotten_even_if_the_new_one_was_asked_about_first(
    database: DatabaseLocation, console: Console
) -> None:
    key, secret = await a_key(console, "search")
    newer = new_secret()
    assert await answer(console, secret.text) is None
    changes: list[Mapping[int, int] | None] = []
    console.feed.at_once = {"nobody": lambda commits: changes.append(commits.changed[Subject.AUTHKEY])}
    async with another_process(database) as other:
        await other.do(replace_key, key.id, newer)
        assert await answer(console, newer.text) is None

        async def is_told() -> bool:
            return bool(changes)

        await eventually(is_told)
    console.authorizer.invalidate_older(changes[0])
    assert await answer(console, secret.text) is Reason.REPLACED
    assert await answer(console, newer.text) is None


async def replace_key(console: Console, authkey_id: int, secret: Secret) -> None:
    await submit(console, NewSecret(authkey_id, secret.digest, secret.hint))


async def test_a_large_submission_of_another_process_takes_effect_too(
    database: DatabaseLocation, console: Console
) -> None:
    key, secret = await a_key(console, "search")
    assert await answer(console, secret.text) is None
    async with another_process(database) as other:
        await other.do(revoke_and_add, key.id, NAMED_MODIFICATIONS + 1)

        async def is_refused() -> bool:
            return await answer(console, secret.text) is Reason.PRIVILEGE_MISSING

        await eventually(is_refused)


async def revoke_and_add(console: Console, authkey_id: int, more: int) -> None:
    await submit(console, CellChange(authkey_id, 0, SEARCH.mask), *new_keys(more))


async def test_nothing_remembered_is_believed_while_the_feed_is_not_up_to_date(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = await a_key(console, "search")
    assert await answer(console, secret.text) is None
    monkeypatch.setattr(console.authorizer, "invalidate", lambda _: None)
    monkeypatch.setattr(console.feed, "heard_within", lambda _: False)
    console.submissions.first_told.clear()
    await submit(console, CellChange(key.id, 0, SEARCH.mask))
    assert await answer(console, secret.text) is Reason.PRIVILEGE_MISSING


# -- uses --------------------------------------------------------------------------------------------------------------


async def test_uses_are_counted_for_each_key_and_privilege(console: Console) -> None:
    key, secret = await a_key(console, "search", "addlicense")
    for needs in (SEARCH, SEARCH, ADD, MODIFY, Requirement.ANY_KEY):
        await answer(console, secret.text, needs)
    await console.uses.write()
    await answer(console, secret.text, SEARCH)
    await console.uses.write()
    counts = await console.uses.counts(key.id)
    assert {bit: count for bit, (count, _) in counts.items()} == {SEARCH.bit: 3, ADD.bit: 1, NO_PRIVILEGE: 1}


async def test_what_is_noted_is_written_by_itself_and_by_all_processes_together(
    database: DatabaseLocation, console: Console
) -> None:
    key, secret = await a_key(console, "search")
    async with another_process(database) as other:
        await other.do(use, secret.text)
        await answer(console, secret.text)

        async def both_are_written() -> bool:
            return sum([row.count for row in await KeyUse.filter(authkey_id=key.id)]) == 2

        await eventually(both_are_written)


async def use(console: Console, secret: str) -> None:
    assert await answer(console, secret) is None


async def test_refusals_are_grouped_with_their_reason_and_without_the_key(console: Console) -> None:
    key, secret = await a_key(console)
    wrong = new_secret().text
    for _ in range(3):
        await answer(console, secret.text)
    await answer(console, wrong)
    await console.uses.write()
    groups = {
        (each.reason, each.ip, each.authkey_id, each.what): each.times for each in await console.uses.denied_requests()
    }
    assert groups == {
        (Reason.PRIVILEGE_MISSING, IP, key.id, "search"): 3,
        (Reason.UNKNOWN_KEY, IP, 0, "search"): 1,
    }
    stored = str(await DeniedRequest.all().values())
    assert secret.text not in stored
    assert wrong not in stored


async def test_a_flood_of_different_refusals_stays_bounded(console: Console) -> None:
    for n in range(KEPT_DENIALS * 2):
        console.uses.note_denial(denial(Reason.UNKNOWN_KEY, f"10.0.{n >> 8}.{n & 255}", 0, "", "search"))
        if n % 500 == 0:
            await console.uses.write()
    await console.uses.write()
    assert 0 < await DeniedRequest.all().count() <= KEPT_DENIALS


# -- pure --------------------------------------------------------------------------------------------------------------


@given(privileges=st.integers(0, 511), needs=st.sampled_from(PRIVILEGES), right_ip=st.booleans())
def test_a_key_passes_if_and_only_if_address_and_privilege_are_right(
    privileges: int, needs: Privilege, right_ip: bool
) -> None:
    verdict = decide(KeyState(1, IP, "billing", privileges), IP if right_ip else ELSEWHERE, needs)
    assert verdict.allowed is (right_ip and bool(privileges & needs.mask))
