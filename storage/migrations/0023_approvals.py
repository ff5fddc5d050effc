from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("models", "0022_second_factors")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Approval",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("uuid", fields.UUIDField(unique=True)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="approvals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("subject", fields.CharField(max_length=10)),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("revision", fields.BigIntField()),
                ("change_count", fields.IntField()),
                ("row_count", fields.IntField()),
                ("summary", fields.CharField(max_length=300)),
                ("state", fields.CharField(max_length=10)),
                ("decider_id", fields.IntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.CharField(default="", db_default="", max_length=300)),
            ],
            options={
                "table": "approval",
                "app": "models",
                "indexes": [Index(fields=["state"])],
                "pk_attr": "id",
                "table_description": "Staged changes of an admin that another one must approve. Decided ones stay, as a record.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ApprovalPart",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "approval",
                    fields.ForeignKeyField(
                        "models.Approval",
                        source_field="approval_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="parts",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("number", fields.IntField()),
                ("entries", fields.TextField(unique=False)),
            ],
            options={
                "table": "approval_part",
                "app": "models",
                "unique_together": (("approval", "number"),),
                "pk_attr": "id",
                "table_description": "Some of the staged changes that an approval holds, as they were when it was asked.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Submission",
            name="approver_id",
            field=fields.IntField(null=True),
        ),
    ]
