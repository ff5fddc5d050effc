"""The metrics tell what happened, cost little to read, and have no label that grows."""

import re
import uuid
from datetime import UTC, datetime

import pytest

from cli.operations import console_metrics
from models.access_checks import Place, Reason
from models.accounts import Role
from models.errors import DatabaseUnavailable, SubmissionRefused, TooManyAttempts
from models.history import Check
from models.privileges import Privilege
from models.secrets import new_secret
from models.submissions import CellChange, NewAuthkey, Removal, Source
from models.tallies import Durations, SignInOutcome
from services.authorizer import Question
from services.console import Console
from services.health import Health, HealthPart
from services.submissions import CAUSES, Order
from storage import history, secrets, vitals
from tests.program import PASSWORD
from tests.prometheus import Samples, needs_promtool, promtool, samples
from tests.support import ADD, SEARCH, add_keys, new_keys, submit

CHECKS = "authkeys_access_checks_total"


@pytest.fixture
def exposition(console: Console):
    return console_metrics(console, Health(console.supervisor, console.feed))


@pytest.fixture
def scrape(exposition):
    async def scrape() -> Samples:
        return samples(await exposition())

    return scrape


async def ask(console: Console, secret: str | None, ip: str, needs: Privilege = ADD, place=Place.AUTHORIZER) -> None:
    await console.authorizer.ask(Question(secret, ip, needs, needs.id, place))


async def test_access_checks_are_counted_by_verdict_and_reason_each_once(console: Console, scrape) -> None:
    secret = new_secret()
    await add_keys(console, NewAuthkey("192.0.2.50", "billing", ADD.mask, secret.kept))
    await ask(console, secret.text, "192.0.2.50")
    await ask(console, secret.text, "192.0.2.50")
    await ask(console, secret.text, "192.0.2.50", SEARCH)
    # The proxy hands the refused call on, for its caller to learn the reason: that is the same denied request.
    await ask(console, secret.text, "192.0.2.50", SEARCH, Place.GATEWAY)
    await ask(console, secret.text, "192.0.2.51")
    await ask(console, None, "192.0.2.51")
    found = await scrape()
    assert {key[1:]: value for key, value in found.items() if key[0] == CHECKS and value} == {
        ("none", "allowed"): 2,
        ("privilege_missing", "denied"): 1,
        ("wrong_ip", "denied"): 1,
        ("no_key", "denied"): 1,
    }
    assert found["authkeys_access_check_seconds_count",] == found["authkeys_access_check_seconds_bucket", "+Inf"] == 6
    assert 0 < found["authkeys_access_check_seconds_sum",] < 60


async def test_a_check_that_the_database_does_not_answer_is_counted_as_unanswered(
    console: Console, scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(secrets, "find", fail)
    with pytest.raises(DatabaseUnavailable):
        await ask(console, new_secret().text, "192.0.2.50")
    assert (await scrape())[CHECKS, "database", "unanswered"] == 1


async def test_submissions_are_counted_by_source_and_those_that_fail_by_cause(console: Console, scrape) -> None:
    [key] = await add_keys(console, *new_keys(1))
    before = await scrape()
    order = Order(uuid.uuid4(), console.admin, Source.GRID, [CellChange(key.id, SEARCH.mask, 0)])
    await console.submissions.submit(order)
    await submit(console, Removal(key.id, key.revision + 1))
    with pytest.raises(SubmissionRefused):
        await submit(console, CellChange(key.id, ADD.mask, 0))
    found = await scrape()
    grown = {name: value - before[name] for name, value in found.items() if value != before[name]}
    assert grown["authkeys_submissions_total", "grid"] >= 1
    assert sum(value for name, value in grown.items() if name[0] == "authkeys_submissions_total") == 2
    assert grown["authkeys_submission_seconds_count",] == 2
    assert grown["authkeys_submissions_failed_total", "conflict"] == 1


async def test_what_is_staged_is_counted_anew_only_after_a_step(console: Console, scrape) -> None:
    first, second = await add_keys(console, *new_keys(2))
    staging, me = console.staging, console.admin.id
    await staging.stage(me, first.id, SEARCH, True)
    await staging.stage(me, first.id, ADD, True)
    await staging.stage_removal(me, second.id)
    assert (await scrape())["authkeys_staged_changes", "authkey"] == 3
    known = await vitals.staged_changes()
    assert await vitals.staged_changes(known) is known
    await staging.undo(me)
    assert (await vitals.staged_changes(known)) != known
    assert (await scrape())["authkeys_staged_changes", "authkey"] == 2
    await staging.submit(console.admin, uuid.uuid4())
    assert (await scrape())["authkeys_staged_changes", "authkey"] == 0


async def test_of_very_many_staged_rows_only_so_many_are_counted(
    console: Console, scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "MOST_STAGED", 2)
    for key in await add_keys(console, *new_keys(4)):
        await console.staging.stage(console.admin.id, key.id, SEARCH, True)
    assert (await scrape())["authkeys_staged_changes", "authkey"] == 2


async def test_attempts_to_sign_in_are_counted_by_outcome_also_where_the_history_leaves_some_out(
    console: Console, scrape
) -> None:
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    dana = await console.admins.authenticate("dana", PASSWORD, "192.0.2.1")
    assert dana
    await console.sessions.begin(dana, "192.0.2.1")
    await console.sessions.launch(await console.sessions.make_launch_link(console.admin), "192.0.2.1")
    for _ in range(3):
        assert await console.sessions.launch("invented", "192.0.2.2") is None
    slowed = 0
    for _ in range(7):
        try:
            assert await console.admins.authenticate("dana", "wrong", "192.0.2.3") is None
        except TooManyAttempts:
            slowed += 1
    found = await scrape()
    assert slowed
    assert {outcome: found["authkeys_sign_in_attempts_total", outcome] for outcome in SignInOutcome} == {
        **dict.fromkeys(SignInOutcome, 0),
        SignInOutcome.SIGNED_IN: 1,
        SignInOutcome.LAUNCHED: 1,
        SignInOutcome.LINK_REFUSED: 3,
        SignInOutcome.REFUSED: 7 - slowed,
        SignInOutcome.SLOWED: slowed,
    }
    assert found["authkeys_sessions",] == 2


async def test_windows_and_the_chain_are_told(console: Console, scrape) -> None:
    await add_keys(console, *new_keys(1))
    console.presence.enter(console.admin.id, "/")
    console.presence.enter(console.admin.id, "/passphrases")
    found = await scrape()
    assert found["authkeys_open_pages",] == 2
    assert found["authkeys_chain_verified_timestamp_seconds",] == 0
    assert found["authkeys_chain_unverified_entries",] == (await history.head()).number
    await console.chain.check()
    found = await scrape()
    assert found["authkeys_chain_verified_timestamp_seconds",] == pytest.approx(datetime.now(UTC).timestamp(), abs=60)
    assert (found["authkeys_chain_unverified_entries",], found["authkeys_chain_fault",]) == (0, 0)
    await history.keep_check(Check(datetime.now(UTC), 0, "entry #1 was changed"))
    assert (await scrape())["authkeys_chain_fault",] == 1


ALLOWED = {
    "verdict": {"allowed", "denied", "unanswered"},
    "reason": {"none", "database", *(reason.name.lower() for reason in Reason)},
    "source": {source.value for source in Source},
    "cause": CAUSES,
    "outcome": {outcome.value for outcome in SignInOutcome},
    "subject": {"authkey", "passphrase"},
    "part": {part.value for part in HealthPart},
}


@needs_promtool
async def test_no_label_grows_with_keys_names_or_addresses_and_promtool_finds_nothing_to_say(
    console: Console, exposition
) -> None:
    first = await exposition()
    await add_keys(console, *new_keys(200))
    await console.admins.add("somebody", PASSWORD, Role.ADMIN, "a test")
    for number in range(200):
        await ask(console, new_secret().text, f"203.0.113.{number}")
        await console.authorizer.ask(Question(None, f"203.0.113.{number}", ADD, f"what-{number}"))
    text = await exposition()
    assert len(samples(text)) == len(samples(first)) < 200
    loops = set(console.supervisor.loops)
    for name, value in re.findall(r'(\w+)="([^"]*)"', text.decode()):
        if name in ("version", "python", "database"):
            continue  # one of each
        if name == "le":
            assert value == "+Inf" or float(value) <= 60
        else:
            assert value in (loops if name == "loop" else ALLOWED[name]), name
    promtool("check", "metrics", given=text)


def test_a_duration_counts_in_every_bucket_that_it_fits() -> None:
    durations = Durations((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        durations.add(seconds)
    assert durations.buckets() == [("0.1", 2), ("1.0", 3), ("+Inf", 4)]
    assert durations.total == pytest.approx(7.65)
