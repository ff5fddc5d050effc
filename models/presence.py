"""Who is here, and what they have staged, as others read it."""

from datetime import datetime
from typing import NamedTuple

from models.staged_rows import StagedRow
from models.subjects import Subject


class Person(NamedTuple):
    """An admin who is here."""

    admin_id: int
    name: str
    paths: tuple[str, ...]
    """Of the views that are open"""


class StagedSummary(NamedTuple):
    """How much somebody has staged for the rows of a subject."""

    admin_id: int
    subject: Subject
    change_count: int
    key_count: int
    at: datetime | None
    """When it last changed; None for what was staged with an earlier release"""


class StagedLine(NamedTuple):
    """What somebody has staged for one row."""

    ip: str
    service: str
    entry: StagedRow
