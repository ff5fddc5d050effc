"""Who changed an account, as the record has it: by number, so that the name can still be erased."""

import re
from collections.abc import Mapping

_ACTOR = re.compile(r"\bby account (\d{1,10})\b")


def by_account(admin_id: int) -> str:
    """What an entry says of who did it, where that is not whom it is about."""
    return f"by account {admin_id}"


def actor_in(detail: str) -> int | None:
    """The account that did it, if an entry says so."""
    found = _ACTOR.search(detail)
    return int(found[1]) if found else None


def with_names(detail: str, names: Mapping[int, str]) -> str:
    """The same for people: with the account's name as it is now."""
    return _ACTOR.sub(lambda found: f"by {names.get(int(found[1]), found[0][3:])}", detail)
