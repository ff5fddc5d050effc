from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0011_history")]

    initial = False

    operations = [
        ops.AddField(
            model_name="StagedChange",
            name="ip",
            field=fields.CharField(null=True, max_length=39),
        ),
        ops.AddField(
            model_name="StagedChange",
            name="ip_key",
            field=fields.BinaryField(null=True),
        ),
        ops.AddField(
            model_name="StagedChange",
            name="issues",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="StagedChange",
            name="service",
            field=fields.CharField(null=True, max_length=100),
        ),
        ops.AddField(
            model_name="StagedChange",
            name="service_key",
            field=fields.CharField(null=True, max_length=300),
        ),
    ]
