from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]

    initial = False

    operations = [
        ops.CreateModel(
            name="AccessRecord",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("kind", fields.CharField(max_length=20)),
                ("admin_name", fields.CharField(max_length=100)),
                ("address", fields.CharField(max_length=45)),
                ("detail", fields.CharField(default="", max_length=200)),
            ],
            options={
                "table": "access_record",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What happened at the door: a sign-in, a refusal, a change of an account. Nothing is ever changed in it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LaunchLink",
            fields=[
                ("digest", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="launch_links",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "launch_link",
                "app": "models",
                "pk_attr": "digest",
                "table_description": "A link that signs one browser in, once. Used ones are deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Session",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("digest", fields.CharField(unique=True, max_length=64)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("address", fields.CharField(max_length=45)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "session",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A browser that is signed in. Ended ones are deleted.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Admin",
            name="disabled",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="Admin",
            name="password_hash",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name="Admin",
            name="role",
            field=fields.CharField(default="admin", db_default="admin", max_length=10),
        ),
    ]
