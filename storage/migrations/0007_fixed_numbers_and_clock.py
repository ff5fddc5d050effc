from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0006_replaced_secrets")]

    initial = False

    operations = [
        # usage.NO_PRIVILEGE was the number of privileges, and would have become a privilege's bit with the tenth.
        ops.RunSQL("UPDATE key_use SET privilege = -1 WHERE privilege = 9"),
        ops.CreateModel(
            name="StoredClockReading",
            fields=[
                ("id", fields.SmallIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("since", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "clock_reading",
                "app": "models",
                "pk_attr": "id",
                "table_description": "The newest reading of the clock: `clock.ClockReading`. One row.",
            },
            bases=["Model"],
        ),
    ]
