"""Every error that is safe to show to a person: what was wrong, and what to do about it.

AuthkeysError
├── InvalidValue            a value that breaks a rule (address, service, privilege, view)
│   └── WrongPassword       not the present password
├── RowNotFound             the authkey or passphrase does not exist (any more)
│   └── AuthkeyNotFound     the authkey does not
├── DuplicateAuthkey        (ip, service) is taken
├── NotAllowed              the admin's role does not permit it, or the session has ended
├── LinkRefused             an invitation that lets nobody in (any more)
├── FactorNeeded            a second factor must be proven first
├── FactorRefused           a code, a passkey or a recovery code that does not prove anything
├── TooManyAttempts         wrong passwords came too fast
├── SignInRefused           what the provider of single sign-on says does not let this person in
├── ProviderUnavailable     that provider does not answer, or not as it must
├── NotStaged               the step cannot be taken on what is staged now
├── SelectionMoved          other rows are at its corners than those that were selected
├── PlanOutdated            a plan would stage something else by now than what it showed
├── SubmissionRefused       conflicts: nothing was written
├── ApprovalNeeded          another admin must approve it: nothing was written
├── ApprovalClosed          somebody decided it already, or it was withdrawn or expired
├── ImportRefused           bad lines: nothing was written
├── RegistrationRefused     the phrase does not let this server register now
├── BackupRefused           a backup cannot be made, or cannot be restored there
├── SecretUnusable          the server's secret file cannot be used as it is
└── DatabaseError           the database cannot be used
    ├── DatabaseUnavailable it does not answer now; trying again may help
    └── DatabaseUnusable    it cannot be opened by this program as it is
"""


class AuthkeysError(Exception):
    """Base of all errors whose text is meant for the person who caused them."""


class InvalidValue(AuthkeysError):
    """A value that breaks a rule; the text names the value and the rule."""


class WrongPassword(InvalidValue):
    """What was given is not the present password."""


class RowNotFound(AuthkeysError):
    """The authkey or passphrase does not exist, or not any more."""


class AuthkeyNotFound(RowNotFound):
    """The authkey does not exist, or not any more."""


class DuplicateAuthkey(AuthkeysError):
    """Another authkey has the same IP address and service."""


class NotStaged(AuthkeysError):
    """A step that does not fit what is staged now."""


class NotAllowed(AuthkeysError):
    """The admin may not do this."""


class LinkRefused(AuthkeysError):
    """A link with which nobody can choose a password, or not any more."""


class FactorNeeded(AuthkeysError):
    """Who is there must show it anew, by a second factor or else by the password; nothing was done."""


class FactorRefused(AuthkeysError):
    """A code, a passkey or a recovery code that does not prove who is there."""


class TooManyAttempts(AuthkeysError):
    """Too many wrong passwords. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SignInRefused(AuthkeysError):
    """Single sign-on does not let somebody in. `reason` is for the record, and `who` whom it is about, as far as is known."""

    def __init__(self, message: str, reason: str, who: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.who = who


class ProviderUnavailable(AuthkeysError):
    """The provider of single sign-on does not answer, or not as it must. `problem` is for the operator."""

    def __init__(self, message: str, problem: str) -> None:
        super().__init__(message)
        self.problem = problem


class SelectionMoved(AuthkeysError):
    """Other rows are at the corners of a selection than those that were selected; nothing was done."""


class PlanOutdated(AuthkeysError):
    """Rows changed since a plan was shown, so that it would stage something else now; nothing was staged."""


class SubmissionRefused(AuthkeysError):
    """The submission conflicts with newer changes; nothing was written."""

    def __init__(self, message: str, row_ids: tuple[int, ...]) -> None:
        super().__init__(message)
        self.row_ids = row_ids


class ApprovalNeeded(AuthkeysError):
    """Another admin must approve this submission; nothing was written."""


class ApprovalClosed(AuthkeysError):
    """What waited for approval waits no more."""


class ImportRefused(AuthkeysError):
    """The file has bad lines; nothing was written. `problems` has one sentence per line."""

    def __init__(self, message: str, problems: tuple[str, ...]) -> None:
        super().__init__(message)
        self.problems = problems


class RegistrationRefused(AuthkeysError):
    """A server may not register with this phrase. The text does not say why; the rest is for the record."""

    def __init__(self, reason: str, passphrase: str = "") -> None:
        super().__init__("The pickup passphrase is not valid for this server.")
        self.reason = reason
        """`passphrases.PhraseProblem`"""
        self.passphrase = passphrase
        """Which one, if there is such a one: its number and note"""


class ChainBroken(AuthkeysError):
    """The history is not what was written: an entry was changed, dropped or put in outside of the program."""


class ArchiveRefused(AuthkeysError):
    """The file into which the oldest entries should go cannot be made."""


class BackupRefused(AuthkeysError):
    """A backup cannot be made as it was asked for, or cannot be restored there; nothing was changed."""


class SecretUnusable(AuthkeysError):
    """The server's secret file cannot be read, others can read it, or it is another one than the database's."""


class DatabaseError(AuthkeysError):
    """The database cannot be used."""


class DatabaseUnavailable(DatabaseError):
    """The database does not answer now. What was asked may be asked again."""


class DatabaseUnusable(DatabaseError):
    """The database cannot be opened by this program as it is."""
