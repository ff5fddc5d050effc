"""In the header, where submissions need four eyes: how many wait for this admin, and what became of the own ones, at once."""

from collections.abc import Callable

from nicegui import ui

from models.accounts import AdminIdentity
from models.approvals import Approval, ApprovalState
from models.wording import several
from services.approvals import Approvals
from ui.shell.frame import APPROVALS_PATH, STATIC_PATH


class ApprovalsMark:
    """That of one window: a link to the approvals."""

    def __init__(
        self,
        approvals: Approvals,
        admin: AdminIdentity,
        tell: Callable[[str], object],
        root_path: str,
        *,
        is_here: bool,
    ) -> None:
        """`tell` says something to the admin; `is_here` is whether the window shows the approvals."""
        ui.add_head_html(f'<link rel="stylesheet" href="{root_path}{STATIC_PATH}/approvals.css">')
        self._approvals, self._admin, self._tell = approvals, admin, tell
        with ui.link(target=APPROVALS_PATH).classes("approvals-mark").mark("approvals-mark") as self._link:
            ui.icon("rule", size="20px").props("aria-hidden=true")
            self._count = ui.label().classes("approvals-count").mark("approvals-count")
            self._words = ui.label().classes("approvals-words").props("aria-hidden=true")
        if is_here:
            self._link.props("aria-current=page")
        self._draw()
        approvals.changed.subscribe(self._draw)
        approvals.decided.subscribe(self._decided)

    def _draw(self) -> None:
        to_decide = len(self._approvals.to_decide(self._admin))
        own = sum(each.admin_id == self._admin.id for each in self._approvals.waiting)
        self._count.set_text(str(to_decide or own))
        self._count.set_visibility(bool(to_decide or own))
        self._words.set_text("to approve" if to_decide else "waiting" if own else "")
        self._words.set_visibility(bool(to_decide or own))
        self._link.classes(add="due" if to_decide else "", remove="" if to_decide else "due")
        said = [
            f"{several(to_decide, 'approval')} wait{'s' if to_decide == 1 else ''} for you" if to_decide else "",
            f"{own} of yours wait{'s' if own == 1 else ''} for another admin" if own else "",
        ]
        name = ", ".join(filter(None, said)) or "none wait"
        self._link.props["aria-label"] = self._link.props["title"] = f"Approvals: {name}"
        self._link.update()

    def _decided(self, approval: Approval) -> None:
        if approval.admin_id != self._admin.id or approval.decider_id == self._admin.id:
            return
        back = "" if approval.state is ApprovalState.APPROVED else " It is staged again."
        self._tell(f"Your {approval.size}: {approval.said}{back}")
