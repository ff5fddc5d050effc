"""The commands: which there are, and what each is called."""

from typing import Any

import typer

from cli import admin, backup, healthcheck, history, keys, launch
from cli.check import check
from cli.command import refuse, run
from cli.serve import serve
from cli.settings import read_settings, refuse_demo_with, refuse_serving_flags, takes_settings
from models.errors import AuthkeysError

commands = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="A live console for API authorization keys."
)
commands.add_typer(admin.commands, name="admin")
commands.add_typer(history.commands, name="history")
commands.command("check")(check)
commands.command("import")(keys.import_csv)
commands.command("export")(keys.export)
commands.command("backup")(backup.backup)
commands.command("restore")(backup.restore)
commands.command("new-secret")(backup.new_secret)
commands.command("healthcheck")(healthcheck.healthcheck)
commands.command("open")(launch.open_running)
commands.command("install-launcher")(launch.launcher)


@commands.callback(invoke_without_command=True)
@takes_settings
def main(context: typer.Context, **flags: Any) -> None:
    """Serve the console (without a command)."""
    try:
        settings = read_settings(**flags)
        given = [name for name, value in flags.items() if value]
        if context.invoked_subcommand:
            refuse_serving_flags(context.invoked_subcommand, given)
        elif settings.demo:
            refuse_demo_with(given)
    except AuthkeysError as error:
        refuse(error)
    context.obj = settings
    if not context.invoked_subcommand:
        run(serve(settings))
