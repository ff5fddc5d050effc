from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0021_single_sign_on")]

    initial = False

    operations = [
        ops.CreateModel(
            name="CodeApp",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "admin",
                    fields.OneToOneField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="code_app",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("sealed", fields.CharField(max_length=200)),
                ("last_step", fields.BigIntField()),
                ("failures", fields.IntField(default=0, db_default=0)),
                ("failed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("added_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "code_app",
                "app": "models",
                "pk_attr": "id",
                "table_description": "The app of an account that shows one-time codes. There is one at most.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Passkey",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="passkeys",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("credential", fields.CharField(unique=True, max_length=1400)),
                ("public_key", fields.BinaryField()),
                ("sign_count", fields.BigIntField()),
                ("rp_id", fields.CharField(max_length=253)),
                ("name", fields.CharField(max_length=60)),
                ("added_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "passkey",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A passkey of an account.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PasskeyChallenge",
            fields=[
                ("digest", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("purpose", fields.CharField(max_length=10)),
                ("holder", fields.CharField(max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "passkey_challenge",
                "app": "models",
                "pk_attr": "digest",
                "table_description": "What a passkey was asked to sign. Answered ones are deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PendingSignIn",
            fields=[
                ("digest", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="pending_sign_ins",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pending_sign_in",
                "app": "models",
                "pk_attr": "digest",
                "table_description": "A browser whose password was right and whose second factor is still to come. Used ones are deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RecoveryCode",
            fields=[
                ("digest", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="recovery_codes",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "recovery_code",
                "app": "models",
                "pk_attr": "digest",
                "table_description": "A recovery code that was not used. Used ones are deleted.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Session",
            name="factor_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Session",
            name="is_enrolling",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="Session",
            name="proved_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
