"""Four eyes: which submissions wait for another admin. Decided on what one does to the rows, not on what was asked for."""

from typing import NamedTuple

from models.amendments import has_key
from models.plans import Plan, Rows
from models.privileges import MANAGE_AUTHKEYS
from models.subjects import Subject
from models.submissions import Source
from models.wording import count_of, several

MANY_REMOVALS = 100
"""More removals in one submission wait, unless the operator says another number."""


class FourEyes(NamedTuple):
    """What the operator of the server asked for, for all admins."""

    is_on: bool = False
    removals: int = MANY_REMOVALS
    """A submission with more removals waits"""


OFF = FourEyes()


class Stakes(NamedTuple):
    """What of a submission another admin has to see."""

    grants: int = 0
    """Rows that get Manage Authkeys: also new ones, and such as come back with it"""
    removals: int = 0
    reissues: int = 0
    """Keys with Manage Authkeys whose secret is replaced: who does that holds the privilege"""

    def plus(self, other: "Stakes") -> "Stakes":
        """Both together."""
        return Stakes(*(one + more for one, more in zip(self, other, strict=True)))

    def need_another(self, asked: FourEyes) -> bool:
        """Whether another admin must approve this."""
        return asked.is_on and bool(self.grants or self.reissues or self.removals > asked.removals)

    def reasons(self, asked: FourEyes, subject: Subject) -> list[str]:
        """Why, in words: `it grants Manage Authkeys to 2 keys`."""
        many = self.removals > asked.removals
        return [
            *([f"it grants Manage Authkeys to {count_of(subject, self.grants)}"] if self.grants else []),
            *([f"it removes {count_of(subject, self.removals)}, more than {asked.removals:,}"] if many else []),
            *([f"it replaces {several(self.reissues, 'secret')} of keys with it"] if self.reissues else []),
        ]


def stakes_of(plan: Plan, rows: Rows) -> Stakes:
    """What a plan, decided on these rows, puts at stake."""
    mask = MANAGE_AUTHKEYS.mask
    changed = sum(bool(done.after & ~done.before & mask) for done in plan.modifications)
    new = sum(bool(each.privileges & mask) for each in plan.new)
    rekeyed = [row for each in plan.secrets if (row := rows.by_id.get(each.row_id)) and has_key(row)]
    return Stakes(changed + new, len(plan.removed), sum(bool(row.privileges & mask) for row in rekeyed))


_INSTEAD = {
    Source.UNDO: "Undo it in History instead: what that stages can be submitted, and waits then.",
    Source.DIALOG: "Make it without that privilege; then tick the box in the grid and submit: that waits.",
    Source.IMPORT: "Drop the file on the page instead: what that stages can be submitted, and waits then.",
}


def refusal(stakes: Stakes, asked: FourEyes, subject: Subject, source: Source) -> str:
    """Why nothing was submitted, and what to do."""
    instead = _INSTEAD.get(source, "")
    if stakes.reissues:
        instead = (
            "Revoke Manage Authkeys of them first, which takes effect at once; then issue the keys, and ask for the "
            "privilege again."
        )
    why = " and ".join(stakes.reasons(asked, subject))
    return f"Nothing was submitted: another admin must approve this, because {why}. {instead}".strip()


def nobody_to_approve(command: str) -> str:
    """What is said where there is only one admin; `command` makes an account."""
    return (
        "There is no other admin who could approve it. Somebody who can run commands on the server makes one "
        f"({command}), or does it there: import and other commands wait for nobody."
    )
