"""The tables of what admins keep for themselves. They change no key, and nothing of them is in the history."""

from tortoise import fields
from tortoise.models import Model

from models.tables.accounts import Admin


class Preference(Model):
    """How an admin has arranged one grid."""

    id = fields.BigIntField(primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="preferences", on_delete=fields.CASCADE
    )
    subject = fields.CharField(max_length=10)
    """`subjects.Subject`: the rows of that grid"""
    arrangement = fields.TextField()
    """`arrangements.to_text`"""

    class Meta:
        table = "preference"
        unique_together = (("admin", "subject"),)


class SavedView(Model):
    """A view of a grid that an admin keeps under a name."""

    id = fields.BigIntField(primary_key=True)
    admin: fields.ForeignKeyRelation[Admin] = fields.ForeignKeyField(
        "models.Admin", related_name="saved_views", on_delete=fields.CASCADE
    )
    subject = fields.CharField(max_length=10)
    """`subjects.Subject`"""
    name = fields.CharField(max_length=60)
    name_key = fields.CharField(max_length=200)
    """`texts.search_key` of the name: without case it may be three times as long"""
    query = fields.TextField()
    """`views.GridView.to_query`"""
    shared = fields.BooleanField()

    class Meta:
        table = "saved_view"
        unique_together = (("admin", "subject", "name_key"),)
