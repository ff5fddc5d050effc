"""Commands about backups, and about the secret that belongs to a database."""

from pathlib import Path
from typing import Annotated

import typer

from cli.command import refuse, run, user_name
from cli.history import text_of
from cli.settings import Settings
from models.wording import keys
from services.backups import Made, make_backup, restore_backup
from services.installation import accept_secret, secret_path
from services.secret_file import LOSS
from storage.backup_files import megabytes
from storage.database import open_database
from storage.transactions import finish_transactions


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file.")],
    with_secret: Annotated[
        bool, typer.Option("--with-secret", help="Put the server's secret beside it, as FILE.secret.")
    ] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A file of signed checkpoints, with which its history must agree.")
    ] = None,
) -> None:
    """Write everything into one file while the server runs; its history is followed before the file appears."""
    run(_backup(context.obj, file.absolute(), with_secret, checkpoint))


async def _backup(settings: Settings, file: Path, with_secret: bool, checkpoint: Path | None) -> None:
    checkpoints = text_of(checkpoint, "The checkpoint file")
    made = await make_backup(
        settings.location, settings.secret_file, file, user_name(), with_secret=with_secret, checkpoints=checkpoints
    )
    print(f"Written to {file} ({megabytes(made.size)}): {_told(made)}")
    if made.compared:
        print(f"It agrees with {made.compared:,} checkpoints.")
    if with_secret:
        print(f"The server's secret is in {file}.secret. Keep both where nobody else can read them.")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A backup.")],
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="Restore it without its secret, which is lost: passphrases end.")
    ] = False,
) -> None:
    """Put a backup into a new SQLite file, or into an empty PostgreSQL database: all of it, or nothing."""
    run(_restore(context.obj, file.absolute(), new_secret))


async def _restore(settings: Settings, file: Path, new_secret: bool) -> None:
    location, secret_file = settings.location, settings.secret_file
    made = await restore_backup(file, location, secret_file, user_name(), new_secret=new_secret)
    print(f"Restored {file} to {location}: {_told(made)}\nEverybody signs in anew.")
    print(f"Its secret is in {secret_path(location, secret_file)}. Start it with: {location.command('', secret_file)}")


def new_secret(context: typer.Context) -> None:
    """Take the secret in the secret file for the database's own from now on, because the one before is lost."""
    run(_new_secret(context.obj))


async def _new_secret(settings: Settings) -> None:
    location = settings.location
    path = secret_path(location, settings.secret_file)
    async with open_database(location):
        is_new = await accept_secret(location, settings.secret_file, user_name())
        await finish_transactions()
    if not is_new:
        refuse(f"The secret in {path} is the one of {location} already. Nothing was changed.")
    print(f"The secret in {path} is the one of {location} now. {LOSS}")


def _told(made: Made) -> str:
    return (
        f"{made.entry_count:,} entries of the history, {keys(made.key_count)}. Nothing is wrong with it.\n"
        f"The last entry's digest: {made.digest}"
    )
