"""What several workers note becomes what one process would have noted: denied once, challenged and answered, in bounded memory."""

from datetime import UTC, datetime
from itertools import count
from math import inf

import pytest

from models.access_checks import Place, Reason
from models.denials import MAX_PENDING, Refused, denial
from models.manage2_functions import Requirement
from services import note_channel
from services.console import Console
from services.note_channel import GatheredNotes, ToldNotes
from tests.support import ADD, SEARCH, add_key

IP = "192.0.2.7"


_moments = count(100_000)


def moment() -> float:
    """Everything that is noted happens a hundredth of a second after the last."""
    return next(_moments) / 100


@pytest.fixture(autouse=True)
def moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_channel, "monotonic", moment)


def refused(place: Place, reason: Reason = Reason.PRIVILEGE_MISSING, digest: str = "ab" * 32) -> Refused:
    return Refused(reason, IP, 7, "billing", "XMLlookup", digest, place, moment(), datetime.now(UTC))


async def denied(console: Console, *told: ToldNotes) -> dict[tuple[Reason, str], int]:
    """What is on record once the parent has heard of these workers, in this order, and everybody's time is over."""
    gathered = GatheredNotes(console.uses)
    for worker in told:
        gathered.hear(worker.take())
    gathered.note(inf)
    await console.uses.write(all_challenges=True)
    return {(each.reason, each.what): each.times for each in await console.uses.denied_requests()}


@pytest.mark.parametrize("is_first_told", [True, False])
async def test_a_call_that_one_worker_refused_and_another_explained_is_denied_once(
    console: Console, is_first_told: bool
) -> None:
    first, second = ToldNotes(), ToldNotes()
    for _ in range(3):
        first.note_refused(refused(Place.AUTHORIZER))
        second.note_refused(refused(Place.GATEWAY))
    second.note_refused(refused(Place.GATEWAY))  # which no authorizer was asked about
    told = (first, second) if is_first_told else (second, first)
    assert await denied(console, *told) == {(Reason.PRIVILEGE_MISSING, "XMLlookup"): 4}


async def test_a_client_that_answers_its_challenge_at_another_worker_was_not_denied(console: Console) -> None:
    first, second = ToldNotes(), ToldNotes()
    first.note_refused(refused(Place.GATEWAY, Reason.NO_KEY, ""))
    second.note_credentials(IP, "XMLlookup")
    assert await denied(console, second, first) == {}


async def test_a_client_that_has_no_key_is_denied_though_it_came_with_one_before(console: Console) -> None:
    first, second = ToldNotes(), ToldNotes()
    first.note_credentials(IP, "XMLlookup")
    second.note_refused(refused(Place.GATEWAY, Reason.NO_KEY, ""))
    assert await denied(console, second, first) == {(Reason.NO_KEY, "XMLlookup"): 1}


async def test_uses_and_registrations_that_were_refused_arrive(console: Console) -> None:
    key = await add_key(console, SEARCH.mask)
    workers = [ToldNotes(), ToldNotes()]
    for worker in workers:
        worker.note_use(key.id, SEARCH)
        worker.note_use(key.id, SEARCH)
        worker.note_use(key.id, Requirement.ANY_KEY)
        worker.note_denial(denial(Reason.PHRASE_UNKNOWN, IP, 0, "billing \ud800", "XMLregisterAuth"))
    assert await denied(console, *workers) == {(Reason.PHRASE_UNKNOWN, "XMLregisterAuth"): 2}
    assert {bit: times for bit, (times, _) in (await console.uses.counts(key.id)).items()} == {SEARCH.bit: 4, -1: 2}


def test_a_worker_whose_parent_does_not_listen_keeps_what_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_channel, "_MOST_USES", 50)
    monkeypatch.setattr(note_channel, "_MOST_EVENTS", 50)
    notes = ToldNotes()
    for number in range(200):
        notes.note_use(number, ADD)
        notes.note_credentials(f"10.0.0.{number}", "search")
        notes.note_refused(refused(Place.BACKEND))
        notes.note_denial(denial(Reason.PHRASE_UNKNOWN, IP, 0, "", str(number)))
    for _ in range(5):
        notes.note_use(3, ADD)  # one that is known already still counts
    line = notes.take()
    assert line.count('"') < 4 * 50 * 12
    assert "[3,0,6," in line
    assert notes.take() == ""


async def test_while_the_database_is_away_uses_are_kept_within_bounds(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.uses._MOST_USES", 50)
    for number in range(200):
        console.uses.note_use(number, ADD)
    console.uses.note_use(3, ADD)
    assert len(console.uses._uses) == 50
    assert console.uses._uses[3, ADD.bit][0] == 2
    assert MAX_PENDING < 10_000
