from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class RenameClass(ops.RenameModel):
    """Only the class has another name; its table keeps the old one, whose indexes and constraints are named after it."""

    def state_forward(self, app_label, state):
        super().state_forward(app_label, state)
        model = state.models[app_label, self.new_name]
        model.table = model.options["table"] = self.old_name.lower()
        state.reload_model(app_label, self.new_name)


class Migration(migrations.Migration):
    dependencies = [("models", "0009_passphrase_search")]

    initial = False

    operations = [
        RenameClass("Refusal", "DeniedRequest"),
        # And what their descriptions say.
        ops.AlterModelOptions(
            name="DeniedRequest",
            options={
                "table": "refusal",
                "app": "models",
                "unique_together": (("reason", "ip", "authkey_id", "service", "what"),),
                "indexes": (Index(fields=["last_at"]),),
                "pk_attr": "id",
                "table_description": "Denied requests, equal ones in one row. Only the newest rows are kept.",
            },
        ),
        ops.AlterModelOptions(
            name="AccessRecord",
            options={
                "table": "access_record",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A line of the access record: a sign-in, a refused one, a change of an account. Nothing is ever changed in it.",
            },
        ),
        ops.AlterModelOptions(
            name="KeyUse",
            options={
                "table": "key_use",
                "app": "models",
                "unique_together": (("authkey_id", "privilege"),),
                "pk_attr": "id",
                "table_description": "How often and when last the authorizer let an authkey through, for each privilege.",
            },
        ),
    ]
