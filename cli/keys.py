"""Commands about authkeys."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.command import refuse, run
from cli.settings import Settings, read_settings
from models.errors import AuthkeysError
from models.wording import keys
from services.console import open_console
from services.imports import import_file


def import_csv(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV with the header ip,service, and the nine privilege ids; 0 or 1.")],
    database: Annotated[str | None, typer.Option(help="As for serving.")] = None,
) -> None:
    """Add or update authkeys from a CSV file, as one submission: all or nothing."""
    settings: Settings = context.obj
    if database is not None:
        try:
            settings = read_settings(database=database, secret_file=settings.secret_file)
        except AuthkeysError as error:
            refuse(error)
    run(_import(settings, file))


async def _import(settings: Settings, file: Path) -> None:
    async with open_console(settings.location, settings.secret_file) as console:
        with typer.progressbar(length=1, label="Importing", file=sys.stderr) as bar:

            def show(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            receipt = await import_file(file, console.admin, console.submissions, show)
    print(f"Imported {file}: {keys(receipt.key_count)} added or updated.")
