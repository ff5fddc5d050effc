from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0023_approvals")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Installation",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ("value", fields.CharField(max_length=200)),
            ],
            options={
                "table": "installation",
                "app": "models",
                "pk_attr": "name",
                "table_description": "One fact about the installation, such as the fingerprint of its server's secret.",
            },
            bases=["Model"],
        ),
    ]
