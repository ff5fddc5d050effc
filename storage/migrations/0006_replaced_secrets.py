from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("models", "0005_passphrase_notes")]

    initial = False

    operations = [
        ops.CreateModel(
            name="ReplacedSecret",
            fields=[
                ("secret_digest", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("authkey_id", fields.BigIntField()),
                ("ip", fields.CharField(max_length=39)),
                ("service", fields.CharField(max_length=100)),
                ("revision", fields.BigIntField()),
            ],
            options={
                "table": "replaced_secret",
                "app": "models",
                "indexes": [Index(fields=["revision"])],
                "pk_attr": "secret_digest",
                "table_description": "The digest of a secret that an authkey had before, so that who still uses it can be told apart from a stranger.",
            },
            bases=["Model"],
        ),
    ]
