"""Views that admins keep under a name: what they may be called, who may change them, and what they say."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from models.accounts import AdminIdentity
from models.errors import InvalidValue, NotAllowed
from models.privileges import PRIVILEGES, labelled
from models.texts import canonical_text, search_key
from models.views import GridView, Parse, read_view

MAX_NAME_LENGTH = 60
"""Characters"""
MAX_VIEWS = 100
"""Of one admin, all in all"""

_LABELS = {each.id: each.label for each in PRIVILEGES}


class SavedView(NamedTuple):
    """A view with its name. Its owner changes it; everybody sees it if it is shared."""

    id: int
    owner_id: int
    owner: str
    """The name of the account"""
    is_orphan: bool
    """Whether the owner's account is disabled"""
    name: str
    query: str
    """As in the address"""
    is_shared: bool

    def may_be_changed_by(self, admin: AdminIdentity) -> bool:
        """Whether this admin may rename, replace, share or delete it. What a disabled account has left, any admin may."""
        return self.owner_id == admin.id or (self.is_orphan and self.is_shared and admin.may_change)


def view_name(text: str) -> str:
    """The name as it is stored. Raises InvalidValue for none, one that is too long, and one that holds what nobody can see."""
    name = canonical_text(text, "The name")
    if not name:
        raise InvalidValue("Give the view a name.")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidValue(f"The name has {len(name)} characters; at most {MAX_NAME_LENGTH} are allowed.")
    return name


def check_sharing(is_shared: bool, *, may_change: bool) -> None:
    """Raise NotAllowed where an auditor would change what others see."""
    if is_shared and not may_change:
        raise NotAllowed("You are signed in as an auditor: your views are your own, and cannot be shared.")


def check_name_is_free(name: str, others: Iterable[SavedView]) -> None:
    """Raise InvalidValue if another view of the same owner has this name, in whatever case."""
    if taken := next((each for each in others if search_key(each.name) == search_key(name)), None):
        raise InvalidValue(f"There is already a view {taken.name!r}. Choose another name, or change that one.")


def check_count(count: int) -> None:
    """Raise InvalidValue if an admin has as many views as one may have."""
    if count >= MAX_VIEWS:
        raise InvalidValue(f"You have {count} saved views; more than {MAX_VIEWS} are not kept. Delete one first.")


def reading(query: str, parse: Parse[Any]) -> tuple[GridView, list[str]]:
    """The view that a stored query means today, and what of it cannot be any more."""
    return read_view(dict(parse_qsl(query)), parse)


def in_words(view: GridView) -> str:
    """What a view shows: `“billing”, has Manage Authkeys, by service`."""
    parts = [
        f"“{view.search}”" if view.search else "",
        f"has {labelled(view.has)}" if view.has else "",
        f"lacks {labelled(view.lacks)}" if view.lacks else "",
        "only what you have staged" if view.staged_only else "",
        *view.own_words(),
        _sorted_by(view),
    ]
    return ", ".join(filter(None, parts)) or "all rows"


def _sorted_by(view: GridView) -> str:
    natural = view.natural()
    if (view.sort, view.descending) == (natural.sort, natural.descending):
        return ""
    return f"by {_LABELS.get(view.sort, view.sort)}" + (", descending" if view.descending else "")
