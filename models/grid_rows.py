"""A row as one admin's grid shows it: what is stored, with the admin's staged changes laid over it."""

from collections.abc import Mapping
from datetime import datetime

from models.staged_rows import StagedRow
from models.subjects import Row
from models.submissions import Conflict

GridRow = Mapping[str, int | bool | str | list[str] | None]
"""What travels to the browser for one row. The keys are fixed words: in NiceGUI a key that begins with ":" is code."""


def overlay(
    row: Row,
    entry: StagedRow,
    others: list[str] | None,
    unused: int,
    step: int,
    now: datetime,
    conflict: Conflict | None = None,
) -> GridRow:
    """The row with its stored and its staged set of privileges; a cell is staged where the two differ.

    Its texts are the staged ones; `amended` names what of it is staged beside the boxes.

    `others` are the names of other admins who have staged something for it (None: as the browser knows it already),
    `unused` are those of the stored privileges that were long unused, `revision` is the submission that last touched the
    row, `conflict` why what is staged could not be submitted, and `step` is how many staging steps the admin had taken: of two states of one revision the later one has more.
    """
    return {
        "id": row.id,
        "stored": row.privileges,
        "staged": entry.applied_to(row.privileges),
        "removal": entry.removal,
        "removed": row.removed,
        "others": others,
        "unused": unused,
        "revision": row.revision,
        "step": step,
        "conflict": conflict.kind.value if conflict else "",
        "amended": _amended(entry),
        **row.texts(now),
        **{each.name.value: each.after for each in entry.amendment.texts},
    }


def _amended(entry: StagedRow) -> list[str]:
    key = ["key"] if entry.amendment.secret and not entry.new else []
    return [*key, *(each.name.value for each in entry.amendment.texts if not entry.new)]
