"""The tables of what waits for another admin's approval, or did."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.tables.accounts import Admin


class Approval(Model):
    """Staged changes of an admin that another one must approve. Decided ones stay, as a record."""

    id = fields.BigIntField(primary_key=True)
    uuid = fields.UUIDField(unique=True)
    """Made by the caller, and that of the submission once it is approved"""
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="approvals", on_delete=fields.RESTRICT
    )
    """Who asked"""
    subject = fields.CharField(max_length=10)
    """`subjects.Subject`"""
    asked_at = fields.DatetimeField()
    revision = fields.BigIntField()
    """The newest submission when it was asked"""
    change_count = fields.IntField()
    row_count = fields.IntField()
    summary = fields.CharField(max_length=300)
    """What it came to when it was asked, in words"""
    state = fields.CharField(max_length=10)
    """`approvals.ApprovalState`"""
    decider_id = fields.IntField(null=True)
    """The account that decided, or nobody's if it expired"""
    decided_at = fields.DatetimeField(null=True)
    reason = fields.CharField(max_length=300, default="", db_default="")
    """In the words of who rejected it"""

    class Meta:
        table = "approval"
        indexes = (Index(fields=("state",)),)


class ApprovalPart(Model):
    """Some of the staged changes that an approval holds, as they were when it was asked."""

    id = fields.BigIntField(primary_key=True)
    approval: fields.ForeignKeyRelation[Approval] = fields.ForeignKeyField(
        "models.Approval", related_name="parts", on_delete=fields.CASCADE
    )
    number = fields.IntField()
    entries = fields.TextField()
    """`approvals.to_texts`"""

    class Meta:
        table = "approval_part"
        unique_together = (("approval", "number"),)
