"""Commands about the history: check its chain, sign how long it is."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.command import REFUSED, refuse, run
from cli.settings import Settings
from models.errors import InvalidValue
from services.console import open_console

commands = typer.Typer(help="The history: check it, export it, prune it.", no_args_is_help=True)


def _text_of(path: Path | None, what: str) -> str:
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
) -> None:
    """Follow the whole chain; names the first entry that is wrong, and then ends with 1."""
    run(_verify(context.obj, checkpoint, key))


async def _verify(settings: Settings, checkpoint: Path | None, key: str) -> None:
    checkpoints = _text_of(checkpoint, "The checkpoint file")
    async with open_console(settings.location, settings.secret_file) as console:
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
            await console.chain.append_checkpoint(to)
            print(f"Appended to {to}.")


@commands.command()
def key(context: typer.Context) -> None:
    """Print the verifier key with which others check this server's checkpoints."""
    run(_key(context.obj))


async def _key(settings: Settings) -> None:
    async with open_console(settings.location, settings.secret_file) as console:
        print(console.chain.verifier_key)
