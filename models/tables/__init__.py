"""The tables: fields, constraints and indexes, nothing else. What may be in them is said by the pure modules beside.

`save()` on a loaded row is forbidden in this project: it writes every column back and so undoes what others changed.
The classes' docstrings become comments in the schema: no semicolon in them, the migration tool splits statements there.
"""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.tables.accounts import Admin as Admin
from models.tables.accounts import Attempt as Attempt
from models.tables.accounts import ExternalIdentity as ExternalIdentity
from models.tables.accounts import Invitation as Invitation
from models.tables.accounts import LaunchLink as LaunchLink
from models.tables.accounts import OpenView as OpenView
from models.tables.accounts import ProviderSession as ProviderSession
from models.tables.accounts import Session as Session
from models.tables.accounts import SpentToken as SpentToken
from models.tables.approvals import Approval as Approval
from models.tables.approvals import ApprovalPart as ApprovalPart
from models.tables.factors import CodeApp as CodeApp
from models.tables.factors import Passkey as Passkey
from models.tables.factors import PasskeyChallenge as PasskeyChallenge
from models.tables.factors import PendingSignIn as PendingSignIn
from models.tables.factors import RecoveryCode as RecoveryCode
from models.tables.installation import Installation as Installation
from models.tables.preferences import Preference as Preference
from models.tables.preferences import SavedView as SavedView
from models.tables.records import Entry as Entry
from models.tables.records import HistoryCheck as HistoryCheck
from models.tables.records import Modification as Modification
from models.tables.records import Submission as Submission


class Authkey(Model):
    """An authkey that is in force."""

    id = fields.BigIntField(primary_key=True)
    ip = fields.CharField(max_length=39)
    ip_key = fields.BinaryField()
    """`addresses.sort_key(ip)`"""
    service = fields.CharField(max_length=100)
    service_key = fields.CharField(max_length=300)
    """`authkeys.service_key(service)`"""
    privileges = fields.IntField()
    """Bit i is the i-th privilege of `models.privileges`."""
    revision = fields.BigIntField()
    """The submission that last touched this authkey."""
    secret_digest = fields.CharField(max_length=64, null=True)
    secret_hint = fields.CharField(max_length=4, null=True)

    class Meta:
        table = "authkey"
        unique_together = (("ip", "service"),)
        indexes = (
            # Each holds all that a search or a filter looks at, so that a scan of a million rows reads only the index.
            Index(fields=("ip_key", "service_key", "id", "ip", "privileges")),
            Index(fields=("service_key", "ip_key", "id", "ip", "privileges")),
            # The authorizer asks by key.
            Index(fields=("secret_digest",)),
            # What is searched for may be the end of a key.
            Index(fields=("secret_hint",)),
        )


class AuthkeyText(Model):
    """The owner and the note of an authkey that has any, also of one that was removed and can still be restored."""

    authkey_id = fields.BigIntField(primary_key=True, generated=False)
    owner = fields.CharField(max_length=100)
    note = fields.CharField(max_length=500)
    text_key = fields.TextField()
    """`texts.search_key` of both"""

    class Meta:
        table = "authkey_text"


class RemovedAuthkey(Model):
    """An authkey that was removed and can still be restored, as it was. `revision` is the removal's."""

    id = fields.BigIntField(primary_key=True, generated=False)
    ip = fields.CharField(max_length=39)
    ip_key = fields.BinaryField()
    service = fields.CharField(max_length=100)
    service_key = fields.CharField(max_length=300)
    privileges = fields.IntField()
    revision = fields.BigIntField()
    secret_digest = fields.CharField(max_length=64, null=True)
    secret_hint = fields.CharField(max_length=4, null=True)

    class Meta:
        table = "removed_authkey"
        indexes = (Index(fields=("revision",)), Index(fields=("secret_digest",)), Index(fields=("ip_key",)))


class FormerAuthkey(Model):
    """The name of an authkey that was removed and can no longer be restored: its history is still found by it."""

    id = fields.BigIntField(primary_key=True, generated=False)
    ip = fields.CharField(max_length=39)
    ip_key = fields.BinaryField()
    service = fields.CharField(max_length=100)
    service_key = fields.CharField(max_length=300)

    class Meta:
        table = "former_authkey"
        indexes = (Index(fields=("ip_key",)),)


class ReplacedSecret(Model):
    """The digest of a secret that an authkey had before, so that who still uses it can be told apart from a stranger."""

    secret_digest = fields.CharField(max_length=64, primary_key=True)
    authkey_id = fields.BigIntField()
    ip = fields.CharField(max_length=39)
    service = fields.CharField(max_length=100)
    revision = fields.BigIntField()
    """The submission that replaced it."""

    class Meta:
        table = "replaced_secret"
        indexes = (Index(fields=("revision",)),)


class StagedChange(Model):
    """What one admin has staged for one row: `staged_changes.Entry`. The row may be gone: no foreign key."""

    id = fields.BigIntField(primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="staged_changes", on_delete=fields.CASCADE
    )
    subject = fields.CharField(max_length=10)
    """`subjects.Subject`"""
    row_id = fields.BigIntField()
    grants = fields.IntField()
    revocations = fields.IntField()
    removal = fields.BooleanField()
    revision = fields.BigIntField()
    restoration = fields.BooleanField(default=False, db_default=False)
    ip = fields.CharField(max_length=39, null=True)
    """From here on: of an authkey that shall be made"""
    ip_key = fields.BinaryField(null=True)
    service = fields.CharField(max_length=100, null=True)
    service_key = fields.CharField(max_length=300, null=True)
    issues = fields.BooleanField(default=False, db_default=False)
    amendment = fields.TextField(null=True)
    """`amendments.Amendment.to_text`"""

    class Meta:
        table = "staged_change"
        unique_together = (("admin", "subject", "row_id"),)


class StagingStep(Model):
    """A staging step that its admin can undo, or redo: `staged_changes.Step`, in parts."""

    id = fields.BigIntField(primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="staging_steps", on_delete=fields.CASCADE
    )
    subject = fields.CharField(max_length=10)
    """`subjects.Subject`"""
    number = fields.IntField()
    part = fields.IntField()
    undone = fields.BooleanField()
    entries = fields.TextField()
    """`staging_steps.to_texts`; empty for a step that is too large to be stored"""

    class Meta:
        table = "staging_step"
        unique_together = (("admin", "subject", "number", "part"),)


class StagingVersion(Model):
    """How many staging steps an admin has taken for a subject: who finds more than expected has missed something."""

    id = fields.BigIntField(primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="staging_versions", on_delete=fields.CASCADE
    )
    subject = fields.CharField(max_length=10)
    """`subjects.Subject`"""
    number = fields.BigIntField(default=0)
    staged_at = fields.DatetimeField(null=True)
    """When that was"""

    class Meta:
        table = "staging_version"
        unique_together = (("admin", "subject"),)


class PickupPassphrase(Model):
    """A phrase with which a server may register its own authkey. Used up, expired and removed ones stay, as a record."""

    id = fields.BigIntField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    """`passphrases.digest`: keyed, because people choose phrases that could be guessed from a plain digest"""
    privileges = fields.IntField()
    revision = fields.BigIntField(default=0)
    """The submission that last touched it; 0 for what was made before passphrases had submissions."""
    uses = fields.IntField()
    """How often it may be used, all in all"""
    used = fields.IntField(default=0)
    expires_at = fields.DatetimeField(null=True)
    networks = fields.CharField(max_length=1000, default="")
    """From where it may be used: canonical networks with spaces between, or empty for anywhere"""
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="passphrases", on_delete=fields.RESTRICT
    )
    made_at = fields.DatetimeField()
    removed_at = fields.DatetimeField(null=True)
    note = fields.CharField(max_length=100, default="", db_default="")
    """What it is for, in the maker's words: the phrase itself is not known any more"""
    note_key = fields.CharField(max_length=300, default="", db_default="")
    """The note as it is searched: `texts.search_key`"""

    class Meta:
        table = "pickup_passphrase"


class PassphraseUse(Model):
    """A registration with a passphrase."""

    id = fields.BigIntField(primary_key=True)
    passphrase: fields.ForeignKeyRelation[PickupPassphrase] = fields.ForeignKeyField(
        "models.PickupPassphrase", related_name="registrations", on_delete=fields.CASCADE
    )
    at = fields.DatetimeField()
    ip = fields.CharField(max_length=39)
    service = fields.CharField(max_length=100)

    class Meta:
        table = "passphrase_use"


class KeyUse(Model):
    """How often and when last the authorizer let an authkey through, for each privilege."""

    id = fields.BigIntField(primary_key=True)
    authkey_id = fields.BigIntField()
    privilege = fields.SmallIntField()
    """Bit of the privilege, or `usage.NO_PRIVILEGE` for what needs none"""
    count = fields.BigIntField()
    last_at = fields.DatetimeField()

    class Meta:
        table = "key_use"
        unique_together = (("authkey_id", "privilege"),)


class KeyUseDay(Model):
    """How often the authorizer let an authkey through on one day, for each privilege. Only the last days are kept."""

    id = fields.BigIntField(primary_key=True)
    authkey_id = fields.BigIntField()
    privilege = fields.SmallIntField()
    """As in `KeyUse`"""
    day = fields.IntField()
    """`usage.day_of`"""
    count = fields.BigIntField()

    class Meta:
        table = "key_use_day"
        unique_together = (("authkey_id", "privilege", "day"),)
        indexes = (Index(fields=("day",)),)


class UseTracking(Model):
    """When uses began to be counted: of the days before, nothing is known. One row."""

    id = fields.SmallIntField(primary_key=True, generated=False)
    since = fields.DatetimeField()

    class Meta:
        table = "use_tracking"


class StoredClockReading(Model):
    """The newest reading of the clock: `clock.ClockReading`. One row."""

    id = fields.SmallIntField(primary_key=True, generated=False)
    at = fields.DatetimeField()
    since = fields.DatetimeField()

    class Meta:
        table = "clock_reading"


class DeniedRequest(Model):
    """Denied requests, equal ones in one row. Only the newest rows are kept."""

    id = fields.BigIntField(primary_key=True)
    reason = fields.CharField(max_length=24)
    """`access_checks.Reason`"""
    ip = fields.CharField(max_length=45)
    ip_key = fields.BinaryField(null=True)
    """`addresses.sort_key(ip)`; none for what is no address"""
    authkey_id = fields.BigIntField(default=0)
    """0 for an unknown key"""
    service = fields.CharField(max_length=100, default="")
    service_key = fields.CharField(max_length=300, default="", db_default="")
    """The service as it is searched: `texts.search_key`"""
    what = fields.CharField(max_length=80, default="")
    """The privilege that was asked for, or the function"""
    count = fields.BigIntField()
    first_at = fields.DatetimeField()
    last_at = fields.DatetimeField()
    days = fields.IntField(default=0, db_default=0)
    """The last days with such requests: `denial_hours.days_of`"""

    class Meta:
        table = "refusal"
        unique_together = (("reason", "ip", "authkey_id", "service", "what"),)
        indexes = (Index(fields=("last_at",)),)


class DeniedHour(Model):
    """How many requests were denied in one hour, for each reason. Only the last days are kept."""

    id = fields.BigIntField(primary_key=True)
    hour = fields.IntField()
    """`denial_hours.hour_of`"""
    reason = fields.CharField(max_length=24)
    """`access_checks.Reason`"""
    count = fields.BigIntField()

    class Meta:
        table = "denied_hour"
        unique_together = (("hour", "reason"),)
