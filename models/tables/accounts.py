"""The tables of who may sign in, and who has."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Admin(Model):
    """A person who may sign in: owner of staged changes, author of submissions."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100, unique=True)
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
    device = fields.CharField(max_length=60, default="", db_default="")
    """`devices.device_in_words`, of when it was begun"""
    proved_at = fields.DatetimeField(null=True)
    """When who uses it last showed who that is, by whatever lets in"""
    factor_at = fields.DatetimeField(null=True)
    """The same by a second factor"""
    is_enrolling = fields.BooleanField(default=False, db_default=False)
    """Good for nothing but getting a second factor, which this server asks for"""

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


class Invitation(Model):
    """A link with which the owner of an account chooses its password, once. An account has one at most, used ones are deleted."""

    id = fields.BigIntField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    admin: fields.OneToOneRelation[Admin] = fields.OneToOneField(
        "models.Admin", related_name="invitation", on_delete=fields.CASCADE
    )
    created_at = fields.DatetimeField()
    is_reset = fields.BooleanField(default=False)
    """Whether the account had a password before"""

    class Meta:
        table = "invitation"


class ExternalIdentity(Model):
    """A person at the provider of single sign-on, and whose account that is here."""

    id = fields.BigIntField(primary_key=True)
    issuer = fields.CharField(max_length=200)
    subject = fields.CharField(max_length=255)
    """Or what is kept of an erased one: `single_sign_on.erased_subject`"""
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="identities", on_delete=fields.CASCADE
    )

    class Meta:
        table = "external_identity"
        unique_together = (("issuer", "subject"),)


class ProviderSession(Model):
    """A session at the provider by which somebody signed in here, so that its end there can be one here."""

    digest = fields.CharField(max_length=64, primary_key=True)
    """SHA-256 of its issuer and id"""
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="provider_sessions", on_delete=fields.CASCADE
    )
    at = fields.DatetimeField()

    class Meta:
        table = "provider_session"


class SpentToken(Model):
    """Something that may be used once, and was: the state of a sign-in, or a logout token. Kept until it is too old anyway."""

    digest = fields.CharField(max_length=64, primary_key=True)
    until = fields.DatetimeField()

    class Meta:
        table = "spent_token"


class OpenView(Model):
    """A view that an admin has open in some window, as the process that serves it says again and again."""

    id = fields.BigIntField(primary_key=True)
    process = fields.CharField(max_length=16)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="open_views", on_delete=fields.CASCADE
    )
    path = fields.CharField(max_length=40)
    seen_at = fields.DatetimeField()

    class Meta:
        table = "open_view"
        unique_together = (("process", "admin", "path"),)


class Attempt(Model):
    """Something that may be tried so often in a minute, such as a password. What is older is deleted."""

    id = fields.BigIntField(primary_key=True)
    key = fields.CharField(max_length=64)
    """SHA-256 of what is limited: a name, an address, or both"""
    at = fields.FloatField(db_index=True)
    """Unix time by the database's clock"""

    class Meta:
        table = "attempt"
        indexes = (Index(fields=("key", "at")),)
