"""The view of pickup passphrases: making one, and the active ones with staged editing. They are few: no grid is needed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request, Response
from nicegui import ui
from nicegui.events import KeyEventArguments, ValueChangeEventArguments

from models.errors import AuthkeysError
from models.passphrases import (
    MAX_LENGTH,
    MAX_NOTE_LENGTH,
    Passphrase,
    new_phrase,
    parse_expiry,
    parse_networks,
    parse_note,
    parse_uses,
    suggest_phrase,
)
from models.privileges import PRIVILEGES, Privilege, mask_of
from models.staged_changes import Entry, StagedChanges
from models.subjects import Subject
from models.submissions import Source
from models.wording import changes
from services.console import Console
from services.feed import Commit
from services.passphrases import Use
from services.staging import StagingChange
from ui.bar import ChangeBar
from ui.dialogs import show_passphrase
from ui.feedback import built, user_errors
from ui.forms import Problem
from ui.frame import TITLE
from ui.submitting import Submitting
from ui.window import Window

SHOWN = 50
"""Passphrases in the table. More are a sign that old ones should be removed."""
SHOWN_USES = 3


def register_passphrases_page(console: Console, stop: Callable[[], None] | None) -> None:
    """Register `/passphrases`."""

    @ui.page("/passphrases", title=f"Pickup Passphrases · {TITLE}")
    async def pickup_passphrases(request: Request) -> Response | None:
        return await built(PassphrasesPage(Window(console, request, stop)).build())


@dataclass(slots=True)
class _Row:
    """The elements of one passphrase that change."""

    row: ui.element
    boxes: dict[Privilege | None, ui.checkbox]
    cells: dict[Privilege | None, ui.element]
    facts: ui.element


class PassphrasesPage:
    """One open window on the passphrases."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._console = window.console
        self._passphrases = window.console.passphrases
        self._staging = window.console.passphrase_staging
        self._steps = asyncio.Lock()  # what is done in this window takes effect in the order in which it was done
        self._admin = window.admin
        self._shown: dict[int, _Row] = {}
        self._values: dict[tuple[int, Privilege | None], bool] = {}

    async def build(self) -> None:
        """Load first, then build, then subscribe."""
        await self._window.load()
        active, staged, uses = await self._load()
        self._window.build_frame("/passphrases")
        with ui.element("div").classes("page scrolling"):
            if self._admin.may_change:
                AddPassphrase(self._add)
            with ui.element("section").classes("panel").props('aria-label="Active Pickup Passphrases"'):
                ui.label("Active Pickup Passphrases").classes("panel-title").props("role=heading aria-level=2")
                self._table = ui.element("div").classes("table-area").props("tabindex=0 role=region aria-label=Table")
        self._build_bar()
        self._draw(active, staged, uses)
        self._window.subscribe()
        self._staging.changed.subscribe(self._staging_changed)
        self._console.feed.committed.subscribe(self._committed)
        ui.keyboard(self._key, ignore=["input", "textarea", "select"])

    def _build_bar(self) -> None:
        self._bar = ChangeBar(
            Subject.PASSPHRASE,
            on_drop=self._step(self._drop_conflicts),
            on_discard=self._step(self._staging.discard),
            on_undo=self._undo_submission,
            on_submit=self._submit,
            may_change=self._admin.may_change,
        )
        self._submitting = Submitting(self._window, self._staging, self._bar)

    # -- what the admin does -------------------------------------------------------------------------------------------

    async def _add(self, phrase: str, privileges: int, uses: str, expiry: str, networks: str, note: str) -> None:
        await self._window.require_session()
        await self._passphrases.add(
            self._admin,
            phrase,
            privileges,
            uses=parse_uses(uses),
            expires_at=parse_expiry(expiry, datetime.now(UTC)),
            networks=parse_networks(networks),
            note=parse_note(note),
        )
        show_passphrase(phrase.strip(), self._admin.name)

    async def _undo_submission(self) -> None:
        await self._submitting.undo()

    async def _submit(self) -> None:
        with user_errors():
            await self._window.require_session()
            await self._submitting.submit(self._steps, self._changed)

    async def _tick(self, passphrase_id: int, what: Privilege | None, value: bool) -> None:
        if self._values.get((passphrase_id, what)) is value:
            return  # the page itself set the box
        with user_errors():
            await self._window.require_session()
            async with self._steps:
                await self._stage(passphrase_id, what, value)
            return
        await self._changed()  # refused: the box shows again what is so

    async def _stage(self, passphrase_id: int, what: Privilege | None, value: bool) -> None:
        if what is not None:
            await self._staging.stage(self._admin.id, passphrase_id, what, value)
        elif value:
            await self._staging.stage_removal(self._admin.id, passphrase_id)
        else:
            await self._staging.take_back(self._admin.id, [passphrase_id])

    async def _drop_conflicts(self, admin_id: int) -> None:
        staged = await self._staging.of(admin_id)
        await self._staging.take_back(admin_id, staged.conflicts)

    def _step(self, step: Callable[[int], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def take() -> None:
            with user_errors():
                async with self._steps:
                    await self._window.require_session()
                    await step(self._admin.id)

        return take

    async def _key(self, event: KeyEventArguments) -> None:
        if not event.action.keydown or not (event.modifiers.ctrl or event.modifiers.meta):
            return
        match event.key.name.lower(), event.modifiers.shift:
            case ("z", False):
                await self._step(self._staging.undo)()
            case ("y", _) | ("z", True):
                await self._step(self._staging.redo)()

    # -- drawing -------------------------------------------------------------------------------------------------------

    async def _load(self) -> tuple[list[Passphrase], StagedChanges, dict[int, list[Use]]]:
        active = await self._passphrases.active()
        staged = await self._staging.of(self._admin.id)
        return active, staged, await self._passphrases.uses([each.id for each in active[:SHOWN]])

    async def _staging_changed(self, change: StagingChange) -> None:
        if change.admin_id == self._admin.id:
            if not change.submitted:
                self._submitting.staged_anew()
            await self._changed()

    async def _committed(self, commit: Commit) -> None:
        if commit.subject is Subject.PASSPHRASE or commit.source is Source.REGISTERED:  # which uses one
            await self._changed()

    async def _changed(self) -> None:
        with user_errors():
            self._draw(*await self._load())

    def _draw(self, active: list[Passphrase], staged: StagedChanges, uses: dict[int, list[Use]]) -> None:
        shown = active[:SHOWN]
        if [each.id for each in shown] != list(self._shown) or not shown:
            self._build_table(shown, len(active))
        for each in shown:
            self._draw_row(each, staged[each.id], uses.get(each.id, []))
        self._bar.show_staged(
            staged.change_count, staged.key_count, hidden=0, conflicts=staged.count_in(staged.conflicts)
        )

    def _build_table(self, shown: list[Passphrase], count: int) -> None:
        self._table.clear()
        self._shown.clear()
        with self._table:
            if not shown:
                ui.label("There are no pickup passphrases").classes("empty-title")
                ui.label("Make one above; with it a server registers its own key.").classes("empty-text")
                return
            with ui.element("table").classes("table phrases"):
                with ui.element("thead"), ui.element("tr"):
                    for heading in ("Passphrase", *(each.label for each in PRIVILEGES), "Remove"):
                        with ui.element("th").props("scope=col"):
                            ui.label(heading)
                with ui.element("tbody"):
                    for each in shown:
                        self._shown[each.id] = self._build_row(each)
            if count > len(shown):
                ui.label(f"… and {count - len(shown):,} older ones").classes("empty-text")

    def _build_row(self, passphrase: Passphrase) -> _Row:
        boxes: dict[Privilege | None, ui.checkbox] = {}
        cells: dict[Privilege | None, ui.element] = {}
        with ui.element("tr") as row:
            with ui.element("th").props("scope=row"):
                facts = ui.element("div").classes("phrase-facts")
            for what in (*PRIVILEGES, None):
                with ui.element("td") as cells[what]:
                    boxes[what] = self._box(passphrase.id, what)
        return _Row(row, boxes, cells, facts)

    def _box(self, passphrase_id: int, what: Privilege | None) -> ui.checkbox:
        async def tick(event: ValueChangeEventArguments) -> None:
            await self._tick(passphrase_id, what, event.value is True)

        return (
            ui.checkbox(on_change=tick).props("dense").mark(f"phrase-{passphrase_id}-{what.id if what else 'remove'}")
        )

    def _draw_row(self, passphrase: Passphrase, entry: Entry, uses: list[Use]) -> None:
        row = self._shown[passphrase.id]
        after = entry.applied_to(passphrase.privileges)
        row.row.classes(replace="row-removal" if entry.removal else "")
        for what, box in row.boxes.items():
            value = entry.removal if what is None else bool(after & what.mask)
            staged = _staged(entry, what)
            self._values[passphrase.id, what] = value
            box.set_value(value)
            box.set_enabled(self._admin.may_change and not (entry.removal and what is not None))
            row.cells[what].classes(replace=f"cell-{staged}" if staged else "")
            label = f"{what.label if what else 'Remove'}, passphrase {passphrase.id}"
            box.props["aria-label"] = f"{label}, staged" if staged else label
            box.update()
        row.facts.clear()
        with row.facts:
            _facts(passphrase, uses)


def _staged(entry: Entry, what: Privilege | None) -> str:
    """How a staged cell is marked: as in the grid of authkeys."""
    if what is None:
        return "remove" if entry.removal else ""
    return "grant" if entry.grants & what.mask else "revoke" if entry.revocations & what.mask else ""


def _facts(passphrase: Passphrase, uses: list[Use]) -> None:
    now = datetime.now(UTC)
    is_over = passphrase.used >= passphrase.uses or (passphrase.expires_at is not None and passphrase.expires_at <= now)
    made = f"#{passphrase.id} by {passphrase.made_by}, {passphrase.made_at:%Y-%m-%d %H:%M} UTC"
    ui.label(passphrase.note or made).classes("phrase-name")
    if passphrase.note:
        ui.label(made).classes("phrase-fact")
    state = "Used up: " if passphrase.used >= passphrase.uses else "Expired: " if is_over else ""
    used = f"{state}used {passphrase.used:,} of {passphrase.uses:,}"
    expiry = f", expires {passphrase.expires_at:%Y-%m-%d %H:%M} UTC" if passphrase.expires_at else ""
    networks = f", from {', '.join(passphrase.networks)}" if passphrase.networks else ""
    ui.label(f"{used}{expiry}{networks}").classes("phrase-over" if is_over else "phrase-fact")
    for use in uses[:SHOWN_USES]:
        ui.label(f"{use.ip} ({use.service}), {use.at:%Y-%m-%d %H:%M} UTC").classes("phrase-fact")
    if len(uses) > SHOWN_USES:
        ui.label(f"and {changes(len(uses) - SHOWN_USES).replace('change', 'server')} before").classes("phrase-fact")


class AddPassphrase:
    """The form of a new passphrase; `add` raises AuthkeysError, which is said in the form, and nothing typed is lost."""

    def __init__(self, add: Callable[[str, int, str, str, str, str], Awaitable[None]]) -> None:
        self._add = add
        with ui.element("section").classes("panel").props('aria-label="Add Pickup Passphrase"'):
            ui.label("Add Pickup Passphrase").classes("panel-title").props("role=heading aria-level=2")
            with ui.element("fieldset").classes("privileges"):
                with ui.element("legend"):
                    ui.label("Privileges")
                self._boxes = {each: ui.checkbox(each.label).props("dense") for each in PRIVILEGES}
            with ui.element("div").classes("phrase-form"):
                self._phrase = self._field("Passphrase", "phrase", f"maxlength={MAX_LENGTH} autocomplete=off")
                with self._phrase.add_slot("append"):
                    suggest = ui.button("Suggest", on_click=self._suggest, color=None)
                    suggest.props("flat dense no-caps").classes("quiet").mark("phrase-suggest")
                self._uses = self._field("Uses", "phrase-uses", "inputmode=numeric", "1")
                self._expiry = self._field("Expires (UTC)", "phrase-expiry", 'placeholder="Never, or 2026-12-31"')
                self._networks = self._field(
                    "Allowed networks", "phrase-networks", 'placeholder="Any, or 192.0.2.0/24"'
                )
                self._note = self._field(
                    "Note", "phrase-note", f'maxlength={MAX_NOTE_LENGTH} placeholder="What it is for"'
                )
                ui.button("Add pickup passphrase", on_click=self._submit, color=None).props(
                    "unelevated no-caps"
                ).classes("primary").mark("phrase-add")
            self._problem = Problem("phrase-problem")
            self._rules = {
                self._phrase: new_phrase,
                self._uses: parse_uses,
                self._expiry: lambda text: parse_expiry(text, datetime.now(UTC)),
                self._networks: parse_networks,
                self._note: parse_note,
            }

    def _field(self, label: str, mark: str, props: str, value: str = "") -> ui.input:
        field = ui.input(label, value=value).props(f"outlined dense stack-label {props}").mark(mark)
        field.on("keydown.enter", self._submit)
        return field

    def _suggest(self) -> None:
        self._phrase.set_value(suggest_phrase())

    async def _submit(self) -> None:
        chosen = mask_of(privilege for privilege, box in self._boxes.items() if box.value is True)
        texts = [str(field.value or "") for field in (self._uses, self._expiry, self._networks, self._note)]
        try:
            await self._add(str(self._phrase.value or ""), chosen, *texts)
        except AuthkeysError as error:
            self._problem.show(error, self._rules)
            return
        self._problem.clear()
        for field in (self._phrase, self._expiry, self._networks, self._note):
            field.set_value("")
        self._uses.set_value("1")
        for box in self._boxes.values():
            box.set_value(False)
