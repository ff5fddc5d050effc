"""The lines of a review: which rows stand where, how they are found, and what a conflict says of others."""

import uuid
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.amendments import UNAMENDED, Amendment, TextChange, TextName
from models.decisions import decision
from models.errors import InvalidValue
from models.privileges import ALL_PRIVILEGES, MANAGE_AUTHKEYS
from models.reviews import OPEN_ROWS, Group, Heading, Outline, Position, parse_folds
from models.staged_rows import Addition, NewKey, Wanted
from models.submissions import Assignment, CellChange, Conflict, ConflictKind, NewSecret, Removal
from models.views import PassphraseView, View
from services.console import Console
from services.reviewed import ReviewedRow, ReviewPart
from tests.support import ADD, SEARCH, add_keys, an_admin, new_keys, stage_all, submit

GROUPS = st.dictionaries(st.sampled_from(Group), st.integers(1, 80)).map(
    lambda counts: {group: range(counts[group]) for group in Group if group in counts}
)
FOLDS = st.dictionaries(st.sampled_from(Group), st.booleans())


@given(GROUPS, FOLDS, st.integers(0, 400), st.integers(0, 200))
def test_a_part_is_what_stands_there_in_the_whole(
    groups: dict[Group, range], folds: dict[Group, bool], start: int, count: int
) -> None:
    outline = Outline(groups, folds)
    whole = outline.part(0, outline.length)
    assert len(whole) == outline.length
    assert outline.part(start, start + count) == whole[start : start + count]
    assert [each.group for each in whole if isinstance(each, Heading)] == list(groups)
    for above, line in pairwise(whole):
        if isinstance(line, Position):
            assert line.number == (above.number + 1 if isinstance(above, Position) else 1)


def test_of_many_rows_the_first_group_is_open_unless_the_admin_wants_otherwise() -> None:
    few = {Group.REMOVALS: range(1), Group.OTHER: range(OPEN_ROWS - 1)}
    many = {Group.REMOVALS: range(1), Group.OTHER: range(OPEN_ROWS)}
    assert Outline(few, {}).length == 2 + OPEN_ROWS
    assert Outline(many, {}).length == 2 + 1
    assert Outline(many, parse_folds("other", "removals")).length == 2 + OPEN_ROWS
    with pytest.raises(InvalidValue, match="no such group"):
        parse_folds("other,nothing", "")


# -- the rows of an admin ------------------------------------------------------------------------------------------------


async def part(console: Console, search: str = "", **more: bool) -> ReviewPart:
    folds = {Group(name): is_open for name, is_open in more.items()}
    return await console.staging.reviewed.part(console.admin.id, search, folds, 0, 200)


def said(found: ReviewPart) -> list[str]:
    """Its lines, in short."""
    return [each.group.value if isinstance(each, Heading) else f"{each.ip} {each.service}" for each in found.lines]


async def test_rows_stand_in_their_groups_by_ip_also_such_as_shall_be_made_and_removed_ones(console: Console) -> None:
    names = ("192.0.2.9", "a"), ("10.0.0.2", "b"), ("192.0.2.10", "c"), ("192.0.2.2", "gone"), ("10.0.0.1", "root")
    late, early, later, gone, root = await add_keys(console, *(Assignment(*name, 0) for name in names))
    await submit(console, Removal(gone.id, gone.revision))
    mine = console.admin.id
    await console.staging.stage(mine, root.id, MANAGE_AUTHKEYS, True)
    for key in (late, early, later):
        await console.staging.stage(mine, key.id, SEARCH, True)
    additions = [Addition(NewKey("192.0.2.7", "fresh"), 0), Addition(NewKey("10.9.0.1", "fresh"), SEARCH.mask)]
    await console.staging.stage_wanted(mine, Wanted(restored=[gone.id], additions=additions))
    assert said(await part(console)) == [
        "manage", "10.0.0.1 root",
        "new", "10.9.0.1 fresh", "192.0.2.7 fresh",
        "other", "10.0.0.2 b", "192.0.2.2 gone", "192.0.2.9 a", "192.0.2.10 c",
    ]  # fmt: skip
    assert said(await part(console, "192.0.2.0/24")) == [
        "new", "192.0.2.7 fresh", "other", "192.0.2.2 gone", "192.0.2.9 a", "192.0.2.10 c",
    ]  # fmt: skip
    assert said(await part(console, "GONE")) == ["other", "192.0.2.2 gone"]
    assert said(await part(console, "nothing")) == []
    assert (await part(console, "fresh", new=False)).row_count == 2


async def test_what_is_staged_next_stands_in_it_at_once(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2))
    await console.staging.stage(console.admin.id, two.id, SEARCH, True)
    assert said(await part(console)) == ["other", f"{two.ip} billing"]
    await console.staging.stage(console.admin.id, one.id, SEARCH, True)
    assert said(await part(console)) == ["other", f"{one.ip} billing", f"{two.ip} billing"]
    await console.staging.undo(console.admin.id)
    assert said(await part(console)) == ["other", f"{two.ip} billing"]


async def test_of_thousands_of_rows_only_those_asked_for_are_read(console: Console) -> None:
    await add_keys(console, *new_keys(3_000))
    await stage_all(console.staging, console.admin.id, View(), None, True)
    found = await console.staging.reviewed.part(console.admin.id, "", {}, 2_998, 3_098)
    assert (found.length, found.row_count, len(found.lines)) == (3_001, 3_000, 3)
    last = found.lines[-1]
    assert isinstance(last, ReviewedRow)
    assert (last.ip, last.position) == ("10.0.11.183", Position(last.position.row_id, 3_000, 3_000))


async def test_passphrases_stand_newest_first_and_are_found_by_their_notes(console: Console) -> None:
    mine, staging = console.admin.id, console.passphrase_staging
    for phrase, note in (("a phrase of five words", "rack one"), ("and one more of six words", "rack two")):
        await console.passphrases.add(console.admin, phrase, 0, note=note)
    await stage_all(staging, mine, PassphraseView.natural(), SEARCH, True)
    found = await staging.reviewed.part(mine, "", {}, 0, 10)
    assert [each.position.row_id for each in found.lines if isinstance(each, ReviewedRow)] == [2, 1]
    found = await staging.reviewed.part(mine, "rack one", {}, 0, 10)
    assert [each.position.row_id for each in found.lines if isinstance(each, ReviewedRow)] == [1]


# -- what has to be decided ----------------------------------------------------------------------------------------------


async def decided(console: Console) -> list[tuple[str, str, list[str], str]]:
    """Of each conflict who did it, how it goes on, what was done, and what can be done about it."""
    await console.staging.rebase(None)  # the change feed does it a little later
    rows = [each for each in (await part(console)).lines if isinstance(each, ReviewedRow)]
    told = [each.decision for each in rows if each.decision]
    return [(each.head, each.rest, [f"{e.mark} {e.text}" for e in each.effects], each.confirmation) for each in told]


async def test_a_conflict_says_who_changed_the_key_and_what_of_it(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1, ADD.mask))
    await console.staging.stage_removal(console.admin.id, key.id)
    dana, erin = await an_admin("dana"), await an_admin("erin")
    await submit(console, Assignment(key.ip, key.service, ADD.mask | SEARCH.mask), admin=dana)
    rest = ", after you staged its removal"
    assert await decided(console) == [
        ("Changed by dana", f"{rest}:", ["+ Granted Search for a License"], "Remove it anyway")
    ]
    await submit(console, Assignment(key.ip, key.service, SEARCH.mask), admin=erin)
    done = ["+ Granted Search for a License", "− Revoked Add a New License"]
    assert await decided(console) == [("Changed 2 times, last by erin", f"{rest}:", done, "Remove it anyway")]
    await submit(console, NewSecret(key.id, "0" * 64, "abcd"), admin=dana)
    assert (await decided(console))[0][2] == ["↻ It got a new key; one that it had before stopped working", *done]
    await console.staging.confirm(console.admin.id, [key.id])
    assert await decided(console) == []


async def test_a_conflict_says_what_became_of_texts_by_how_many_submissions_ever(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1))
    mine, dana, erin = console.admin.id, await an_admin("dana"), await an_admin("erin")
    await console.staging.stage_removal(mine, key.id)
    for before, after in (("", "Ana"), ("Ana", "Ben")):
        owner = Amendment(texts=(TextChange(TextName.OWNER, before, after),))
        await submit(console, CellChange(key.id, 0, 0, owner), admin=dana)
    await submit(console, CellChange(key.id, SEARCH.mask, 0), admin=erin)
    [(head, _, effects, _)] = await decided(console)
    assert head == "Changed 3 times, last by erin"
    assert effects == ["+ Granted Search for a License", "✎ Owner: none → Ben"]


async def test_a_text_that_somebody_else_wrote_is_told_and_nothing_else_of_the_key(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1, ADD.mask))
    mine, dana, erin = console.admin.id, await an_admin("dana"), await an_admin("erin")
    await console.staging.stage_texts(mine, [key.id], {TextName.OWNER: "Ana"})
    owner = Amendment(texts=(TextChange(TextName.OWNER, "", "Dana"),))
    await submit(console, CellChange(key.id, 0, 0, owner), admin=dana)
    await submit(console, CellChange(key.id, SEARCH.mask, 0), admin=erin)
    assert await decided(console) == [
        ("Changed by dana", ", after you staged yours:", ["✎ Owner: none → Dana"], "Write mine over it")
    ]


def test_what_the_history_no_longer_knows_is_said_of_somebody_else() -> None:
    told = decision(Conflict(ConflictKind.CHANGED, 7), None, None, UNAMENDED)
    assert (told.head, told.at, told.rest) == ("Changed by somebody else", None, ", after you staged its removal")


async def test_changes_that_came_to_nothing_are_told_as_such(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1))
    await console.staging.stage_removal(console.admin.id, key.id)
    dana = await an_admin("dana")
    for privileges in (ALL_PRIVILEGES, 0):
        await submit(console, Assignment(key.ip, key.service, privileges), admin=dana)
    [(_, _, effects, _)] = await decided(console)
    assert effects == ["± It is the same as before"]


async def test_a_conflict_over_a_removed_key_or_a_taken_name_says_who(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1))
    mine, dana = console.admin.id, await an_admin("dana")
    await console.staging.stage(mine, key.id, SEARCH, True)
    await console.staging.stage_wanted(mine, Wanted(additions=[Addition(NewKey("192.0.2.1", "new"), SEARCH.mask)]))
    await console.staging.stage_removal(dana.id, key.id)
    await console.staging.submit(dana, uuid.uuid4())
    await submit(console, Assignment("192.0.2.1", "new", ADD.mask), admin=dana)
    assert await decided(console) == [
        ("Removed by dana", ". Your changes to it cannot be submitted.", [], ""),
        ("Made by dana", ", after you staged it:", ["+ Granted Add a New License"], "Grant these to it"),
    ]
