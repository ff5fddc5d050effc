"""For which rows somebody has staged something: what others see of a staging step, and what instances tell each other."""

import json
from collections.abc import Collection, Container
from typing import NamedTuple

from models.subjects import Subject

NAMED_ROWS = 300
"""Rows of a step that others are told one by one; a NOTIFY holds 8,000 bytes. Of larger steps their pages read anew."""


class Marks(NamedTuple):
    """For which rows an admin has something staged now, and for which no more: what others see of a step."""

    name: str
    staged: frozenset[int]
    cleared: frozenset[int]

    @classmethod
    def of(cls, name: str, staged: Container[int], row_ids: Collection[int]) -> "Marks | None":
        """Of these rows; None if they are too many to name."""
        row_ids = [id_ for id_ in row_ids if id_ > 0]  # what shall only be made nobody else sees
        if len(row_ids) > NAMED_ROWS:
            return None
        with_something = frozenset(id_ for id_ in row_ids if id_ in staged)
        return cls(name, with_something, frozenset(row_ids) - with_something)

    @property
    def row_ids(self) -> frozenset[int]:
        """All of these rows."""
        return self.staged | self.cleared


class StagingNews(NamedTuple):
    """What one process tells the others of a step, so that they need not read it."""

    admin_id: int
    subject: Subject
    version: int
    marks: Marks | None

    def to_text(self) -> str:
        """As it is sent."""
        marks = self.marks and [self.marks.name, sorted(self.marks.staged), sorted(self.marks.cleared)]
        return json.dumps([self.admin_id, self.subject, self.version, marks], separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "StagingNews":
        """As it was sent."""
        admin_id, subject, version, marks = json.loads(text)
        name, staged, cleared = marks or ("", (), ())
        return cls(
            admin_id,
            Subject(subject),
            version,
            Marks(name, frozenset(staged), frozenset(cleared)) if marks else None,
        )


class StagingChange(NamedTuple):
    """What the event says: whose staged changes are different now, and for which rows."""

    admin_id: int
    marks: Marks | None
    """Which rows the admin has something staged for now, or no more; None if those are too many, or not known."""
    fell_away: int = 0
    """Of these, how many entries fell away because the rows already are so."""
    submitted: bool = False
    """Whether they were submitted: the change feed tells of that too."""
    elsewhere: bool = False
    """Whether another process told it: only others see it, the admin's own windows hear when it was read."""
    others_know: bool = False
    """Whether only the admin's own windows have something to show"""
    new_row_ids: frozenset[int] = frozenset()
    """The numbers of authkeys that shall be made, and have other privileges now"""
    moves_rows: bool = False
    """Whether rows came or went: authkeys that shall be made, or no more"""
