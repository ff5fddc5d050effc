"""The tables of the record: submissions, what they did, and the chain of entries. What may be in them is said by the pure modules."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.tables.accounts import Admin


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
    subject = fields.CharField(max_length=10, default="authkey", db_default="authkey")
    """`subjects.Subject`: the rows of what it is about"""
    at = fields.DatetimeField()
    change_count = fields.IntField(default=0)
    key_count = fields.IntField(default=0)
    granted = fields.IntField(default=0, db_default=0)
    """The privileges that it granted to any of its rows"""
    revoked = fields.IntField(default=0, db_default=0)
    kinds = fields.CharField(max_length=120, default="", db_default="")
    """How many rows it did what to: `history.kinds_text`"""
    digest = fields.CharField(max_length=64, default="", db_default="")
    """`chain.ModificationsDigest` of its modifications"""
    approver_id = fields.IntField(null=True)
    """The account of the other admin who approved it, where it waited for one"""

    class Meta:
        table = "submission"


class Modification(Model):
    """What one submission did to one row. It has ip and service itself because the row may be gone."""

    id = fields.BigIntField(primary_key=True)
    submission: fields.ForeignKeyRelation[Submission] = fields.ForeignKeyField(
        "models.Submission", related_name="modifications", on_delete=fields.RESTRICT, db_index=True
    )
    row_id = fields.BigIntField(db_index=True)
    """Of the submission's subject"""
    kind = fields.CharField(max_length=10)
    """`submissions.Kind`"""
    ip = fields.CharField(max_length=39)
    service = fields.CharField(max_length=100)
    before = fields.IntField()
    after = fields.IntField()
    texts = fields.TextField(null=True)
    """`amendments.texts_to_text`"""

    class Meta:
        table = "modification"


class Entry(Model):
    """One record of the history. Nothing is ever changed in it, but for a name that is erased."""

    number = fields.BigIntField(primary_key=True, generated=False)
    """Its place in the chain: from 1, without gaps"""
    at = fields.DatetimeField()
    kind = fields.CharField(max_length=20)
    """`history.EntryKind`"""
    admin_id = fields.IntField(null=True)
    """Who did it, or whose account it is about; null for nobody whom we know"""
    name = fields.CharField(max_length=100, default="")
    """Only where there is no account: as it was given"""
    name_salt = fields.BinaryField(null=True)
    """With which the name is digested; without it the name was erased, or there was none"""
    name_digest = fields.CharField(max_length=64, null=True)
    """`chain.digest_of_name`"""
    address = fields.CharField(max_length=45, default="")
    detail = fields.CharField(max_length=200, default="")
    submission: fields.ForeignKeyNullableRelation["Submission"] = fields.ForeignKeyField(
        "models.Submission", related_name="entries", on_delete=fields.RESTRICT, null=True, db_index=True
    )
    digest = fields.CharField(max_length=64)
    """`chain.digest_of` this entry, in which the digest of the entry before is"""

    class Meta:
        table = "entry"
        indexes = (
            Index(fields=("admin_id", "number")),
            Index(fields=("kind", "number")),
            Index(fields=("address", "number")),
        )


class HistoryCheck(Model):
    """How the chain was found when it was checked last. One row."""

    id = fields.SmallIntField(primary_key=True, generated=False)
    at = fields.DatetimeField()
    number = fields.BigIntField()
    """Up to which entry nothing was wrong"""
    fault = fields.CharField(max_length=300, default="")

    class Meta:
        table = "history_check"
