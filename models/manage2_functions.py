"""Manage2's API functions and what a key needs to call each of them.

Names: the pages of docs.cpanel.net/manage2/api/; XMLserviceCredit is only in cPanel's PHP class 3.13. No page of
Manage2 says which privilege opens which function; the table follows the descriptions of the privileges on
docs.cpanel.net/manage2/admin/api-authorization-keys/ (2020 May 15).
"""

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote_to_bytes

from models.errors import InvalidValue
from models.privileges import MANAGE_AUTHKEYS, Privilege, privilege


class Requirement(Enum):
    """What a function asks of its caller where that is not one of the nine privileges."""

    OPEN = "open"
    """No credentials: a server that registers its key has none yet."""
    ANY_KEY = "any key"
    """Any authkey that is in force, whatever its privileges."""
    NO_KEY = "no key"
    """None of the nine privileges covers it, so a key never opens it; an account's name and password may."""


@dataclass(frozen=True, slots=True)
class Manage2Function:
    """One `/<name>.cgi`."""

    name: str
    needs: Privilege | Requirement
    root: str
    """The root element of its XML answers."""

    @property
    def path(self) -> str:
        """Where it is called, in the documented spelling."""
        return f"/{self.name}{_SUFFIX}"


_SUFFIX = ".cgi"
_NEEDS: dict[str, str | Requirement] = {
    "XMLregisterAuth": Requirement.OPEN,
    "XMLaddPickupPass": MANAGE_AUTHKEYS.id,
    "XMLlicenseAdd": "addlicense",
    "XMLlicenseExpire": "explisc",
    "XMLlicenseReActivate": "liscreact",
    "XMLlicenseInfo": "listlicenses",
    "XMLlookup": "search",
    "XMLRawlookup": "search",
    "XMLsecverify": "secverify",
    "XMLonetimeext": "partner_onetimeext",
    "XMLtransfer": "modlisc",
    "XMLtransferRequest": "modlisc",
    "XMLpackageUpdate": "modlisc",
    "XMLgroupUpdate": "modlisc",
    "XMLupdateActiveLicenseMetadata": "modlisc",
    # Adding a license takes the ids of a package and a group, so do transferring and updating one.
    "XMLpackageInfo": Requirement.ANY_KEY,
    "XMLgroupInfo": Requirement.ANY_KEY,
    "XMLgroupAdd": Requirement.NO_KEY,
    "XMLgroupEdit": Requirement.NO_KEY,
    "XMLserviceCredit": Requirement.NO_KEY,
}
_OTHER_ROOTS = {"XMLregisterAuth": "XMLRegisterAuth"}

FUNCTIONS = tuple(
    Manage2Function(name, needs if isinstance(needs, Requirement) else privilege(needs), _OTHER_ROOTS.get(name, name))
    for name, needs in _NEEDS.items()
)
_CALLED = re.compile(r"/([^/]+)\.cgi(?=/|$)", re.IGNORECASE)
_XML_NAME = re.compile(r"[A-Za-z]\w{0,60}", re.ASCII)
_BY_PATH = {function.path.lower(): function for function in FUNCTIONS}


def function_at(path: str) -> Manage2Function:
    """The function that a path, or a whole URI with its query, calls.

    Upper and lower case are one (cPanel's pages themselves write XMLregisterAuth and XMLRegisterAuth), several leading
    slashes are one (a client's base URL may end in a slash), and percent-encoding is undone once. Nothing else is
    forgiven: a web server may read `/XMLlicenseAdd.cgi/XMLlookup.cgi` or a `..` as another function than we would.
    Raises InvalidValue for a path that names no known function.
    """
    found = _BY_PATH.get(_normalised(path))
    if found is None:
        raise InvalidValue(f"{path.partition('?')[0]!r:.80} is not a function of the Manage2 API.")
    return found


def unknown_function_at(path: str) -> Manage2Function | None:
    """A stand-in for a `.cgi` that Manage2 does not have; None for a path that calls none, or a known one.

    Whoever misspells a function must get an answer that a client of Manage2 can read, with a status and a reason.
    """
    decoded = _decoded(path)
    called = _CALLED.match(decoded)
    if called is None or decoded.lower() in _BY_PATH:
        return None
    name = called[1] if _XML_NAME.fullmatch(called[1]) else "XMLunknown"
    return Manage2Function(name, Requirement.NO_KEY, name)


def _normalised(path: str) -> str:
    return _decoded(path).lower()


def _decoded(path: str) -> str:
    if not path.startswith("/"):
        return ""
    decoded = unquote_to_bytes(path.partition("?")[0].encode("utf-8", "replace")).decode("latin-1")
    return f"/{decoded.lstrip('/')}"
