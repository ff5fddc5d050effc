"""The bar at the bottom: what is staged, and the one button that submits it."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from models.approvals import Approval
from models.subjects import Subject
from models.wording import changes, changes_to, count_of
from services.submissions import Receipt

Handler = Callable[[], Awaitable[object] | object]


class ChangeBar:
    """Counts, Review, Discard, and "Submit authkey modifications"; after a submission what was applied."""

    def __init__(
        self,
        subject: Subject,
        *,
        on_review: Handler,
        on_show: Handler,
        on_discard: Handler,
        on_submit: Handler,
        on_step_back: Handler,
        on_step_forth: Handler,
        may_change: bool,
    ) -> None:
        """`on_show` brings what is not in view, `on_step_back` and `on_step_forth` undo and redo staging steps."""
        self._subject = subject
        self._waiting: list[tuple[int, int]] = []
        self._may_change = may_change
        with ui.footer().classes("bar") as self._footer:
            self._back = self._step_button("undo", on_step_back, "step-back")
            self._forth = self._step_button("redo", on_step_forth, "step-forth")
            with ui.element("div").classes("bar-status").props("role=status aria-live=polite"):
                self._icon = ui.icon("check_circle", size="20px").classes("bar-done")
                self._count = ui.label().classes("bar-count").mark("staged-count")
                self._hidden = ui.label().classes("bar-hidden").mark("staged-hidden")
                self._show = ui.button("Show", on_click=on_show, color=None).props("flat dense no-caps")
                self._show.props('aria-label="Show the staged changes that are not in view"').mark("show-hidden")
                self._show.set_visibility(False)
                self._conflicts = ui.label().classes("bar-conflicts").mark("staged-conflicts")
                self._waits = ui.element("span").classes("bar-waits")  # what waits for approval
            self._review = ui.button("Review", on_click=on_review).props("flat no-caps").mark("review")
            self._discard = (
                ui.button("Discard", on_click=on_discard, color=None)
                .props("flat no-caps")
                .classes("quiet")
                .mark("discard")
            )
            ui.space()
            self._progress = ui.linear_progress(0, show_value=False, size="6px").classes("bar-progress")
            self._progress.props('aria-label="Submitting"')
            self._submit = (
                ui.button(f"Submit {subject} modifications", on_click=on_submit, color=None)
                .props("unelevated no-caps")
                .classes("primary")
                .mark("submit")
            )
        self._submit.set_visibility(may_change)
        for later in (self._icon, self._progress):
            later.set_visibility(False)

    def _step_button(self, icon: str, act: Handler, mark: str) -> ui.button:
        button = ui.button(icon=icon, on_click=act, color=None).props("flat round dense").classes("quiet").mark(mark)
        button.set_visibility(self._may_change)
        return button

    def show_steps(self, back: str, forth: str) -> None:
        """What the two buttons would undo and redo; empty for nothing."""
        for button, verb, what, keys in ((self._back, "Undo", back, "Ctrl+Z"), (self._forth, "Redo", forth, "Ctrl+Y")):
            button.set_enabled(bool(what))
            button.props["aria-label"] = f"{verb} {what}" if what else f"Nothing to {verb.lower()}"
            button.props["title"] = f"{verb} {what} ({keys})" if what else ""

    def hide(self) -> None:
        """Where nothing can be staged there is none."""
        self._footer.set_visibility(False)

    def show_staged(self, change_count: int, key_count: int, hidden: int, conflicts: int) -> None:
        """Say what is staged, how much of it the view does not show, and how much needs a decision."""
        if change_count:
            self._count.set_text(changes_to(self._subject, change_count, key_count))
            self._icon.set_visibility(False)
        elif not self._icon.visible:
            self._count.set_text(
                "No staged changes" if self._may_change else "You are an auditor: you see everything and change nothing"
            )
        self._hidden.set_text(f"· {hidden:,} not in view" if hidden else "")
        self._show.set_visibility(hidden > 0)
        self._conflicts.set_text(f"· {changes(conflicts)} to decide" if conflicts else "")
        self._review.set_visibility(change_count > 0)
        self._discard.set_visibility(change_count > 0)
        self._submit.set_enabled(change_count > 0)

    def show_waiting(self, approvals: Sequence[Approval]) -> None:
        """What this admin asked for and another one has not approved yet."""
        told = [(each.number, each.change_count) for each in approvals]
        if told == self._waiting:
            return
        self._waiting = told
        self._waits.clear()
        count = sum(each.change_count for each in approvals)
        if approvals:
            where = f"/approvals/{approvals[0].number}" if len(approvals) == 1 else "/approvals"
            with self._waits:
                wait = "waits" if count == 1 else "wait"
                ui.link(f"{changes(count)} {wait} for approval", where).classes("bar-waiting").mark("waiting")

    def show_receipt(self, receipt: Receipt) -> None:
        """Confirm what a submission applied; stays until the next staged change."""
        self._confirm(applied(self._subject, receipt))

    def show_undone(self, receipt: Receipt) -> None:
        """Confirm that a submission was undone."""
        self._confirm(f"Undone: {changes_to(self._subject, receipt.change_count, receipt.key_count)}")

    def _confirm(self, text: str) -> None:
        self._icon.set_visibility(True)
        self._count.set_text(text)

    def show_submitting(self, submitting: bool) -> None:
        """While a submission runs nothing else can be pressed."""
        for button in (self._review, self._discard, self._back, self._forth):
            button.set_enabled(not submitting)
        self._submit.set_enabled(not submitting)
        self._submit.props(add="loading" if submitting else "", remove="" if submitting else "loading")
        if not submitting:
            self._progress.set_visibility(False)

    def show_progress(self, done: int, total: int) -> None:
        """How far a long submission is."""
        self._progress.set_visibility(True)
        self._progress.set_value(done / total)
        self._count.set_text(f"Submitting {done:,} of {count_of(self._subject, total)}")


def asked(subject: Subject, receipt: Receipt) -> str:
    """What waits now, in words."""
    return (
        f"{changes_to(subject, receipt.change_count, receipt.key_count)}: asked for approval. Nothing is in force yet."
    )


def applied(subject: Subject, receipt: Receipt) -> str:
    """What a submission did, in words."""
    if receipt.revision is None:
        return "Nothing to apply: it is all in force already"
    return f"Applied {changes_to(subject, receipt.change_count, receipt.key_count)}"
