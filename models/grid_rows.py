"""An authkey as one admin's grid shows it: the stored row with the admin's staged changes laid over it."""

from typing import TypedDict

from models.staged_changes import Entry
from models.subjects import Row


class GridRow(TypedDict):
    """What travels to the browser for one row. The keys are fixed words: in NiceGUI a key that begins with ":" is code."""

    id: int
    ip: str
    service: str
    stored: int
    staged: int
    removal: bool
    others: list[str]
    """The names of other admins who have staged something for it."""
    unused: int
    """Of the stored privileges, those that were long unused."""
    revision: int
    """The submission that last touched the authkey"""
    step: int
    """How many staging steps its admin had taken: of two states of one revision the later one has more"""


def overlay(row: Row, entry: Entry, others: list[str], unused: int, step: int) -> GridRow:
    """The row with its stored and its staged set of privileges; a cell is staged where the two differ."""
    return GridRow(
        id=row.id,
        ip=row.ip,
        service=row.service,
        stored=row.privileges,
        staged=entry.applied_to(row.privileges),
        removal=entry.removal,
        others=others,
        unused=unused,
        revision=row.revision,
        step=step,
    )
