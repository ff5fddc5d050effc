"""How accounts stand, as they are listed: by what their owners can come in now, and until when an invitation holds."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from models.accounts import Role

INVITATION_LASTS = timedelta(hours=72)
"""After that the link of an invitation, or of a new password, lets nobody in"""


class AccountState(StrEnum):
    """What an account is at the moment."""

    DISABLED = "disabled"
    INVITED = "invited"
    """Its link was not used yet"""
    EXPIRED = "invitation expired"
    PASSWORD = "password"
    PROVIDER = "single sign-on"
    """It has no password, and its owner is known by the provider"""
    LAUNCH_LINK = "launch link only"
    """It has no password, and signed in by a launch link on the server's machine"""
    NO_PASSWORD = "no password"
    """Nor was there a launch link: its owner comes in some other way, or not at all"""


class Account(NamedTuple):
    """An account as it is listed."""

    id: int
    name: str
    role: Role
    disabled: bool
    has_password: bool
    launched: bool
    """Whether a launch link ever signed it in"""
    invited_at: datetime | None
    """When its link was made, if that was not used"""
    is_reset: bool
    """Whether that link stands in for a password that the account had"""
    sessions: int
    last_used: datetime | None
    has_factor: bool = False
    """Whether it has a second factor"""
    by_provider: bool = False
    """Whether its owner is known by the provider of single sign-on"""

    def state(self, now: datetime) -> AccountState:
        """What it is now."""
        if self.disabled:
            return AccountState.DISABLED
        if self.invited_at is not None:
            return AccountState.INVITED if is_open(self.invited_at, now) else AccountState.EXPIRED
        if self.has_password:
            return AccountState.PASSWORD
        if self.by_provider:
            return AccountState.PROVIDER
        return AccountState.LAUNCH_LINK if self.launched else AccountState.NO_PASSWORD


def is_open(made_at: datetime, now: datetime) -> bool:
    """Whether the link of an invitation can still be used."""
    return now - made_at < INVITATION_LASTS


STATE_WORDS = {
    AccountState.DISABLED: "Disabled",
    AccountState.INVITED: "Invited",
    AccountState.EXPIRED: "Invitation expired",
    AccountState.PASSWORD: "Password",
    AccountState.PROVIDER: "Single sign-on",
    AccountState.LAUNCH_LINK: "Launch link only",
    AccountState.NO_PASSWORD: "No password",
}
RESET_WORDS = {AccountState.INVITED: "New password pending", AccountState.EXPIRED: "Link for a password expired"}


def state_words(account: Account, now: datetime) -> str:
    """The state in words, as the page has them."""
    state = account.state(now)
    return (RESET_WORDS if account.is_reset else STATE_WORDS).get(state, STATE_WORDS[state])
