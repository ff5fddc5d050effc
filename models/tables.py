"""The tables: fields, constraints and indexes, nothing else. What may be in them is said by the pure modules beside.

`save()` on a loaded row is forbidden in this project: it writes every column back and so undoes what others changed.
The classes' docstrings become comments in the schema: no semicolon in them, the migration tool splits statements there.
"""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Admin(Model):
    """A person who may sign in: owner of staged changes, author of submissions."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100, unique=True)
    staging_version = fields.BigIntField(default=0, db_default=0)
    """Grows with every staging step, so that other processes notice it."""
    role = fields.CharField(max_length=10, default="admin", db_default="admin")
    """`accounts.Role`"""
    password_hash = fields.CharField(max_length=200, null=True)
    """Argon2id, or null for who comes in by a launch link only."""
    disabled = fields.BooleanField(default=False, db_default=False)

    class Meta:
        table = "admin"


class Session(Model):
    """A browser that is signed in. Ended ones are deleted."""

    id = fields.BigIntField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    """SHA-256 of the token in the browser's cookie"""
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="sessions", on_delete=fields.CASCADE
    )
    address = fields.CharField(max_length=45)
    created_at = fields.DatetimeField()
    used_at = fields.DatetimeField()

    class Meta:
        table = "session"


class LaunchLink(Model):
    """A link that signs one browser in, once. Used ones are deleted."""

    digest = fields.CharField(max_length=64, primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="launch_links", on_delete=fields.CASCADE
    )
    created_at = fields.DatetimeField()

    class Meta:
        table = "launch_link"


class AccessRecord(Model):
    """What happened at the door: a sign-in, a refusal, a change of an account. Nothing is ever changed in it."""

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    kind = fields.CharField(max_length=20)
    """`access.AccessKind`"""
    admin_name = fields.CharField(max_length=100)
    """As it was given: there may be no such admin."""
    address = fields.CharField(max_length=45)
    detail = fields.CharField(max_length=200, default="")

    class Meta:
        table = "access_record"


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
        )


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
        indexes = (Index(fields=("revision",)),)


class Submission(Model):
    """What one click on Submit committed. Its id is the revision."""

    id = fields.BigIntField(primary_key=True)
    uuid = fields.UUIDField(unique=True)
    """Made by the caller, so that a repeated request is known."""
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="submissions", on_delete=fields.RESTRICT
    )
    source = fields.CharField(max_length=10)
    """`submissions.Source`"""
    at = fields.DatetimeField()
    change_count = fields.IntField(default=0)
    key_count = fields.IntField(default=0)

    class Meta:
        table = "submission"


class Modification(Model):
    """What one submission did to one authkey. It has ip and service itself because the authkey may be gone."""

    id = fields.BigIntField(primary_key=True)
    submission: fields.ForeignKeyRelation[Submission] = fields.ForeignKeyField(
        "models.Submission", related_name="modifications", on_delete=fields.RESTRICT, db_index=True
    )
    authkey_id = fields.BigIntField(db_index=True)
    kind = fields.CharField(max_length=10)
    """`submissions.Kind`"""
    ip = fields.CharField(max_length=39)
    service = fields.CharField(max_length=100)
    before = fields.IntField()
    after = fields.IntField()

    class Meta:
        table = "modification"


class StagedChange(Model):
    """What one admin has staged for one authkey: `staged_changes.Entry`. The authkey may be gone: no foreign key."""

    id = fields.BigIntField(primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="staged_changes", on_delete=fields.CASCADE
    )
    authkey_id = fields.BigIntField()
    grants = fields.IntField()
    revocations = fields.IntField()
    removal = fields.BooleanField()
    revision = fields.BigIntField()

    class Meta:
        table = "staged_change"
        unique_together = (("admin", "authkey_id"),)
