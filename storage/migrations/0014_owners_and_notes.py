from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0013_uses_by_day")]

    initial = False

    operations = [
        ops.CreateModel(
            name="AuthkeyText",
            fields=[
                ("authkey_id", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("owner", fields.CharField(max_length=100)),
                ("note", fields.CharField(max_length=500)),
                ("text_key", fields.TextField(unique=False)),
            ],
            options={
                "table": "authkey_text",
                "app": "models",
                "pk_attr": "authkey_id",
                "table_description": "The owner and the note of an authkey that has any, also of one that was removed and can still be restored.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Modification",
            name="texts",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name="StagedChange",
            name="amendment",
            field=fields.TextField(null=True, unique=False),
        ),
    ]
