"""The nine privileges of the seed page, in its order.

Labels and descriptions: docs.cpanel.net/manage2/admin/api-authorization-keys/ (2020 May 15). Ids: the user privileges
of docs.cpanel.net/manage2/users/add-user/. A set of privileges is an integer: bit i is the i-th privilege.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from models.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Privilege:
    """One checkbox column."""

    id: str
    label: str
    description: str
    bit: int

    @property
    def mask(self) -> int:
        """The set that holds only this privilege."""
        return 1 << self.bit


_NINE = (
    ("addlicense", "Add a New License", "Add a new license."),
    (
        "secverify",
        "cPanel Security Verification Program",
        "Access the Security Verification System interface to look up an IP address or license ID.",
    ),
    ("explisc", "Expire a License", "Expire a license."),
    ("partner_onetimeext", "Extend One Time License Updates", "Extend one time license updates."),
    ("listlicenses", "List active licenses", "View a list of active licenses."),
    ("manageauthkeys", "Manage Authkeys", "Manage authorization keys."),
    ("modlisc", "Modify/Transfer a License", "Modify or transfer a license."),
    ("liscreact", "Reactivate a License", "Reactivate a license."),
    ("search", "Search for a License", "Search for a license."),
)
PRIVILEGES = tuple(Privilege(*texts, bit) for bit, texts in enumerate(_NINE))
ALL_PRIVILEGES = (1 << len(PRIVILEGES)) - 1
MANAGE_AUTHKEYS = next(privilege for privilege in PRIVILEGES if privilege.id == "manageauthkeys")
_BY_ID = {privilege.id: privilege for privilege in PRIVILEGES}


def privilege(privilege_id: object) -> Privilege:
    """The privilege with this id. Raises InvalidValue for anything else."""
    found = _BY_ID.get(privilege_id) if isinstance(privilege_id, str) else None
    if found is None:
        raise InvalidValue(f"{privilege_id!r:.60} is not a privilege; known are {', '.join(_BY_ID)}.")
    return found


def privileges_in(mask: int) -> list[Privilege]:
    """The privileges of a set, in the seed's order."""
    return [privilege for privilege in PRIVILEGES if mask & privilege.mask]


def mask_of(privileges: Iterable[Privilege]) -> int:
    """The set that holds these privileges."""
    mask = 0
    for each in privileges:
        mask |= each.mask
    return mask
