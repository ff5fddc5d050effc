from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


async def _compare_bytes(apps, schema_editor) -> None:
    """Make PostgreSQL sort and compare text by its bytes, as SQLite does, whatever the cluster's locale."""
    if schema_editor.DIALECT == "postgres":
        for table, column, length in (
            ("authkey", "ip", 39),
            ("authkey", "service", 100),
            ("authkey", "service_key", 300),
        ):
            await schema_editor.client.execute_script(
                f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE VARCHAR({length}) COLLATE "C"'
            )


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Admin",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("name", fields.CharField(unique=True, max_length=100)),
                ("staging_version", fields.BigIntField(default=0, db_default=0)),
            ],
            options={
                "table": "admin",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A person who may sign in: owner of staged changes, author of submissions.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Authkey",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("ip", fields.CharField(max_length=39)),
                ("ip_key", fields.BinaryField()),
                ("service", fields.CharField(max_length=100)),
                ("service_key", fields.CharField(max_length=300)),
                ("privileges", fields.IntField()),
                ("revision", fields.BigIntField()),
                ("secret_digest", fields.CharField(null=True, max_length=64)),
                ("secret_hint", fields.CharField(null=True, max_length=4)),
            ],
            options={
                "table": "authkey",
                "app": "models",
                "unique_together": (("ip", "service"),),
                "indexes": [
                    Index(fields=["ip_key", "service_key", "id", "ip", "privileges"]),
                    Index(fields=["service_key", "ip_key", "id", "ip", "privileges"]),
                ],
                "pk_attr": "id",
                "table_description": "An authkey that is in force.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RemovedAuthkey",
            fields=[
                # The tool forgets generated=False: these ids come from authkey.
                ("id", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("ip", fields.CharField(max_length=39)),
                ("ip_key", fields.BinaryField()),
                ("service", fields.CharField(max_length=100)),
                ("service_key", fields.CharField(max_length=300)),
                ("privileges", fields.IntField()),
                ("revision", fields.BigIntField()),
                ("secret_digest", fields.CharField(null=True, max_length=64)),
                ("secret_hint", fields.CharField(null=True, max_length=4)),
            ],
            options={
                "table": "removed_authkey",
                "app": "models",
                "indexes": [Index(fields=["revision"])],
                "pk_attr": "id",
                "table_description": "An authkey that was removed and can still be restored, as it was. `revision` is the removal's.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StagedChange",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="staged_changes",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("authkey_id", fields.BigIntField()),
                ("grants", fields.IntField()),
                ("revocations", fields.IntField()),
                ("removal", fields.BooleanField()),
                ("revision", fields.BigIntField()),
            ],
            options={
                "table": "staged_change",
                "app": "models",
                "unique_together": (("admin", "authkey_id"),),
                "pk_attr": "id",
                "table_description": "What one admin has staged for one authkey: `staged_changes.Entry`. The authkey may be gone: no foreign key.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Submission",
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
                        related_name="submissions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("source", fields.CharField(max_length=10)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("change_count", fields.IntField(default=0)),
                ("key_count", fields.IntField(default=0)),
            ],
            options={
                "table": "submission",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What one click on Submit committed. Its id is the revision.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Modification",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "submission",
                    fields.ForeignKeyField(
                        "models.Submission",
                        source_field="submission_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="modifications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("authkey_id", fields.BigIntField(db_index=True)),
                ("kind", fields.CharField(max_length=10)),
                ("ip", fields.CharField(max_length=39)),
                ("service", fields.CharField(max_length=100)),
                ("before", fields.IntField()),
                ("after", fields.IntField()),
            ],
            options={
                "table": "modification",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What one submission did to one authkey. It has ip and service itself because the authkey may be gone.",
            },
            bases=["Model"],
        ),
        ops.RunPython(_compare_bytes),
    ]
