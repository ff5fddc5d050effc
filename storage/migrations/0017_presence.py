from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.fields.base import OnDelete


class Migration(migrations.Migration):
    dependencies = [("models", "0016_denials_by_hour")]

    initial = False

    operations = [
        ops.CreateModel(
            name="OpenView",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("process", fields.CharField(max_length=16)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="open_views",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("path", fields.CharField(max_length=40)),
                ("seen_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "open_view",
                "app": "models",
                "unique_together": (("process", "admin", "path"),),
                "pk_attr": "id",
                "table_description": "A view that an admin has open in some window, as the process that serves it says again and again.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="StagingVersion",
            name="staged_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
