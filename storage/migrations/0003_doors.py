from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("models", "0002_accounts")]

    initial = False

    operations = [
        ops.CreateModel(
            name="KeyUse",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("authkey_id", fields.BigIntField()),
                ("privilege", fields.SmallIntField()),
                ("count", fields.BigIntField()),
                ("last_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "key_use",
                "app": "models",
                "unique_together": (("authkey_id", "privilege"),),
                "pk_attr": "id",
                "table_description": "How often and when last the door let an authkey through, for each privilege.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PickupPassphrase",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("digest", fields.CharField(unique=True, max_length=64)),
                ("privileges", fields.IntField()),
                ("revision", fields.BigIntField(default=0)),
                ("uses", fields.IntField()),
                ("used", fields.IntField(default=0)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("networks", fields.CharField(default="", max_length=1000)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="passphrases",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("removed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pickup_passphrase",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A phrase with which a server may register its own authkey. Used up, expired and removed ones stay, as a record.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PassphraseUse",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "passphrase",
                    fields.ForeignKeyField(
                        "models.PickupPassphrase",
                        source_field="passphrase_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="registrations",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ip", fields.CharField(max_length=39)),
                ("service", fields.CharField(max_length=100)),
            ],
            options={
                "table": "passphrase_use",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A registration with a passphrase.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Refusal",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("reason", fields.CharField(max_length=24)),
                ("ip", fields.CharField(max_length=45)),
                ("authkey_id", fields.BigIntField(default=0)),
                ("service", fields.CharField(default="", max_length=100)),
                ("what", fields.CharField(default="", max_length=80)),
                ("count", fields.BigIntField()),
                ("first_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("last_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "refusal",
                "app": "models",
                "unique_together": (("reason", "ip", "authkey_id", "service", "what"),),
                "indexes": [Index(fields=["last_at"])],
                "pk_attr": "id",
                "table_description": "What the door refused, equal ones in one row. Only the newest rows are kept.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StagedPassphraseChange",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="staged_passphrase_changes",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("passphrase_id", fields.BigIntField()),
                ("grants", fields.IntField()),
                ("revocations", fields.IntField()),
                ("removal", fields.BooleanField()),
                ("revision", fields.BigIntField()),
            ],
            options={
                "table": "staged_passphrase_change",
                "app": "models",
                "unique_together": (("admin", "passphrase_id"),),
                "pk_attr": "id",
                "table_description": "What one admin has staged for one passphrase: `staged_changes.Entry`.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UseTracking",
            fields=[
                ("id", fields.SmallIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("since", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "use_tracking",
                "app": "models",
                "pk_attr": "id",
                "table_description": "When uses began to be counted: of the days before, nothing is known. One row.",
            },
            bases=["Model"],
        ),
        ops.AddIndex(
            model_name="Authkey",
            index=Index(fields=["secret_digest"]),
        ),
        ops.AddIndex(
            model_name="RemovedAuthkey",
            index=Index(fields=["secret_digest"]),
        ),
    ]
