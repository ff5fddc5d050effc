"""What a page has not drawn yet: it gathers while the page is busy, so that a hundred commits cost it one drawing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from nicegui import Client, background_tasks

from models.marks import Marks, StagingChange
from models.subjects import Row
from models.submissions import Modification
from services.feed import Commit

MOST_AT_ONCE = 200
"""Of more flashes or marks than this nobody sees single ones: the blocks are read anew instead."""
MOST_ROWS = 500
"""So many rows are sent to a page one by one."""


@dataclass(slots=True)
class News:
    """What happened since the page was last drawn, for one admin."""

    admin_id: int
    staged: bool = False
    """Whether bar and review have to say something else"""
    rows: dict[int, Row] = field(default_factory=dict)
    """Rows as they are now, read once for all pages"""
    row_ids: set[int] = field(default_factory=set)
    """Rows for which this admin staged something, here or in another window"""
    commits: list[Commit] = field(default_factory=list)
    marks: list[Marks] = field(default_factory=list)
    stale: bool = False
    """Whether the blocks have to be read anew"""
    moved: bool = False
    """Whether rows came, went or changed their place: so are the counts"""
    fell_away: int = 0

    def add_commit(self, commit: Commit, *, is_order_of_privileges: bool) -> None:
        """A submission was committed."""
        self.commits.append(commit)
        self.rows |= {row.id: row for row in commit.rows}
        self.staged = True
        if (
            is_order_of_privileges
            or commit.modifications is None
            or any(each.moves_rows for each in commit.modifications)
        ):
            self.moved = self.stale = True

    def add_staging(self, change: StagingChange) -> None:
        """Somebody's staged changes are different."""
        if change.admin_id == self.admin_id:
            self._add_own(change)
        elif not change.others_know:
            self._add_marks(change.marks)

    def _add_own(self, change: StagingChange) -> None:
        if change.elsewhere:
            return  # told again when it was read
        self.staged = True
        self.fell_away += change.fell_away
        if change.marks is None or change.moves_rows:
            self.stale = self.moved = True
        else:
            self.row_ids |= change.marks.row_ids | change.new_row_ids

    def _add_marks(self, marks: Marks | None) -> None:
        if marks is None or len(self.marks) >= MOST_AT_ONCE:
            self.stale = True
        else:
            self.marks.append(marks)

    @property
    def is_large(self) -> bool:
        """Whether these are too many rows to be sent one by one."""
        return len(self.rows) + len(self.row_ids) > MOST_ROWS

    def is_about(self, row_id: int | None) -> bool:
        """Whether a row may be another one than before."""
        return row_id is not None and (self.stale or row_id in self.rows or row_id in self.row_ids)

    def flashes(self) -> Sequence[tuple[Sequence[Modification], str]]:
        """What to mark for some seconds, and by whom it was done."""
        named = [(commit.modifications, commit.admin_name) for commit in self.commits if commit.modifications]
        return named if len(named) <= MOST_AT_ONCE else ()


class Inbox:
    """The one queue of a page. One task draws what is in it; what comes meanwhile is drawn together afterwards."""

    def __init__(self, client: Client, admin_id: int, draw: Callable[[News], Awaitable[None]]) -> None:
        self._client = client
        self._admin_id = admin_id
        self._draw = draw
        self._news: News | None = None
        self._is_drawing = False

    def note(self, add: Callable[[News], None]) -> None:
        """Something happened: `add` says to the news what."""
        self._news = self._news or News(self._admin_id)
        add(self._news)
        if not self._is_drawing:
            self._is_drawing = True
            background_tasks.create(self._draw_all(), name="drawing news")

    async def _draw_all(self) -> None:
        try:
            while (news := self._news) is not None:
                self._news = None
                with self._client:
                    await self._draw(news)
        finally:
            self._is_drawing = False
