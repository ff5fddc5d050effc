from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0014_owners_and_notes")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Preference",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="preferences",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("subject", fields.CharField(max_length=10)),
                ("arrangement", fields.TextField(unique=False)),
            ],
            options={
                "table": "preference",
                "app": "models",
                "unique_together": (("admin", "subject"),),
                "pk_attr": "id",
                "table_description": "How an admin has arranged one grid.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SavedView",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="saved_views",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("subject", fields.CharField(max_length=10)),
                ("name", fields.CharField(max_length=60)),
                ("name_key", fields.CharField(max_length=200)),
                ("query", fields.TextField(unique=False)),
                ("shared", fields.BooleanField()),
            ],
            options={
                "table": "saved_view",
                "app": "models",
                "unique_together": (("admin", "subject", "name_key"),),
                "pk_attr": "id",
                "table_description": "A view of a grid that an admin keeps under a name.",
            },
            bases=["Model"],
        ),
    ]
