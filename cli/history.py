"""Commands about the history: check its chain, sign how long it is, export it, prune it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.command import REFUSED, opened, refuse, run
from cli.settings import Settings
from models.chain import check_lines
from models.errors import InvalidValue
from models.exports import ExportFormat
from models.history_views import parse_history_view
from models.moments import moment
from models.views import parse_view
from services.console import open_console
from services.pruning import prune

commands = typer.Typer(help="The history: check it, export it, prune it.", no_args_is_help=True)


def text_of(path: Path | None, what: str) -> str:
    """What stands in a file that was given, or nothing. Raises InvalidValue, which calls the file `what`."""
    if path is None:
        return ""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{what} {path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


@commands.command()
def verify(
    context: typer.Context,
    checkpoint: Annotated[Path | None, typer.Option(help="A file of signed checkpoints.")] = None,
    key: Annotated[str, typer.Option(help="The verifier key that signs them; by default this server's.")] = "",
    archive: Annotated[Path | None, typer.Option(help="Check an export or an archive instead of the database.")] = None,
) -> None:
    """Follow the whole chain; names the first entry that is wrong, and then ends with 1."""
    run(_verify_archive(archive) if archive else _verify(context.obj, checkpoint, key))


async def _verify_archive(archive: Path) -> None:
    try:
        with archive.open(encoding="utf-8") as file:
            checker, whole = check_lines(file, {})
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{archive} cannot be checked: {error}") from None
    if fault := checker.end() if whole else checker.fault:
        refuse(f"{archive} is not what was written. {fault}", status=REFUSED)
    part = "" if whole else " It is a part of the history."
    print(f"Nothing is wrong, up to entry #{checker.number:,}.{part}\nThe last entry's digest: {checker.digest}")


async def _verify(settings: Settings, checkpoint: Path | None, key: str) -> None:
    checkpoints = text_of(checkpoint, "The checkpoint file")
    async with open_console(
        settings.location, settings.secret_file, needs_secret=bool(checkpoints) and not key
    ) as console:
        with typer.progressbar(length=1, label="Verifying", file=sys.stderr) as bar:

            def show(done: int, total: int) -> None:
                bar.length = max(total, 1)
                bar.update(done - bar.pos)

            found = await console.chain.check(checkpoints, key, show)
    if found.fault:
        refuse(f"The history is not what was written. {found.fault}", status=REFUSED)
    compared = f" It agrees with {found.compared:,} checkpoints." if found.compared else ""
    print(
        f"Nothing is wrong: {found.number:,} entries, {found.modification_count:,} modifications.{compared}\n"
        f"The last entry's digest: {found.digest}"
    )


@commands.command()
def checkpoint(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(help="Append it to this file instead of printing it.")] = None,
) -> None:
    """Sign how many entries there are, and the digest of the last one. Keep it where this server cannot write."""
    run(_checkpoint(context.obj, to))


async def _checkpoint(settings: Settings, to: Path | None) -> None:
    async with open_console(settings.location, settings.secret_file) as console:
        if to is None:
            print(await console.chain.checkpoint(), end="")
        else:
            is_new = await console.chain.append_checkpoint(to)
            print(f"Appended to {to}." if is_new else f"Nothing is new since the last one in {to}.")


@commands.command()
def key(context: typer.Context) -> None:
    """Print the verifier key with which others check this server's checkpoints."""
    run(_key(context.obj))


async def _key(settings: Settings) -> None:
    async with open_console(settings.location, settings.secret_file) as console:
        print(console.chain.verifier_key)


Before = Annotated[str, typer.Option(help="A time in UTC, such as 2026-01-31 or 2026-01-31 14:30.")]
To = Annotated[Path | None, typer.Option(help="Into this new file instead of standard output.")]


@commands.command()
def export(
    context: typer.Context,
    to: To = None,
    format_: Annotated[ExportFormat, typer.Option("--format", help="How it is written.")] = ExportFormat.JSONL,
    admin: Annotated[str, typer.Option(help="Only what this admin did.")] = "",
    search: Annotated[str, typer.Option(help="Only about these keys: an IP, a network, part of a service.")] = "",
    since: Annotated[str, typer.Option(help="Only from this time on.")] = "",
    until: Annotated[str, typer.Option(help="Only until this time.")] = "",
    table_as_of: Annotated[
        str, typer.Option(help="Instead of the history the table as it was: after a submission, or at a time; or now.")
    ] = "",
) -> None:
    """Write the history, or the table at any moment. The export itself is put on record."""
    run(
        _export(
            context.obj, to, format_, table_as_of, {"admin": admin, "search": search, "since": since, "until": until}
        )
    )


async def _export(
    settings: Settings, to: Path | None, format_: ExportFormat, table_as_of: str, filters: dict[str, str]
) -> None:
    view = parse_history_view(filters)
    if table_as_of and any(filters[name] for name in ("admin", "since", "until")):
        raise InvalidValue("Of the table, --search is the only filter: who changed it, and when, is of the history.")
    table = parse_view({"as_of": "" if table_as_of == "now" else table_as_of, "search": filters["search"]})
    async with open_console(settings.location, settings.secret_file, needs_secret=False) as console:
        exports = console.exports
        with opened(to) as file:
            if table_as_of:
                pieces = await exports.of_table(table, format_, console.admin, "the command line")
            else:
                pieces = await exports.of_history(view, format_, console.admin, "the command line")
            async for piece in pieces:
                file.write(piece)
    if to:
        print(f"Written to {to}.")


@commands.command("prune")
def prune_history(
    context: typer.Context,
    before: Before,
    archive: Annotated[Path, typer.Option(help="A new file that gets the entries, as lines of JSON.")],
) -> None:
    """Move the oldest entries into an archive. They leave the database once the archive was checked; this is put on record."""
    run(_prune(context.obj, before, archive))


async def _prune(settings: Settings, before: str, archive: Path) -> None:
    at = moment(before)
    async with open_console(settings.location, settings.secret_file, needs_secret=False) as console:
        pruned = await prune(at, archive, console.admin)
    print(
        f"{pruned.entry_count:,} entries are in {archive}, and no longer in the database.\n"
        f"SHA-256 of the archive: {pruned.archive_digest}"
    )
