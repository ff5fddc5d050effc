"""Commands about accounts: who may sign in, and who did."""

import getpass
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from cli.command import run
from cli.settings import Settings
from models.accounts import Role
from services.console import Console, open_console

commands = typer.Typer(help="Accounts: who may sign in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The account's name.")]


@commands.command("add")
def add_admin(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option(help="An auditor sees everything and changes nothing.")] = Role.ADMIN,
) -> None:
    """Add an account; asks for its password."""
    _on_console(
        context, f"Added {name} ({role}).", lambda console: console.admins.add(name, _new_password(), role, _me())
    )


@commands.command("passwd")
def change_password(context: typer.Context, name: Name) -> None:
    """Give an account a new password, and sign it out everywhere."""
    _on_console(
        context,
        f"The password of {name} is changed, and its sessions have ended.",
        lambda console: console.admins.set_password(name, _new_password(), _me()),
    )


@commands.command("disable")
def disable_admin(context: typer.Context, name: Name) -> None:
    """Let an account in no longer, and sign it out everywhere, at once."""
    _on_console(context, f"{name} is disabled.", lambda console: console.admins.set_disabled(name, True, _me()))


@commands.command("enable")
def enable_admin(context: typer.Context, name: Name) -> None:
    """Let a disabled account in again."""
    _on_console(context, f"{name} is enabled.", lambda console: console.admins.set_disabled(name, False, _me()))


@commands.command("role")
def change_role(context: typer.Context, name: Name, role: Role) -> None:
    """Give an account another role, and sign it out everywhere."""
    _on_console(context, f"{name} is now {role}.", lambda console: console.admins.set_role(name, role, _me()))


@commands.command("erase")
def erase_name(context: typer.Context, name: Name) -> None:
    """Forget a person's name, also in the history. The account, if it is one's, is disabled for good."""
    _on_console(context, f"{name} is erased.", lambda console: console.admins.erase_name(name, _me()))


@commands.command("list")
def list_admins(context: typer.Context) -> None:
    """Show all accounts."""

    async def show(console: Console) -> None:
        for account in await console.admins.accounts():
            state = "disabled" if account.disabled else "password" if account.has_password else "launch link only"
            used = f"{account.last_used:%Y-%m-%d %H:%M} UTC" if account.last_used else "-"
            print(f"{account.name:<24} {account.role:<8} {state:<16} last signed in: {used}")

    _on_console(context, "", show)


@commands.command("record")
def show_record(
    context: typer.Context, lines: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50
) -> None:
    """Show who came in, who was refused, and what was changed at the accounts; newest first."""

    async def show(console: Console) -> None:
        for entry in await console.history.accesses(lines):
            print(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.kind:<20} {entry.name:<24} {entry.address} {entry.detail}")

    _on_console(context, "", show)


def _on_console(context: typer.Context, done: str, work: Callable[[Console], Coroutine[Any, Any, None]]) -> None:
    settings: Settings = context.obj

    async def reported() -> None:
        async with open_console(settings.location, settings.secret_file) as console:
            await work(console)
        if done:
            print(done)

    run(reported())


def _new_password() -> str:
    """Ask twice on a terminal; otherwise take one line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _me() -> str:
    try:
        return f"{getpass.getuser()} on the command line"
    except (KeyError, OSError):
        return "the command line"
