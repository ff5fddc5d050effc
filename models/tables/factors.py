"""The tables of second factors, and of sign-ins that are half done."""

from tortoise import fields
from tortoise.models import Model

from models.tables.accounts import Admin


class Passkey(Model):
    """A passkey of an account."""

    id = fields.BigIntField(primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="passkeys", on_delete=fields.CASCADE
    )
    credential = fields.CharField(max_length=1400, unique=True)
    """Its id, as base64url"""
    public_key = fields.BinaryField()
    """COSE, as the authenticator gave it"""
    sign_count = fields.BigIntField()
    rp_id = fields.CharField(max_length=253)
    """The host name it was made for"""
    name = fields.CharField(max_length=60)
    added_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "passkey"


class CodeApp(Model):
    """The app of an account that shows one-time codes. There is one at most."""

    id = fields.BigIntField(primary_key=True)
    admin: fields.OneToOneRelation[Admin] = fields.OneToOneField(
        "models.Admin", related_name="code_app", on_delete=fields.CASCADE
    )
    sealed = fields.CharField(max_length=200)
    """The shared secret, encrypted with a key made of the server's secret"""
    last_step = fields.BigIntField()
    """Of the newest code that was used. None up to it is taken again"""
    failures = fields.IntField(default=0, db_default=0)
    """Wrong codes since the last right one"""
    failed_at = fields.DatetimeField(null=True)
    added_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "code_app"


class RecoveryCode(Model):
    """A recovery code that was not used. Used ones are deleted."""

    digest = fields.CharField(max_length=64, primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="recovery_codes", on_delete=fields.CASCADE
    )

    class Meta:
        table = "recovery_code"


class PendingSignIn(Model):
    """A browser whose password was right and whose second factor is still to come. Used ones are deleted."""

    digest = fields.CharField(max_length=64, primary_key=True)
    """SHA-256 of the token in the browser's cookie"""
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="pending_sign_ins", on_delete=fields.CASCADE
    )
    created_at = fields.DatetimeField()

    class Meta:
        table = "pending_sign_in"


class PasskeyChallenge(Model):
    """What a passkey was asked to sign. Answered ones are deleted."""

    digest = fields.CharField(max_length=64, primary_key=True)
    purpose = fields.CharField(max_length=10)
    holder = fields.CharField(max_length=64)
    """Which browser it was given to, a digest"""
    created_at = fields.DatetimeField()

    class Meta:
        table = "passkey_challenge"
