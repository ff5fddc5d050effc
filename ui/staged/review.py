"""The review: what a submission would do, in plain words, key by key, with conflicts and risks first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nicegui import ui

from models.addresses import sort_key
from models.privileges import MANAGE_AUTHKEYS, Privilege
from models.staged_changes import StagedChanges
from models.staged_rows import StagedRow
from models.subjects import Row, Subject
from models.submissions import Conflict, ConflictKind, LastChange
from models.wording import Consequence, changes_to, consequences, count_of
from services.listing import Listing

SHOWN_KEYS = 100
"""Keys that the review lists; of a larger submission the risky ones first."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One key of the review."""

    row_id: int
    ip: str
    service: str
    entry: StagedRow
    conflict: Conflict | None
    last: LastChange | None

    @property
    def name(self) -> str:
        """Which row it is, for a screen reader."""
        return ", ".join(filter(None, (self.ip, self.service)))


async def review_items(staged: StagedChanges, listing: Listing[Any]) -> list[ReviewItem]:
    """The keys to list: conflicts, then removals and grants of Manage Authkeys, then the rest, each by address."""
    conflicts = staged.conflicts
    ids = sorted(staged, key=lambda id_: (_rank(staged[id_], id_ in conflicts), id_))[:SHOWN_KEYS]
    found = await listing.find(ids)
    items = [
        await _item(id_, staged.taken.get(id_, id_), staged[id_], conflicts.get(id_), found.get(id_), listing)
        for id_ in ids
    ]
    return sorted(
        (item for item in items if item is not None),
        key=lambda item: (
            _rank(item.entry, item.conflict is not None),
            sort_key(item.ip) if item.ip else b"",
            item.service,
        ),
    )


def _rank(entry: StagedRow, in_conflict: bool) -> int:
    if in_conflict:
        return 0
    return 1 if entry.removal or entry.grants & MANAGE_AUTHKEYS.mask else 2


async def _item(
    row_id: int, by_id: int, entry: StagedRow, conflict: Conflict | None, row: Row | None, listing: Listing[Any]
) -> ReviewItem | None:
    last = await listing.last_change(by_id) if by_id > 0 and (conflict or row is None) else None
    name = row or last or entry.new
    if name is None:
        return None
    return ReviewItem(row_id, name.ip, name.service, entry, conflict, last)


class Review:
    """The panel beside the grid."""

    def __init__(
        self,
        subject: Subject,
        *,
        on_take_back: Callable[[list[int]], Awaitable[object]],
        on_take_back_cell: Callable[[int, Privilege], Awaitable[object]],
        on_confirm: Callable[[list[int]], Awaitable[object]],
        on_close: Callable[[], object],
    ) -> None:
        self._subject = subject
        self._on_take_back = on_take_back
        self._on_take_back_cell = on_take_back_cell
        self._on_confirm = on_confirm
        self._panel = (
            ui.element("section").classes("review").props('aria-label="Review of staged changes"').mark("review-panel")
        )
        self._panel.set_visibility(False)
        with self._panel:
            with ui.row().classes("review-head"):
                ui.label("Review").classes("review-title").props("role=heading aria-level=2")
                self._summary = ui.label().classes("review-summary")
                ui.space()
                ui.button(icon="close", on_click=on_close, color=None).props(
                    'flat round dense aria-label="Close the review"'
                )
            self._list = (
                ui.element("div").classes("review-list").props('tabindex=0 role=group aria-label="Staged changes"')
            )

    @property
    def is_open(self) -> bool:
        """Whether the panel shows."""
        return self._panel.visible

    def hide(self) -> None:
        """Close the panel."""
        self._panel.set_visibility(False)

    def show(self, items: list[ReviewItem], change_count: int, key_count: int) -> None:
        """Open the panel with these items; newly opened it begins with the first, which is the riskiest."""
        if not self.is_open:
            self._panel.client.run_javascript("document.querySelector('.review-list')?.scrollTo(0, 0)")
        self._panel.set_visibility(True)
        self._summary.set_text(changes_to(self._subject, change_count, key_count))
        self._list.clear()
        with self._list:
            if not items:
                ui.label("Nothing is staged. Tick a box in the grid to stage a change.").classes("review-empty")
            if conflicting := [item for item in items if item.conflict]:
                self._conflict_head(conflicting)
            for item in items:
                self._item(item)
            if key_count > len(items):
                ui.label(f"… and {count_of(self._subject, key_count - len(items))} more").classes("review-empty")

    def _conflict_head(self, items: list[ReviewItem]) -> None:
        with ui.element("div").classes("review-conflicts").props("role=alert"):
            need = "needs" if len(items) == 1 else "need"
            ui.label(f"{count_of(self._subject, len(items))} {need} a decision before anything can be submitted.")
            ids = [item.row_id for item in items]
            ui.button("Drop these lines", on_click=lambda: self._on_take_back(ids)).props("flat dense no-caps")

    def _item(self, item: ReviewItem) -> None:
        with ui.element("div").classes("review-item" + (" conflict" if item.conflict else "")):
            with ui.row().classes("review-key"):
                if item.ip:
                    ui.label(item.ip).classes("review-ip")
                ui.label(item.service).classes("review-service")
            if item.conflict:
                self._conflict(item, item.conflict)
            for consequence in consequences(self._subject, item.entry):
                self._line(item, consequence)

    def _line(self, item: ReviewItem, consequence: Consequence) -> None:
        with ui.row().classes(f"review-line {consequence.kind}"):
            ui.label(consequence.mark).classes("review-mark").props("aria-hidden=true")
            ui.label(consequence.text).classes("review-text")

            async def take_back() -> None:
                if consequence.privilege is None:
                    await self._on_take_back([item.row_id])
                else:
                    await self._on_take_back_cell(item.row_id, consequence.privilege)

            button = ui.button(icon="undo", on_click=take_back, color=None).props("flat round dense size=sm")
            button.props["aria-label"] = f"Take back: {consequence.text}, {item.name}"

    def _conflict(self, item: ReviewItem, conflict: Conflict) -> None:
        who = f"{item.last.admin_name} {_ago(item.last.at)}" if item.last else "somebody else"
        with ui.element("div").classes("review-conflict"):
            if conflict.kind is ConflictKind.REMOVED:
                ui.label(f"Removed by {who}. Your changes to it cannot be submitted.")
            elif conflict.kind is ConflictKind.TAKEN:
                ui.label(f"{who} made a key of this name, after you staged this one.")
            else:
                ui.label(f"Changed by {who}, after you staged its removal.")
            with ui.row().classes("review-choices"):
                ids = [item.row_id]
                ui.button("Drop", on_click=lambda: self._on_take_back(ids)).props("flat dense no-caps")
                if conflict.kind is not ConflictKind.REMOVED:
                    anyway = "Remove it anyway" if conflict.kind is ConflictKind.CHANGED else "Grant these to it"
                    ui.button(anyway, on_click=lambda: self._on_confirm(ids)).props("flat dense no-caps")


def _ago(at: datetime) -> str:
    return f"at {at:%Y-%m-%d %H:%M:%S} UTC"
