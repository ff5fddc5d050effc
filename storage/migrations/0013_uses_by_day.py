from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("models", "0012_staged_additions")]

    initial = False

    operations = [
        ops.CreateModel(
            name="KeyUseDay",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("authkey_id", fields.BigIntField()),
                ("privilege", fields.SmallIntField()),
                ("day", fields.IntField()),
                ("count", fields.BigIntField()),
            ],
            options={
                "table": "key_use_day",
                "app": "models",
                "unique_together": (("authkey_id", "privilege", "day"),),
                "indexes": [Index(fields=["day"])],
                "pk_attr": "id",
                "table_description": "How often the authorizer let an authkey through on one day, for each privilege. Only the last days are kept.",
            },
            bases=["Model"],
        ),
    ]
