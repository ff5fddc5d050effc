from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0018_ends_of_keys")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Attempt",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("key", fields.CharField(max_length=64)),
                ("at", fields.FloatField(db_index=True)),
            ],
            options={
                "table": "attempt",
                "app": "models",
                "indexes": [Index(fields=["key", "at"])],
                "pk_attr": "id",
                "table_description": "Something that may be tried so often in a minute, such as a password. What is older is deleted.",
            },
            bases=["Model"],
        ),
    ]
