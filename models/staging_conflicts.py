"""What is known of the rows under staged changes, and which of these a submission would refuse for it."""

from collections.abc import Collection, Iterator, Mapping

from models.staged_rows import StagedRow
from models.subjects import Row
from models.submissions import Conflict, ConflictKind


class KnownRows:
    """The rows as they are now, as far as they matter to what one admin has staged for them."""

    def __init__(self) -> None:
        self._gone: set[int] = set()
        self._revisions: dict[int, int] = {}
        self._amended: dict[int, Row] = {}  # those of which a text or the secret shall be another
        self._taken: dict[int, Row] = {}  # by the number of an addition the row that has its name

    def copy(self) -> "KnownRows":
        """The same, independent of what is learned here from now on."""
        other = KnownRows()
        other._gone, other._revisions = set(self._gone), dict(self._revisions)
        other._amended, other._taken = dict(self._amended), dict(self._taken)
        return other

    def __iter__(self) -> Iterator[int]:
        """Of which rows anything is known."""
        return iter({*self._gone, *self._revisions, *self._amended, *self._taken})

    @property
    def taken(self) -> Mapping[int, Row]:
        """The rows that have the names of additions by now, by the numbers of these."""
        return self._taken

    def amended(self, row_id: int) -> Row:
        """A row that shall be amended, as it is stored."""
        return self._amended[row_id]

    # -- learning ------------------------------------------------------------------------------------------------------

    def learn(self, row_id: int, row: Row | None, entry: StagedRow) -> None:
        """A row is so now (None: no longer there), for which this is staged."""
        if row is None:
            self._gone.add(row_id)
            self._revisions.pop(row_id, None)
            return
        self._gone.discard(row_id)
        self._revisions[row_id] = row.revision
        if row_id in self._amended or any(entry.amendment):
            self._amended[row_id] = row

    def learn_amended(self, row: Row) -> None:
        """A row shall be amended that is so now."""
        self._amended[row.id] = row

    def learn_names(
        self,
        additions: Mapping[tuple[str, str], int],
        taken: Mapping[tuple[str, str], Row],
        changed: Collection[int] | None,
    ) -> None:
        """Which rows have the names of additions now, of those that changed or (None) of all."""
        kept = {} if changed is None else {id_: row for id_, row in self._taken.items() if row.id not in changed}
        self._taken = kept | {id_: taken[name] for name, id_ in additions.items() if name in taken}

    # -- deciding ------------------------------------------------------------------------------------------------------

    def conflict_of(self, row_id: int, entry: StagedRow) -> Conflict | None:
        """Why a submission would refuse this entry for a row."""
        if row_id in self._gone and not entry.restoration:
            return Conflict(ConflictKind.REMOVED, 0)
        if entry.removal and self._revisions.get(row_id, 0) > entry.revision:
            return Conflict(ConflictKind.CHANGED, self._revisions[row_id])
        row = self._amended.get(row_id)
        if row is not None and entry.amendment.is_overtaken(row):
            return Conflict(ConflictKind.AMENDED, row.revision)
        return Conflict(ConflictKind.TAKEN, self._taken[row_id].revision) if row_id in self._taken else None
