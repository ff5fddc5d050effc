import unicodedata

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

from storage.sql import parameters


async def fill(apps, schema_editor):
    """What a note is searched by: made here, because SQL's lower() knows no Unicode on SQLite, and no casefold at all."""
    db = schema_editor.client
    _, rows = await db.execute_query("SELECT id, note FROM pickup_passphrase WHERE note <> ''")
    one, two = parameters(2).split(", ")
    for id_, note in rows:
        key = unicodedata.normalize("NFC", note).casefold()
        await db.execute_query(f"UPDATE pickup_passphrase SET note_key = {one} WHERE id = {two}", [key, id_])


class Migration(migrations.Migration):
    dependencies = [("models", "0008_one_staging")]

    initial = False

    operations = [
        ops.AddField(
            model_name="PickupPassphrase",
            name="note_key",
            field=fields.CharField(default="", db_default="", max_length=300),
        ),
        ops.RunPython(fill),
    ]
