"""Secrets that are in use elsewhere are taken over from a file, as they are or as digests: a fleet moves without a new key."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from models.access_checks import Reason
from models.amendments import Amendment
from models.errors import ImportRefused, InvalidValue, SubmissionRefused
from models.key_lines import HEADER, parse_key_lines
from models.secrets import Secret, new_secret
from models.staging_plans import LineOutcome, PlanPart, StagingPlan
from models.submissions import CellChange, Kind, NewAuthkey, NewSecret, Removal
from models.wording import key_hint
from services.authorizer import Question
from services.console import Console
from services.imports import import_file
from services.planning import plan_file, stage_plan
from tests.support import ADD, SEARCH, add_keys, all_keys, an_admin, digests, modifications, new_keys, submit

ONLY_SEARCH = ",0" * 8 + ",1"
IP = "192.0.2.7"


def write(path: Path, column: str, lines: Sequence[tuple[str, str]]) -> Path:
    """A file of keys that may search, each an IP and what stands in this column."""
    rows = [f"{ip},billing{ONLY_SEARCH},{value}" for ip, value in lines]
    path.write_text("\n".join([f"{','.join(HEADER)},{column}", *rows]) + "\n")
    return path


async def may_search(console: Console, secret: Secret, ip: str = IP) -> Reason | None:
    return (await console.authorizer.ask(Question(secret.text, ip, SEARCH, "search"))).reason


async def imported(console: Console, file: Path) -> None:
    """By the command line's import."""
    await import_file(file, console.admin, console.submissions)


async def planned(console: Console, file: Path) -> StagingPlan:
    return await plan_file(console.staging, console.admin.id, file, file.name)


async def staged(console: Console, file: Path) -> None:
    """By the page's import: planned, staged and submitted."""
    await stage_plan(console.staging, console.admin.id, await planned(console, file), set(PlanPart))
    submission = uuid.uuid4()
    await console.staging.submit(console.admin, submission)
    assert not console.staging.take_issued(submission), "a secret that exists is never shown"


Way = Callable[[Console, Path], Awaitable[None]]
WAYS = pytest.mark.parametrize("way", [imported, staged], ids=["command line", "page"])


@WAYS
@pytest.mark.parametrize("column", ["secret", "sha256"])
async def test_a_server_goes_on_with_the_key_that_it_has(
    console: Console, tmp_path: Path, way: Way, column: str
) -> None:
    secret = new_secret()
    value = secret.text if column == "secret" else secret.digest.upper()
    await way(console, write(tmp_path / "keys.csv", column, [(IP, f" {value} ")]))
    assert await may_search(console, secret) is None
    (key,) = (await all_keys()).values()
    assert key_hint(key) == (f"Key ends in {secret.text[-4:]}" if column == "secret" else "Key taken over as a digest")


@WAYS
async def test_the_same_file_once_more_changes_nothing(console: Console, tmp_path: Path, way: Way) -> None:
    file = write(tmp_path / "keys.csv", "secret", [(IP, new_secret().text), ("192.0.2.8", "")])
    await way(console, file)
    before = await all_keys()
    assert [line.outcome for line in (await planned(console, file)).lines] == [LineOutcome.ALREADY] * 2
    await imported(console, file)
    assert await all_keys() == before


@WAYS
async def test_a_key_without_a_secret_gets_it_and_that_is_on_record(console: Console, tmp_path: Path, way: Way) -> None:
    (key,) = await add_keys(console, NewAuthkey(IP, "billing", ADD.mask))
    secret = new_secret()
    await way(console, write(tmp_path / "keys.csv", "secret", [(IP, secret.text)]))
    assert await may_search(console, secret) is None
    done = (await modifications())[-1]
    assert (done.row_id, done.kind, done.before, done.after) == (key.id, Kind.REKEYED, ADD.mask, SEARCH.mask)
    assert done.change_count == 3
    assert (await console.chain.check()).fault is None


async def test_a_key_that_has_another_secret_keeps_it(console: Console, tmp_path: Path) -> None:
    mine, other = new_secret(), new_secret()
    await add_keys(console, NewAuthkey(IP, "billing", SEARCH.mask, mine.kept))
    file = write(tmp_path / "keys.csv", "secret", [(IP, other.text)])
    assert [line.outcome for line in (await planned(console, file)).lines] == [LineOutcome.KEYED]
    with pytest.raises(ImportRefused, match="1 secret that cannot be taken over") as refused:
        await imported(console, file)
    assert refused.value.problems == (f"{IP} (billing) has another key already.",)
    assert await may_search(console, mine) is None


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        ("in force", "it is that of 192.0.2.1 (billing)"),
        ("removed", "it is that of 192.0.2.1 (billing), which was removed and can be restored"),
        ("replaced", "192.0.2.1 (billing) had it until a new key was issued"),
    ],
)
async def test_a_secret_that_is_or_was_another_key_s_is_refused_with_its_name(
    console: Console, tmp_path: Path, fate: str, said: str
) -> None:
    secret, newer = new_secret(), new_secret()
    (key,) = await add_keys(console, NewAuthkey("192.0.2.1", "billing", SEARCH.mask, secret.kept))
    if fate == "removed":
        await submit(console, Removal(key.id, 10**6))
    elif fate == "replaced":
        await submit(console, NewSecret(key.id, newer.digest, newer.hint))
    before = await digests()
    file = write(tmp_path / "keys.csv", "secret", [(IP, secret.text), ("192.0.2.9", new_secret().text)])
    plan = await planned(console, file)
    assert [(line.outcome, line.why) for line in plan.lines] == [(LineOutcome.TAKEN, said), (LineOutcome.NEW, "")]
    with pytest.raises(ImportRefused) as refused:
        await imported(console, file)
    assert refused.value.problems == (f"{IP} (billing): its secret cannot be taken over, {said}.",)
    assert await digests() == before


async def test_what_was_planned_and_is_another_key_s_by_now_is_refused_as_a_whole(
    console: Console, tmp_path: Path
) -> None:
    secret = new_secret()
    file = write(tmp_path / "keys.csv", "secret", [(IP, secret.text)])
    await stage_plan(console.staging, console.admin.id, await planned(console, file), set(PlanPart))
    await add_keys(console, NewAuthkey("192.0.2.1", "billing", 0, secret.kept))
    with pytest.raises(
        InvalidValue, match=r"it is that of 192\.0\.2\.1 \(billing\)\. Nothing was changed.*in the review"
    ):
        await console.staging.submit(console.admin, uuid.uuid4())
    assert (await console.staging.of(console.admin.id)).change_count == 1, "all stays staged"


async def test_a_secret_that_is_staged_for_one_key_is_not_staged_for_another(console: Console, tmp_path: Path) -> None:
    secret = new_secret().text
    mine = write(tmp_path / "mine.csv", "secret", [(IP, secret)])
    await stage_plan(console.staging, console.admin.id, await planned(console, mine), set(PlanPart))
    plan = await planned(console, write(tmp_path / "more.csv", "secret", [("192.0.2.9", secret)]))
    assert [(line.outcome, line.why) for line in plan.lines] == [(LineOutcome.TAKEN, "it is staged for another key")]
    assert [line.outcome for line in (await planned(console, mine)).lines] == [LineOutcome.ALREADY]


async def test_one_secret_for_two_keys_of_one_submission_is_refused_and_says_what_to_do(console: Console) -> None:
    secret = new_secret().kept
    said = r"The secret for 192\.0\.2\.9 \(new\) cannot be taken over: 192\.0\.2\.7 \(new\) shall have it too.*in the review"
    with pytest.raises(InvalidValue, match=said):
        await submit(console, *(NewAuthkey(ip, "new", 0, secret) for ip in (IP, "192.0.2.9")))
    one, other = await add_keys(console, *new_keys(2))
    takes_over = Amendment(secret)
    with pytest.raises(InvalidValue, match="shall have it too"):
        await submit(console, *(CellChange(key.id, 0, 0, takes_over) for key in (one, other)))
    assert set((await digests()).values()) == {None}


async def test_a_key_that_was_issued_meanwhile_is_a_conflict(console: Console, tmp_path: Path) -> None:
    (key,) = await add_keys(console, *new_keys(1, SEARCH.mask))
    file = write(tmp_path / "keys.csv", "secret", [(key.ip, new_secret().text)])
    await stage_plan(console.staging, console.admin.id, await planned(console, file), set(PlanPart))
    issued = new_secret()
    await submit(console, NewSecret(key.id, issued.digest, issued.hint), admin=await an_admin("dana"))
    with pytest.raises(SubmissionRefused):
        await console.staging.submit(console.admin, uuid.uuid4())
    assert await may_search(console, issued, key.ip) is None
    await console.staging.confirm(console.admin.id, [key.id])
    assert not len(await console.staging.of(console.admin.id)), "nothing of it is left to do"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("secret", "tooshortS3cret", "its secret has 14 characters; a secret is 20 letters and digits"),
        ("secret", "with-a-dash-in-it-S3", "its secret has 20 characters; a secret is 20 letters and digits"),
        ("sha256", "S3cret", "its sha256 has 6 characters; a digest is 64 hexadecimal digits"),
        ("sha256", "S" * 64, "its sha256 has 64 characters"),
    ],
)
def test_what_is_no_secret_is_said_by_its_length_only(column: str, value: str, said: str) -> None:
    parsed = parse_key_lines([f"{','.join(HEADER)},{column}\n", f"{IP},billing{ONLY_SEARCH},{value}\n"])
    assert (parsed.assignments, parsed.problem_count) == ([], 1)
    assert said in parsed.problems[0]
    assert value not in parsed.problems[0]


def test_one_secret_for_two_keys_is_refused() -> None:
    secret = new_secret().text
    lines = [f"192.0.2.{n},billing{ONLY_SEARCH},{secret}\n" for n in range(2)]
    parsed = parse_key_lines([f"{','.join(HEADER)},secret\n", *lines])
    assert parsed.problems == ["line 3: its secret stands in line 2 already; each authkey has its own."]


def test_a_line_with_too_many_values_does_not_say_the_secret() -> None:
    secret = new_secret().text
    parsed = parse_key_lines([f"{','.join(HEADER)},secret\n", f"{IP},b{ONLY_SEARCH},{secret},x\n"])
    assert "has 13 values instead of 12" in parsed.problems[0]
    assert secret not in parsed.problems[0]


@pytest.mark.parametrize("more", ["secret,sha256", "secret,secret", "colour", "note,note"])
def test_other_columns_are_refused(more: str) -> None:
    with pytest.raises(InvalidValue, match=r"must begin with|keep one of them"):
        parse_key_lines([f"{','.join(HEADER)},{more}\n"])
