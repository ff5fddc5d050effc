from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0003_doors")]

    initial = False

    operations = [
        ops.CreateModel(
            name="StagingStep",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="staging_steps",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("number", fields.IntField()),
                ("part", fields.IntField()),
                ("undone", fields.BooleanField()),
                ("entries", fields.TextField(unique=False)),
            ],
            options={
                "table": "staging_step",
                "app": "models",
                "unique_together": (("admin", "number", "part"),),
                "pk_attr": "id",
                "table_description": "A staging step that its admin can undo, or redo: `staged_changes.Step`, in parts.",
            },
            bases=["Model"],
        ),
    ]
