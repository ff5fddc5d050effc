"""Commands about authkeys."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.command import opened, refuse, run
from cli.settings import Settings, read_settings
from models.errors import AuthkeysError
from models.exports import ExportFormat
from models.views import parse_view
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
    async with open_console(settings.location, settings.secret_file, needs_secret=False) as console:
        with typer.progressbar(length=1, label="Importing", file=sys.stderr) as bar:

            def show(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            receipt = await import_file(file, console.admin, console.submissions, show)
    print(f"Imported {file}: {keys(receipt.key_count)} added or updated.")


def export(
    context: typer.Context,
    to: Annotated[Path | None, typer.Argument(help="A new file; without it standard output.")] = None,
    format_: Annotated[ExportFormat, typer.Option("--format", help="How it is written.")] = ExportFormat.CSV,
    search: Annotated[str, typer.Option(help="Only these: an IP, a network, part of a service.")] = "",
    has: Annotated[str, typer.Option(help="Only those with all of these privileges, with commas.")] = "",
    lacks: Annotated[str, typer.Option(help="Only those with none of these privileges, with commas.")] = "",
    unused: Annotated[str, typer.Option(help="Only those with a privilege that was not used for so many days.")] = "",
) -> None:
    """Write the authkeys as CSV, as import reads them: imported again, it changes nothing. The export is put on record."""
    run(_export(context.obj, to, format_, {"search": search, "has": has, "lacks": lacks, "unused": unused}))


async def _export(settings: Settings, to: Path | None, format_: ExportFormat, query: dict[str, str]) -> None:
    view = parse_view(query)
    async with open_console(settings.location, settings.secret_file, needs_secret=False) as console:
        with opened(to) as file:
            async for piece in await console.exports.of_table(view, format_, console.admin, "the command line"):
                file.write(piece)
    if to:
        print(f"Written to {to}.")
