"""Every option of the program, in one table; its flags, its variables and README's table are made from it."""

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models import options, provider_options
from models.errors import InvalidValue
from models.four_eyes import MANY_REMOVALS
from storage.database import DEFAULT_DATABASE, DatabaseLocation

# Each rule raises InvalidValue, which pydantic lets through: its words are for the person who started the program.
Database = Annotated[str, BeforeValidator(options.database_text)]
Host = Annotated[str, BeforeValidator(options.listening_host)]
Port = Annotated[int, BeforeValidator(options.port)]
RootPath = Annotated[str, BeforeValidator(options.root_path)]
Proxies = Annotated[tuple[str, ...], NoDecode, BeforeValidator(options.trusted_proxies)]
HostNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(options.allowed_hosts)]
Issuer = Annotated[str | None, BeforeValidator(provider_options.issuer)]
ClientId = Annotated[str | None, BeforeValidator(provider_options.client_id)]
ProviderName = Annotated[str, BeforeValidator(provider_options.label)]
Scopes = Annotated[str, BeforeValidator(provider_options.scopes)]
Claim = Annotated[str, BeforeValidator(provider_options.claim)]
ClaimValues = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(lambda value, info: provider_options.claim_values(flag(info.field_name), value)),
]
Domains = Annotated[tuple[str, ...], NoDecode, BeforeValidator(provider_options.allowed_domains)]
BackendUrl = Annotated[str | None, BeforeValidator(options.backend_url)]
MetricsHost = Annotated[str, BeforeValidator(options.metrics_host)]
MetricsPort = Annotated[int | None, BeforeValidator(options.metrics_port)]
LogFormat = Annotated[str, BeforeValidator(options.log_format)]
Workers = Annotated[int | None, BeforeValidator(options.workers)]
FreshWithin = Annotated[float, BeforeValidator(options.fresh_within)]
Removals = Annotated[int, BeforeValidator(options.removals)]
Switch = Annotated[bool, BeforeValidator(lambda value, info: options.switch(flag(info.field_name), value))]


class Settings(BaseSettings):
    """What the program was told: a flag counts, otherwise its variable, otherwise the default."""

    model_config = SettingsConfigDict(env_prefix=options.VARIABLE_PREFIX, frozen=True)

    database: Database = Field(DEFAULT_DATABASE, description="a SQLite file, or postgres://user:password@host/name")
    secret_file: Path | None = Field(
        None, description="the server's secret, made at first start with mode 0600; by default beside the database"
    )
    host: Host = Field("127.0.0.1", description="the address to listen on")
    port: Port = Field(
        8080, description="the port; 0 takes a free one. On one's own machine a taken one moves to the next"
    )
    ssl_certfile: Path | None = Field(None, description="the certificate for TLS, a PEM file")
    ssl_keyfile: Path | None = Field(None, description="the certificate's key, a PEM file")
    root_path: RootPath = Field("", description="where a reverse proxy puts it, such as /authkeys")
    trusted_proxy: Proxies = Field(
        (), description="address or network of a proxy whose X-Forwarded-For and -Proto count; repeatable"
    )
    allowed_host: HostNames = Field((), description="a name under which browsers reach this server; repeatable")
    backend: BackendUrl = Field(None, description="URL of the licensing backend that allowed Manage2 calls go to")
    workers: Workers = Field(
        None, description="of `check`: how many processes answer access checks, 1 to 64; by default one for each core"
    )
    hold_keys: Switch = Field(
        False, description="of `check`: all keys are held in memory, beside a proxy on another machine"
    )
    fresh_within: FreshWithin = Field(
        1.0, description="of `check`: seconds within which a revocation holds, or nothing is answered; from 0.5 to 600"
    )
    checkpoint_file: Path | None = Field(
        None, description="where signed checkpoints of the history are appended each hour; - is standard output"
    )
    metrics_host: MetricsHost = Field("127.0.0.1", description="the address on which --metrics-port listens")
    metrics_port: MetricsPort = Field(
        None, description="a port of its own for /metrics and /health, in plain HTTP; 0 takes a free one"
    )
    metrics_token_file: Path | None = Field(
        None,
        description="a file with the bearer token that /metrics then takes; with it /metrics is on the main port too",
    )
    log_format: LogFormat = Field("text", description="how the log is written on standard error: text or json")
    access_log: Switch = Field(False, description="log each request in one line, without query, headers or keys")
    oidc_issuer: Issuer = Field(
        None, description="the OpenID Connect provider that people may sign in with; its issuer"
    )
    oidc_client_id: ClientId = Field(None, description="the name under which that provider knows this server")
    oidc_secret_file: Path | None = Field(
        None, description="a file with the client's secret there, readable by its user only; none for a public client"
    )
    oidc_name: ProviderName = Field(
        "", description="what the button to sign in there says; by default the issuer's host"
    )
    oidc_scopes: Scopes = Field(provider_options.DEFAULT_SCOPES, description="what is asked of the provider")
    oidc_claim: Claim = Field("groups", description="the claim that says what somebody may do")
    oidc_admins: ClaimValues = Field((), description="a value of that claim that makes an admin; repeatable")
    oidc_auditors: ClaimValues = Field((), description="a value of that claim that makes an auditor; repeatable")
    oidc_allowed_domain: Domains = Field(
        (), description="a domain of verified email addresses; all others stay out; repeatable"
    )
    require_second_factor: Switch = Field(
        False, description="who signs in with a password needs a second factor, and is led to add one"
    )
    fresh_second_factor: Switch = Field(
        False,
        description="grants of Manage Authkeys and changes of accounts need a second factor proven within 5 minutes",
    )
    four_eyes: Switch = Field(
        False, description="grants of Manage Authkeys, and many removals, wait until another admin approves them"
    )
    four_eyes_removals: Removals = Field(
        MANY_REMOVALS, description="with --four-eyes: a submission with more removals than this waits"
    )
    no_browser: Switch = Field(False, description="serve without opening a browser")
    native: Switch = Field(False, description="open a window of its own; closing it ends the program")
    demo: Switch = Field(False, description="a temporary database with 500 believable keys, and a stub backend")

    @property
    def location(self) -> DatabaseLocation:
        """Where the authkeys are."""
        return DatabaseLocation(self.database)

    @property
    def worker_count(self) -> int:
        """How many processes answer access checks."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self.workers or min(cores, options.MOST_WORKERS)


SHARED = ("database", "secret_file")
"""What every command uses; the other options are for serving."""
FOR_CHECKS = ("workers", "hold_keys", "fresh_within")
"""What only `check` uses"""
USED_BY_CHECK = (
    *SHARED, "host", "port", "ssl_certfile", "ssl_keyfile", "root_path", "trusted_proxy", "backend", "require_second_factor",
    "metrics_host", "metrics_port", "metrics_token_file", "log_format", "access_log", *FOR_CHECKS
)  # fmt: skip


def read_settings(**flags: Any) -> Settings:
    """The settings from the flags that were given and from the environment.

    Raises InvalidValue for a value that can never work, and for a variable that nobody reads.
    """
    options.check_variables(os.environ, {variable(name) for name in Settings.model_fields})
    given = {name: value for name, value in flags.items() if value not in (None, False, [])}
    return Settings(**given)


def refuse_demo_with(flags: Iterable[str]) -> None:
    """Raise InvalidValue if flags name a database although --demo, or its variable, makes one of its own."""
    if others := [flag(name) for name in flags if name in SHARED]:
        raise InvalidValue(f"--demo makes a database of its own: leave out {' and '.join(others)}, or --demo.")


def refuse_serving_flags(command: str, flags: Iterable[str]) -> None:
    """Raise InvalidValue if flags for serving were given to a command, which would ignore them without a word."""
    used = USED_BY_CHECK if command == "check" else SHARED
    if others := [flag(name) for name in flags if name not in used]:
        raise InvalidValue(f"{' and '.join(others)} is for serving; {command!r} does not use it.")


def flag(name: str) -> str:
    """The flag of an option: `--secret-file`."""
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    """The environment variable of an option: `AUTHKEYS_SECRET_FILE`."""
    return f"{options.VARIABLE_PREFIX}{name.upper()}"


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command of Typer's one flag for each option that is not `check`'s; it gets what was given as keyword arguments."""
    return _with_flags(command, [name for name in Settings.model_fields if name not in FOR_CHECKS])


def takes_settings_of_check(command: Callable[..., None]) -> Callable[..., None]:
    """The same for `check`."""
    return _with_flags(command, USED_BY_CHECK)


def _with_flags(command: Callable[..., None], names: Iterable[str]) -> Callable[..., None]:
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    flags = [_flag_parameter(name, Settings.model_fields[name]) for name in names]
    command.__signature__ = inspect.Signature([context, *flags])  # type: ignore[attr-defined]
    return command


def _flag_parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """A flag as text: the settings read it, whether it comes from here or from the environment."""
    default = "" if field.annotation is bool else _shown(field.default)
    option = typer.Option(
        flag(name),
        help=f"{field.description} ({variable(name)})",
        metavar=None if field.annotation is bool else name.rpartition("_")[2].upper(),
        show_default=default or False,
    )
    kind, absent = _flag_kind(field)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, option], default=absent)


def _flag_kind(field: FieldInfo) -> tuple[Any, Any]:
    if field.annotation is bool:
        return bool, False
    return (list[str] | None, None) if isinstance(field.default, tuple) else (str | None, None)


def options_table() -> str:
    """README's table of the options, in Markdown."""
    lines = ["| option | variable | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if field.annotation is bool else _shown(field.default)
        cells: Sequence[str] = (
            f"`{flag(name)}`",
            f"`{variable(name)}`",
            f"`{default}`" if default else "",
            str(field.description),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _shown(default: object) -> str:
    return "" if default in (None, (), "") else str(default)
