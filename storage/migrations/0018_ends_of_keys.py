from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("models", "0017_presence")]

    initial = False

    operations = [
        ops.AddIndex(
            model_name="Authkey",
            index=Index(fields=["secret_hint"]),
        ),
    ]
