import unicodedata

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

from models.addresses import canonical_ip, sort_key
from models.errors import InvalidValue
from storage.history import time_of
from storage.sql import parameters


async def fill(apps, schema_editor):
    """What denied requests are searched by: made here, because SQL cannot make it. There are at most a thousand.

    Of their days the last one is known, and the first.
    """
    db = schema_editor.client
    _, rows = await db.execute_query("SELECT id, ip, service, first_at, last_at FROM refusal")
    one, two, three, four = parameters(4).split(", ")
    for id_, ip, service, first_at, last_at in map(tuple, rows):
        try:
            ip_key = sort_key(canonical_ip(ip))
        except InvalidValue:
            ip_key = None
        await db.execute_query(
            f"UPDATE refusal SET ip_key = {one}, service_key = {two}, days = {three} WHERE id = {four}",
            [ip_key, unicodedata.normalize("NFC", service).casefold(), days_between(first_at, last_at), id_],
        )


def days_between(first_at, last_at):
    first, last = (int(time_of(at).timestamp() // 86_400) for at in (first_at, last_at))
    return 1 << last % 31 | (1 << first % 31 if last - first <= 7 else 0)


class Migration(migrations.Migration):
    dependencies = [("models", "0015_preferences")]

    initial = False

    operations = [
        ops.AddField(model_name="DeniedRequest", name="ip_key", field=fields.BinaryField(null=True)),
        ops.AddField(
            model_name="DeniedRequest",
            name="service_key",
            field=fields.CharField(default="", db_default="", max_length=300),
        ),
        ops.AddField(model_name="DeniedRequest", name="days", field=fields.IntField(default=0, db_default=0)),
        ops.RunPython(fill),
        ops.CreateModel(
            name="DeniedHour",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("hour", fields.IntField()),
                ("reason", fields.CharField(max_length=24)),
                ("count", fields.BigIntField()),
            ],
            options={
                "table": "denied_hour",
                "app": "models",
                "unique_together": (("hour", "reason"),),
                "pk_attr": "id",
                "table_description": "How many requests were denied in one hour, for each reason. Only the last days are kept.",
            },
            bases=["Model"],
        ),
    ]
