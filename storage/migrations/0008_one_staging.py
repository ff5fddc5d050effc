"""One staging for authkeys and passphrases: their staged changes, steps and modifications stand in the same tables."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields

# A passphrase counted its own changes; from here on it carries the number of a submission, like an authkey. A removal
# that was staged for it as it is now stays without conflict, and one that was not stays in conflict.
_NEWEST = "(SELECT COALESCE(MAX(id), 0) FROM submission)"
_STAGED_FOR_PASSPHRASES = f"""
    SELECT staged.admin_id, 'passphrase', staged.passphrase_id, staged.grants, staged.revocations, staged.removal,
        CASE WHEN staged.revision >= phrase.revision THEN {_NEWEST} ELSE -1 END
    FROM staged_passphrase_change AS staged JOIN pickup_passphrase AS phrase ON phrase.id = staged.passphrase_id"""


class DropColumn(ops.RemoveField):
    """Removes a column by the statement that both databases have; Tortoise would make SQLite's table anew."""

    async def database_forward(self, app_label, old_state, new_state, state_editor=None) -> None:
        if state_editor:
            table = old_state.apps.get_model(f"{app_label}.{self.model_name}")._meta.db_table
            await state_editor._run_sql(f'ALTER TABLE "{table}" DROP COLUMN "{self.name}"')


def _admin(related_name: str):
    return fields.ForeignKeyField(
        "models.Admin",
        source_field="admin_id",
        db_constraint=True,
        to_field="id",
        related_name=related_name,
        on_delete=OnDelete.CASCADE,
    )


def _id():
    return fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)


class Migration(migrations.Migration):
    dependencies = [("models", "0007_fixed_numbers_and_clock")]

    initial = False

    operations = [
        ops.RunSQL(
            [
                "CREATE TABLE old_staged AS SELECT admin_id, 'authkey' AS subject, authkey_id AS row_id, grants, "
                f"revocations, removal, revision FROM staged_change UNION ALL {_STAGED_FOR_PASSPHRASES}",
                "CREATE TABLE old_steps AS SELECT admin_id, number, part, undone, entries FROM staging_step",
            ]
        ),
        ops.DeleteModel("StagedPassphraseChange"),
        ops.DeleteModel("StagedChange"),
        ops.DeleteModel("StagingStep"),
        ops.CreateModel(
            name="StagedChange",
            fields=[
                ("id", _id()),
                ("admin", _admin("staged_changes")),
                ("subject", fields.CharField(max_length=10)),
                ("row_id", fields.BigIntField()),
                ("grants", fields.IntField()),
                ("revocations", fields.IntField()),
                ("removal", fields.BooleanField()),
                ("revision", fields.BigIntField()),
            ],
            options={
                "table": "staged_change",
                "app": "models",
                "unique_together": (("admin", "subject", "row_id"),),
                "pk_attr": "id",
                "table_description": "What one admin has staged for one row: `staged_changes.Entry`. The row may be gone: no foreign key.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StagingStep",
            fields=[
                ("id", _id()),
                ("admin", _admin("staging_steps")),
                ("subject", fields.CharField(max_length=10)),
                ("number", fields.IntField()),
                ("part", fields.IntField()),
                ("undone", fields.BooleanField()),
                ("entries", fields.TextField(unique=False)),
            ],
            options={
                "table": "staging_step",
                "app": "models",
                "unique_together": (("admin", "subject", "number", "part"),),
                "pk_attr": "id",
                "table_description": "A staging step that its admin can undo, or redo: `staged_changes.Step`, in parts.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StagingVersion",
            fields=[
                ("id", _id()),
                ("admin", _admin("staging_versions")),
                ("subject", fields.CharField(max_length=10)),
                ("number", fields.BigIntField(default=0)),
            ],
            options={
                "table": "staging_version",
                "app": "models",
                "unique_together": (("admin", "subject"),),
                "pk_attr": "id",
                "table_description": "How many staging steps an admin has taken for a subject: who finds more than expected has missed something.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "INSERT INTO staged_change (admin_id, subject, row_id, grants, revocations, removal, revision) "
                "SELECT admin_id, subject, row_id, grants, revocations, removal, revision FROM old_staged",
                "INSERT INTO staging_step (admin_id, subject, number, part, undone, entries) "
                "SELECT admin_id, 'authkey', number, part, undone, entries FROM old_steps",
                "INSERT INTO staging_version (admin_id, subject, number) "
                "SELECT id, 'authkey', staging_version FROM admin WHERE staging_version > 0",
                "DROP TABLE old_staged",
                "DROP TABLE old_steps",
                f"UPDATE pickup_passphrase SET revision = {_NEWEST}",
            ]
        ),
        DropColumn("Admin", "staging_version"),
        ops.RenameField("Modification", "authkey_id", "row_id"),
        ops.AlterModelOptions(
            name="Modification",
            options={
                "pk_attr": "id",
                "table_description": "What one submission did to one row. It has ip and service itself because the row may be gone.",
            },
        ),
        ops.AddField(
            model_name="Submission",
            name="subject",
            field=fields.CharField(max_length=10, default="authkey", db_default="authkey"),
        ),
    ]
