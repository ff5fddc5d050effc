from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("models", "0019_attempts")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Invitation",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("digest", fields.CharField(unique=True, max_length=64)),
                (
                    "admin",
                    fields.OneToOneField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invitation",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("is_reset", fields.BooleanField(default=False)),
            ],
            options={
                "table": "invitation",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A link with which the owner of an account chooses its password, once. An account has one at most, used ones are deleted.",
            },
            bases=["Model"],
        ),
        ops.AddIndex(
            model_name="Entry",
            index=Index(fields=["address", "number"]),
        ),
        ops.AddField(
            model_name="Session",
            name="device",
            field=fields.CharField(default="", db_default="", max_length=60),
        ),
    ]
