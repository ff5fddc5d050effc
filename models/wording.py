"""Counts and changes in plain words, the same ones wherever they appear."""

from models.privileges import privileges_in
from models.staged_changes import Entry


def changes(count: int) -> str:
    """`1 change`, `5 changes`."""
    return "1 change" if count == 1 else f"{count:,} changes"


def keys(count: int) -> str:
    """`1 key`, `5,000 keys`."""
    return "1 key" if count == 1 else f"{count:,} keys"


def changes_to_keys(change_count: int, key_count: int) -> str:
    """`5 changes to 3 keys`."""
    return f"{changes(change_count)} to {keys(key_count)}"


def consequences(entry: Entry) -> list[tuple[str, str]]:
    """What a submission would do for one authkey: pairs of a mark (`+`, `−`, `×`) and a sentence."""
    if entry.removal:
        return [("×", "Remove: it loses every privilege and the key stops working")]
    granted = [("+", f"Grant {privilege.label}") for privilege in privileges_in(entry.grants)]
    revoked = [("−", f"Revoke {privilege.label}") for privilege in privileges_in(entry.revocations)]
    return granted + revoked
