"""Commands about accounts: who may sign in, and who did."""

import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from cli.command import refuse, run, user_name
from cli.settings import Settings
from models.access import INVITATION_PATH, is_loopback
from models.accounts import Role, normalized
from models.errors import InvalidValue
from models.options import server_url
from models.wording import minute
from services.console import Console, open_console
from services.identities import link
from services.invitations import NewLink
from services.running import Running

commands = typer.Typer(help="Accounts: who may sign in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The account's name.")]
Url = Annotated[
    str | None,
    typer.Option(
        help="Where browsers reach the server, as in https://keys.example.com; else the one that runs here is asked."
    ),
]


@commands.command("add")
def add_admin(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option(help="An auditor sees everything and changes nothing.")] = Role.ADMIN,
) -> None:
    """Add an account; asks for its password."""
    _on_console(
        context, f"Added {name} ({role}).", lambda console: console.admins.add(name, _new_password(), role, user_name())
    )


@commands.command("invite")
def invite(
    context: typer.Context,
    name: Name,
    role: Annotated[
        Role, typer.Option(help="Of a new account: an auditor sees everything and changes nothing.")
    ] = Role.ADMIN,
    url: Url = None,
) -> None:
    """Print a link with which the owner of an account without a password chooses one; a new account is added."""

    async def make(console: Console) -> NewLink:
        known = {account.name.casefold() for account in await console.admins.accounts()}
        if normalized(name).casefold() in known:
            return await console.invitations.renew(name, user_name())
        return await console.invitations.invite(name, role, user_name())

    _print_link(context, url, make)


@commands.command("reset")
def reset(context: typer.Context, name: Name, url: Url = None) -> None:
    """End an account's password and its sessions, at once, and print a link with which its owner chooses a new one."""
    _print_link(context, url, lambda console: console.invitations.reset(name, user_name()))


@commands.command("sessions")
def list_sessions(context: typer.Context, name: Name) -> None:
    """Show where an account is signed in."""

    async def show(console: Console) -> None:
        for each in await console.sessions.of(await _id_of(console, name)):
            device = each.device or "unknown device"
            print(f"{device:<28} {each.address:<40} since {minute(each.created_at)}, last used {minute(each.used_at)}")

    _on_console(context, "", show)


@commands.command("end-sessions")
def end_sessions(context: typer.Context, name: Name) -> None:
    """Sign an account out everywhere, at once."""
    _on_console(
        context, f"The sessions of {name} have ended.", lambda console: console.admins.end_sessions(name, user_name())
    )


@commands.command("passwd")
def change_password(context: typer.Context, name: Name) -> None:
    """Give an account a new password, and sign it out everywhere."""
    _on_console(
        context,
        f"The password of {name} is changed, and its sessions have ended.",
        lambda console: console.admins.set_password(name, _new_password(), user_name()),
    )


@commands.command("disable")
def disable_admin(context: typer.Context, name: Name) -> None:
    """Let an account in no longer, and sign it out everywhere, at once."""
    _on_console(context, f"{name} is disabled.", lambda console: console.admins.set_disabled(name, True, user_name()))


@commands.command("enable")
def enable_admin(context: typer.Context, name: Name) -> None:
    """Let a disabled account in again."""
    _on_console(context, f"{name} is enabled.", lambda console: console.admins.set_disabled(name, False, user_name()))


@commands.command("role")
def change_role(context: typer.Context, name: Name, role: Role) -> None:
    """Give an account another role, and sign it out everywhere."""
    _on_console(context, f"{name} is now {role}.", lambda console: console.admins.set_role(name, role, user_name()))


@commands.command("reset-factor")
def reset_factor(context: typer.Context, name: Name) -> None:
    """Take all second factors of an account away, for who lost them, and sign it out everywhere."""
    _on_console(
        context,
        f"The second factors of {name} are reset, and its sessions have ended. Its password alone lets in now.",
        lambda console: console.second_factors.reset(name, user_name()),
    )


@commands.command("erase")
def erase_name(context: typer.Context, name: Name) -> None:
    """Forget a person's name, also in the history. The account, if it is one's, is disabled for good."""
    _on_console(context, f"{name} is erased.", lambda console: console.admins.erase_name(name, user_name()))


@commands.command("link")
def link_account(
    context: typer.Context,
    name: Name,
    subject: Annotated[str, typer.Argument(help="What the provider calls this person; the refused sign-in shows it.")],
    issuer: Annotated[str, typer.Option(help="The provider, as --oidc-issuer has it.")],
    keep_password: Annotated[bool, typer.Option(help="Let the account still sign in with its password, too.")] = False,
) -> None:
    """Let a person at the provider of single sign-on sign in with an account that is here already."""
    _on_console(
        context,
        f"{subject} at {issuer} signs in as {name} from now on.",
        lambda _: link(name, subject, issuer, user_name(), keep_password=keep_password),
    )


@commands.command("list")
def list_admins(context: typer.Context) -> None:
    """Show all accounts."""

    async def show(console: Console) -> None:
        now = datetime.now(UTC)
        for account in await console.admins.accounts():
            used = minute(account.last_used) if account.last_used else "-"
            print(f"{account.name:<24} {account.role:<8} {account.state(now):<18} last used: {used}")

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
        async with open_console(settings.location, settings.secret_file, needs_secret=False) as console:
            await work(console)
        if done:
            print(done)

    run(reported())


def _print_link(context: typer.Context, url: str | None, make: Callable[[Console], Awaitable[NewLink]]) -> None:
    """The address is asked for first: a link that nobody can be given would have ended the one before for nothing."""
    settings: Settings = context.obj
    try:
        server = server_url(url) if url else Running(settings.location.companion("server")).url()
        if server is None:
            raise InvalidValue(
                f"No server runs on {settings.location} on this machine, so its address is not known. "
                "Give it with --url, as browsers reach it: --url https://keys.example.com"
            )
    except InvalidValue as error:
        refuse(error)

    async def work(console: Console) -> None:
        link = await make(console)
        print(f"{server}{INVITATION_PATH}?token={link.token}")
        print(f"It lets {link.name} choose a password, once, until {minute(link.until)}.", file=sys.stderr)
        if is_loopback(urlsplit(server).hostname or ""):
            print("It opens on this machine only. For others, give the server's address with --url.", file=sys.stderr)

    _on_console(context, "", work)


async def _id_of(console: Console, name: str) -> int:
    found = [each.id for each in await console.admins.accounts() if each.name == normalized(name)]
    if not found:
        raise InvalidValue(f"There is no account {name!r}. `admin list` shows the accounts.")
    return found[0]


def _new_password() -> str:
    """Ask twice on a terminal; otherwise take one line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
