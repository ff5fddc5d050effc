"""The review: what a submission would do, in plain words: what it comes to first, then every line, and its own Submit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from nicegui import ui

from models.amendments import TextName
from models.history_wording import effects
from models.privileges import MANAGE_AUTHKEYS, Privilege
from models.risks import Caution, StagedTotals, caution, totals_of
from models.staged_changes import StagedChanges
from models.staged_rows import StagedRow
from models.subjects import Row
from models.submissions import Conflict, ConflictKind, LastChange
from models.usage import LostCalls
from models.views import GridView
from models.wording import Consequence, changes, changes_to, consequences, count_of, lost_calls, minute, totals
from services.staging import Staging
from ui.shell.feedback import user_errors

LINES_AT_ONCE = 50
"""Rows that a group shows at once; the others are a click away."""
OPEN_GROUPS = 100
"""Up to so many rows all groups are open."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One row of the review."""

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


class ReviewGroup(NamedTuple):
    """Rows of one kind, by their ids."""

    title: str
    row_ids: list[int]


def review_groups(staged: StagedChanges) -> list[ReviewGroup]:
    """All rows, what needs a decision first, then what is risky, each once."""
    conflicts = staged.conflicts
    groups: dict[str, list[int]] = {
        title: [] for title in ("To decide", "Removals", "Grants of Manage Authkeys", "New", "Other changes")
    }
    for id_ in sorted(staged):
        groups[_group_of(staged[id_], is_conflict=id_ in conflicts)].append(id_)
    return [ReviewGroup(title, ids) for title, ids in groups.items() if ids]


def _group_of(entry: StagedRow, *, is_conflict: bool) -> str:
    if is_conflict:
        return "To decide"
    if entry.removal:
        return "Removals"
    if entry.grants & MANAGE_AUTHKEYS.mask:
        return "Grants of Manage Authkeys"
    return "New" if entry.new else "Other changes"


async def review_items(staging: Staging[Any], admin_id: int, row_ids: list[int]) -> list[ReviewItem]:
    """What the review says of these rows; of one that is gone without a trace nothing."""
    staged = await staging.of(admin_id)
    found = await staging.shown.find(admin_id, row_ids)
    items = [await _item(staging, staged, id_, found.get(id_)) for id_ in row_ids if id_ in staged]
    return [item for item in items if item is not None]


async def _item(staging: Staging[Any], staged: StagedChanges, row_id: int, row: Row | None) -> ReviewItem | None:
    conflict, by_id = staged.conflicts.get(row_id), staged.taken.get(row_id, row_id)
    last = await staging.listing.last_change(by_id) if by_id > 0 and (conflict or row is None) else None
    name = row or (last and last.done)
    return ReviewItem(row_id, name.ip, name.service, staged[row_id], conflict, last) if name else None


class Review:
    """The panel at the right side of the grid."""

    def __init__(
        self,
        staging: Staging[Any],
        admin_id: int,
        everything: GridView,
        *,
        on_take_back: Callable[[list[int]], Awaitable[object]],
        on_take_back_part: Callable[[int, Privilege | TextName], Awaitable[object]],
        on_confirm: Callable[[list[int]], Awaitable[object]],
        on_submit: Callable[[], Awaitable[object]],
        on_close: Callable[[], object],
    ) -> None:
        """`everything` is the view that shows all rows."""
        self._staging, self._admin_id, self._everything = staging, admin_id, everything
        self._on_take_back, self._on_take_back_part, self._on_confirm = on_take_back, on_take_back_part, on_confirm
        self._on_submit = on_submit
        self._drawn: StagedChanges | None = None
        self._panel = (
            ui.element("section").classes("review").props('aria-label="Review of staged changes"').mark("review-panel")
        )
        self._panel.set_visibility(False)
        with self._panel:
            with ui.row().classes("review-head"):
                ui.label("Review").classes("review-title").props("role=heading aria-level=2 tabindex=-1")
                self._summary = ui.label().classes("review-summary")
                ui.space()
                ui.button(icon="close", on_click=on_close, color=None).props(
                    'flat round dense aria-label="Close the review"'
                )
            self._list = (
                ui.element("div").classes("review-list").props('tabindex=0 role=group aria-label="Staged changes"')
            )
            self._foot = ui.element("div").classes("review-foot")

    @property
    def is_open(self) -> bool:
        """Whether the panel shows."""
        return self._panel.visible

    def hide(self) -> None:
        """Close the panel."""
        self._panel.set_visibility(False)

    async def show(self, lost: LostCalls | None) -> None:
        """Open the panel, or draw it anew if something else is staged; newly opened it begins with what is riskiest.

        `lost` are the calls that it would have refused lately, where that is known.
        """
        staged = await self._staging.of(self._admin_id)
        if self.is_open and staged is self._drawn:
            return  # what was typed, opened and scrolled to stays
        self._drawn = staged
        counted, groups = totals_of(staged), review_groups(staged)
        asked = caution(counted, await self._staging.listing.count(self._everything, self._admin_id))
        items = [await self.items(group.row_ids[:LINES_AT_ONCE]) for group in groups]
        if not self.is_open:
            self._panel.client.run_javascript("document.querySelector('.review-list')?.scrollTo(0, 0)")
        self._panel.set_visibility(True)
        self._summary.set_text(changes_to(self._staging.subject, staged.change_count, staged.key_count))
        self._list.clear()
        with self._list:
            if not groups:
                ui.label("Nothing is staged. Tick a box in the grid to stage a change.").classes("review-empty")
            else:
                self._totals(counted, lost)
            for group, some in zip(groups, items, strict=True):
                _Group(self, group, some, is_open=staged.key_count <= OPEN_GROUPS or group is groups[0])
        self._draw_foot(counted, asked)

    def _totals(self, counted: StagedTotals, lost: LostCalls | None) -> None:
        with ui.element("ul").classes("review-totals").mark("review-totals"):
            for kind, text in totals(self._staging.subject, counted):
                with ui.element("li").classes(f"review-total {kind}"):
                    ui.label(text)
        if lost is not None and (counted.revocations or counted.removals):
            ui.label(lost_calls(lost)).classes("review-lost" if lost.calls else "review-meta").mark("review-lost")

    def _draw_foot(self, counted: StagedTotals, asked: Caution) -> None:
        self._foot.clear()
        self._foot.set_visibility(counted.change_count > 0)
        with self._foot:
            number = str(counted.removals)
            if asked is Caution.TYPED:
                what = count_of(self._staging.subject, counted.removals)
                typed = ui.input(f"Type {number} to remove {what}").props("outlined dense inputmode=numeric")
                typed.classes("review-typed").mark("review-typed")
            submit = ui.button(f"Submit {changes(counted.change_count)}", on_click=self._on_submit, color=None)
            submit.props("unelevated no-caps").classes("primary").mark("review-submit")
            submit.set_enabled(asked is not Caution.TYPED)
            if asked is Caution.TYPED:
                typed.on_value_change(lambda: submit.set_enabled(_digits(typed.value) == number))

                async def on_enter() -> None:
                    if submit.enabled:
                        await self._on_submit()

                typed.on("keydown.enter", on_enter)

    async def items(self, row_ids: list[int]) -> list[ReviewItem]:
        """What it says of these rows."""
        return await review_items(self._staging, self._admin_id, row_ids)

    def draw_conflict_head(self, ids: list[int]) -> None:
        """What stands above the rows that need a decision."""
        with ui.element("div").classes("review-conflicts").props("role=alert"):
            need = "needs" if len(ids) == 1 else "need"
            subject = self._staging.subject
            ui.label(f"{count_of(subject, len(ids))} {need} a decision before anything can be submitted.")
            ui.button("Drop these lines", on_click=lambda: self._on_take_back(ids)).props("flat dense no-caps")

    def draw_item(self, item: ReviewItem) -> None:
        """One row: its name, which leads to it, its conflict, and what would be done to it."""
        with ui.element("div").classes("review-item" + (" conflict" if item.conflict else "")):
            with ui.element("button").props("type=button").classes("review-key") as key:
                key.props["aria-label"] = f"Show {item.name} in the grid"
                if item.ip:
                    ui.label(item.ip).classes("review-ip")
                ui.label(item.service).classes("review-service")
            key.on("click", js_handler=f"() => authkeys.showRow({item.row_id})")
            if item.conflict:
                self._conflict(item, item.conflict)
            for consequence in consequences(self._staging.subject, item.entry):
                self._line(item, consequence)

    def _line(self, item: ReviewItem, consequence: Consequence) -> None:
        with ui.row().classes(f"review-line {consequence.kind}"):
            ui.label(consequence.mark).classes("review-mark").props("aria-hidden=true")
            ui.label(consequence.text).classes("review-text")

            async def take_back() -> None:
                if consequence.part is None:
                    await self._on_take_back([item.row_id])
                else:
                    await self._on_take_back_part(item.row_id, consequence.part)

            button = ui.button(icon="undo", on_click=take_back, color=None).props("flat round dense size=sm")
            button.props["aria-label"] = f"Take back: {consequence.text}, {item.name}"

    def _conflict(self, item: ReviewItem, conflict: Conflict) -> None:
        ids = [item.row_id]
        with ui.element("div").classes("review-conflict"):
            ui.label(_what_happened(conflict, item.last))
            with ui.row().classes("review-choices"):
                ui.button("Drop", on_click=lambda: self._on_take_back(ids)).props("flat dense no-caps")
                if conflict.kind is not ConflictKind.REMOVED:
                    ui.button(_ANYWAY[conflict.kind], on_click=lambda: self._on_confirm(ids)).props(
                        "flat dense no-caps"
                    )


class _Group:
    """The rows of one kind, some at a time."""

    def __init__(self, review: Review, group: ReviewGroup, first: list[ReviewItem], *, is_open: bool) -> None:
        self._review, self._ids, self._shown = review, group.row_ids, len(first)
        title = f"{group.title} · {len(group.row_ids):,}"
        with ui.expansion(title, value=is_open).props("dense").classes("review-group"):
            if group.title == "To decide":
                review.draw_conflict_head(group.row_ids)
            self._list = ui.element("div")
            self._more = ui.button("Show more", on_click=self._load, color=None).props("flat dense no-caps")
        self._add(first)

    async def _load(self) -> None:
        with user_errors():
            some = self._ids[self._shown : self._shown + LINES_AT_ONCE]
            self._shown += len(some)
            self._add(await self._review.items(some))

    def _add(self, items: list[ReviewItem]) -> None:
        with self._list:
            for item in items:
                self._review.draw_item(item)
        self._more.set_text(f"Show more of {len(self._ids):,}")
        self._more.set_visibility(self._shown < len(self._ids))


_ANYWAY = {
    ConflictKind.CHANGED: "Remove it anyway",
    ConflictKind.TAKEN: "Grant these to it",
    ConflictKind.AMENDED: "Write mine over it",
}


def _what_happened(conflict: Conflict, last: LastChange | None) -> str:
    who = f"{last.admin_name}, {minute(last.at)}" if last else "somebody else"
    if conflict.kind is ConflictKind.REMOVED:
        return f"Removed by {who}. Your changes to it cannot be submitted."
    if conflict.kind is ConflictKind.TAKEN:
        return f"Made by {who}, after you staged it."
    did = f": {', '.join(text for _, text in effects(last.done))}" if last else ""
    if conflict.kind is ConflictKind.AMENDED:
        return f"Changed by {who}, after you staged this{did}."
    return f"Changed by {who}, after you staged its removal{did}."


def _digits(text: object) -> str:
    return "".join(character for character in str(text or "") if character.isdigit())
