from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0020_accounts_in_page")]

    initial = False

    operations = [
        ops.CreateModel(
            name="ExternalIdentity",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("issuer", fields.CharField(max_length=200)),
                ("subject", fields.CharField(max_length=255)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="identities",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "external_identity",
                "app": "models",
                "unique_together": (("issuer", "subject"),),
                "pk_attr": "id",
                "table_description": "A person at the provider of single sign-on, and whose account that is here.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ProviderSession",
            fields=[
                ("digest", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                (
                    "admin",
                    fields.ForeignKeyField(
                        "models.Admin",
                        source_field="admin_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="provider_sessions",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "provider_session",
                "app": "models",
                "pk_attr": "digest",
                "table_description": "A session at the provider by which somebody signed in here, so that its end there can be one here.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SpentToken",
            fields=[
                ("digest", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("until", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "spent_token",
                "app": "models",
                "pk_attr": "digest",
                "table_description": "Something that may be used once, and was: the state of a sign-in, or a logout token. Kept until it is too old anyway.",
            },
            bases=["Model"],
        ),
    ]
