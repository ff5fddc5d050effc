"""Undoing anything that ever happened: a preview of what that would do now, and its staging."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from models.amendments import Amendment
from models.errors import InvalidValue
from models.history import Moment
from models.reversals import Later, Line, Outcome, Reversal, RowsNow, lines, reversal, towards
from models.staged_rows import Wanted
from models.subjects import Row, Subject
from models.submissions import Modification
from services.staging import Staging
from storage import authkeys, history_views, passphrases, past, submissions


class Preview(NamedTuple):
    """What undoing would do, line by line; it is staged as it is shown, or not at all."""

    subject: Subject
    title: str
    lines: Sequence[Line]

    def count(self, outcome: Outcome) -> int:
        """How many changes meet this end."""
        return sum(line.outcome is outcome for line in self.lines)


class Reversals:
    """Previews and stages them."""

    def __init__(self, stagings: Mapping[Subject, Staging[Any]]) -> None:
        self._stagings = stagings

    # -- previews ------------------------------------------------------------------------------------------------------

    async def of_entry(self, number: int) -> Preview:
        """Undoing the submission that an entry tells of, whenever it was. Raises InvalidValue if there is none."""
        entry = await history_views.entry(number)
        if entry is None or entry.submission is None:
            raise InvalidValue(f"There is no submission on record in an entry #{number}.")
        revision = entry.submission.revision
        done = (await submissions.modifications([revision]))[revision]
        return await self._preview(entry.submission.subject, f"Undo of #{number}", done, revision)

    async def between(self, earlier: Moment, later: Moment) -> Preview:
        """Giving back to all authkeys what they had at one moment, and had no more at a later one."""
        done = await past.differences(earlier.revision, later.revision)
        title = f"From #{earlier.number} to #{later.number}"
        return await self._preview(Subject.AUTHKEY, title, done, later.revision)

    async def of_row(self, row_id: int, moment: Moment, mask: int = 0) -> Preview:
        """Giving an authkey, or one privilege of it, what it had at a moment.

        Raises InvalidValue if nothing is on record of it. One privilege of a key that was not there yet was not granted: that
        takes the privilege back, not the key away.
        """
        name = await history_views.name_of(Subject.AUTHKEY, row_id)
        if name is None:
            raise InvalidValue("Nothing is on record of this authkey.")
        wanted, now = await past.state_at(row_id, moment.revision), (await authkeys.find([row_id])).get(row_id)
        if mask and now:
            wanted = now.privileges & ~mask | (wanted or 0) & mask
        done = towards(row_id, *name, wanted, now)
        newest = await submissions.newest()
        title = f"{', '.join(name)} as after #{moment.number}"
        return await self._preview(Subject.AUTHKEY, title, [done] if done else [], newest)

    async def _preview(self, subject: Subject, title: str, done: Sequence[Modification], since: int) -> Preview:
        ids = [each.row_id for each in done]
        now = await self._stagings[subject].listing.find(ids)
        removed = await _removed(subject, [id_ for id_ in ids if id_ not in now])
        names = [(row.ip, row.service) for row in removed.values()]
        taken = await authkeys.named(names) if subject is Subject.AUTHKEY else {}
        later = await history_views.changes_after(subject, since, ids)
        told = {id_: [Later(each.number, each.admin_name, each.done) for each in some] for id_, some in later.items()}
        found = await asyncio.to_thread(lines, done, RowsNow(now, removed, taken, told))
        return Preview(subject, title, found)

    # -- staging -------------------------------------------------------------------------------------------------------

    async def stage(self, admin_id: int, preview: Preview, chosen: Collection[int]) -> int:
        """Stage the chosen lines of a preview, by their places, in one step; returns for how many rows.

        What somebody changed meanwhile is decided anew by the staging itself: a row that is gone is left out.
        """
        picked = [preview.lines[place] for place in sorted(chosen) if 0 <= place < len(preview.lines)]
        wanted = reversal(picked, forced=True)
        staging = self._stagings[preview.subject]
        rows = await staging.listing.find([*wanted.cells, *wanted.removals, *wanted.texts])
        return len(await staging.stage_wanted(admin_id, _present(wanted, rows)))


def _present(wanted: Reversal, rows: Mapping[int, Row]) -> Wanted:
    return Wanted(
        {id_: both for id_, both in wanted.cells.items() if id_ in rows},
        rows,
        [rows[id_] for id_ in wanted.removals if id_ in rows],
        [id_ for id_ in wanted.restorations if id_ not in rows],
        amendments={id_: Amendment(texts=some) for id_, some in wanted.texts.items() if id_ in rows},
    )


async def _removed(subject: Subject, ids: Sequence[int]) -> Mapping[int, Row]:
    if subject is Subject.AUTHKEY:
        return await authkeys.removed(ids)
    return {id_: each for id_, each in (await passphrases.by_id(ids, removed_too=True)).items() if each.removed}
