"""The nine privileges of the seed page, in its order.

Labels and descriptions: docs.cpanel.net/manage2/admin/api-authorization-keys/ (2020 May 15). Ids: the user privileges
of docs.cpanel.net/manage2/users/add-user/. A set of privileges is an integer; each
privilege has its bit in its own line.
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


PRIVILEGES = (
    Privilege("addlicense", "Add a New License", "Add a new license.", bit=0),
    Privilege(
        "secverify",
        "cPanel Security Verification Program",
        "Access the Security Verification System interface to look up an IP address or license ID.",
        bit=1,
    ),
    Privilege("explisc", "Expire a License", "Expire a license.", bit=2),
    Privilege("partner_onetimeext", "Extend One Time License Updates", "Extend one time license updates.", bit=3),
    Privilege("listlicenses", "List active licenses", "View a list of active licenses.", bit=4),
    Privilege("manageauthkeys", "Manage Authkeys", "Manage authorization keys.", bit=5),
    Privilege("modlisc", "Modify/Transfer a License", "Modify or transfer a license.", bit=6),
    Privilege("liscreact", "Reactivate a License", "Reactivate a license.", bit=7),
    Privilege("search", "Search for a License", "Search for a license.", bit=8),
)
"""In the order in which they are shown. A bit is stored in every authkey, so it never changes and is never given again."""
ALL_PRIVILEGES = sum(privilege.mask for privilege in PRIVILEGES)
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


def labels(privileges: int) -> str:
    """The ids of a set of privileges, as the record names it."""
    return ", ".join(each.id for each in privileges_in(privileges)) or "no privileges"


def labelled(privileges: int) -> str:
    """The labels of a set of privileges, as sentences name it."""
    return ", ".join(each.label for each in privileges_in(privileges))
