"""What the command line's options and variables may say, as pure rules; how a start ends is in test_command_line."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.commands import commands
from cli.settings import Settings, flag, options_table, read_settings, variable
from models.access import HostRule
from models.errors import InvalidValue
from models.options import (
    allowed_hosts,
    backend_url,
    check_variables,
    database_text,
    listening_host,
    root_path,
    trusted_proxies,
)
from tests.starting import ROOT

KNOWN = {"AUTHKEYS_PORT", "AUTHKEYS_HOST", "AUTHKEYS_TRUSTED_PROXY", "AUTHKEYS_ALLOWED_HOST"}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AUTHKEYS_PORT": "80", "HOME": "", "AUTHKEYSTORE": ""},
        # What Kubernetes adds beside a service that is called "authkeys"
        {
            "AUTHKEYS_SERVICE_HOST": "10.0.0.1",
            "AUTHKEYS_SERVICE_PORT": "80",
            "AUTHKEYS_SERVICE_PORT_HTTP": "80",
            "AUTHKEYS_PORT_80_TCP": "tcp://10.0.0.1:80",
            "AUTHKEYS_PORT_80_TCP_ADDR": "10.0.0.1",
        },
    ],
)
def test_variables_that_are_known_or_not_ours_are_taken(environment: dict[str, str]) -> None:
    check_variables(environment, KNOWN)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AUTHKEYS_TRUSTED_PROXIES", "127.0.0.1", "Did you mean AUTHKEYS_TRUSTED_PROXY?"),
        ("AUTHKEYS_ALLOWED_HOSTS", "x", "Did you mean AUTHKEYS_ALLOWED_HOST?"),
        ("authkeys_port", "80", "Did you mean AUTHKEYS_PORT?"),
        ("AUTHKEYS_XYZZY", "secret", "Known are AUTHKEYS_ALLOWED_HOST"),
        ("AUTHKEYS_PORT", "", "The variable AUTHKEYS_PORT is set but empty"),
        ("AUTHKEYS_TRUSTED_PROXY", " \t", "The variable AUTHKEYS_TRUSTED_PROXY is set but empty"),
    ],
)
def test_a_variable_that_nobody_reads_is_told(name: str, value: str, words: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        check_variables({name: value}, KNOWN)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (None, ()),
        (["127.0.0.1"], ("127.0.0.1",)),
        (["127.0.0.1, 10.0.0.0/8\n2001:DB8::/48"], ("127.0.0.1", "10.0.0.0/8", "2001:db8::/48")),
        (["::ffff:127.0.0.1", "127.0.0.1"], ("127.0.0.1",)),
        (["192.0.2.1/24"], ("192.0.2.0/24",)),
        (["::ffff:192.0.2.0/120"], ("192.0.2.0/24",)),
    ],
)
def test_trusted_proxies_are_addresses_and_networks_in_one_form(
    given: list[str] | None, taken: tuple[str, ...]
) -> None:
    assert trusted_proxies(given) == taken


@pytest.mark.parametrize(
    "text",
    ["", " , ", "*", "proxy.example", "300.0.0.1", "127.0.0.1:80", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "fe80::1%lo"],
)
def test_what_is_no_proxys_address_or_is_everybody_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="--trusted-proxy"):
        trusted_proxies([text])


@pytest.mark.parametrize(
    ("given", "host_header"),
    [
        ("keys.example.com", "keys.example.com:8443"),
        ("Keys.Example.COM.", "keys.example.com"),
        ("xn--schlssel-95a.example", "xn--schlssel-95a.example"),
        ("keys_1", "keys_1"),
        ("192.0.2.7", "192.0.2.7:80"),
        ("[2001:DB8:0::7]", "[2001:db8::7]:80"),
        ("2001:db8::7", "[2001:db8::7]"),
    ],
)
def test_an_allowed_host_matches_what_browsers_send(given: str, host_header: str) -> None:
    assert HostRule("127.0.0.1", allowed_hosts([given])).allows(host_header)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://keys.example.com",
        "keys.example.com:8443",
        "keys.example.com/",
        "keys.example.com/authkeys",
        "*",
        "*.example.com",
        ".example.com",
        "a..b",
        "-keys.example.com",
        "schlüssel.example",
        "x" * 64,
        ".".join(["x" * 50] * 6),
    ],
)
def test_a_name_that_no_browser_sends_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="--allowed-host"):
        allowed_hosts([text])


@pytest.mark.parametrize(
    ("given", "path"),
    [("", ""), ("/", ""), ("/authkeys", "/authkeys"), (" /a/b/ ", "/a/b"), ("/~me/keys-1.0", "/~me/keys-1.0")],
)
def test_a_root_path_begins_with_a_slash_and_ends_without_one(given: str, path: str) -> None:
    assert root_path(given) == path


@pytest.mark.parametrize(
    "text",
    [
        "authkeys",
        "C:/Program Files/Git/authkeys",
        "//a",
        "/a//b",
        "/a/../b",
        "/a?b",
        "/a#b",
        "/a%20b",
        "/a b",
        "http://x/a",
    ],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="--root-path begins with a slash"):
        root_path(text)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::", "::"),
        ("0:0::1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("localhost", "localhost"),
        ("keys.internal", "keys.internal"),
    ],
)
def test_the_host_to_listen_on_is_an_address_or_a_name(given: str, host: str) -> None:
    assert listening_host(given) == host


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "--host takes one address"),
        ("*", "--host takes one address"),
        ("[::1]", "--host takes one address"),
        ("http://127.0.0.1", "--host takes one address"),
        ("10.0.0.0/8", "--host takes one address"),
        ("127.0.0.1:80", "--host 127.0.0.1 --port 80"),
        ("localhost:80", "--host localhost --port 80"),
    ],
)
def test_another_host_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        listening_host(text)


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9000", "https://backend.example/base", "http://[::1]:9000/"])
def test_a_backend_has_a_url(url: str | None) -> None:
    assert backend_url(url) == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "http:// or https://"),
        ("127.0.0.1:9000", "http:// or https://"),
        ("ftp://backend", "http:// or https://"),
        ("http://", "http:// or https://"),
        ("http://x:0", "http:// or https://"),
        ("http://x:99999", "out of range"),
        ("http://x:port", "port"),
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://me:hidden@x/", "without a name and a password"),
        ("http://x/?a=hidden", "without ?"),
        ("http://x/ y", "without ?"),
    ],
)
def test_a_backend_that_can_never_answer_is_refused_without_its_password(text: str, words: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        backend_url(text)
    assert words in str(refused.value)
    assert "me:hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["authkeys.db", "/var/lib/a.db", "sqlite:///a.db", "postgres://u:p@h/d", "postgresql://h/d"]
)
def test_a_database_is_a_file_or_postgresql(text: str) -> None:
    assert database_text(text) == text


@pytest.mark.parametrize("text", ["", "  ", ":memory:", "mysql://u:hidden@h/d", "postgresql+asyncpg://u:hidden@h/d"])
def test_another_database_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(InvalidValue, match="--database takes a SQLite file or a postgres:// URL") as refused:
        database_text(text)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "check", [trusted_proxies, allowed_hosts, root_path, listening_host, backend_url, database_text]
)
@given(st.text() | st.from_regex(r"(https?://)?[a-z0-9.:@/%\[\]-]*", fullmatch=True))
def test_whatever_is_given_is_taken_in_a_form_that_stays_or_refused(check: Callable[[Any], Any], text: str) -> None:
    try:
        taken = check([text]) if check in (trusted_proxies, allowed_hosts) else check(text)
    except InvalidValue:
        return
    assert check(taken) == taken


# -- the table of all options ------------------------------------------------------------------------------------------


def test_readme_has_the_table_of_the_options_as_the_program_reads_them() -> None:
    assert options_table() in (ROOT / "README.md").read_text("utf-8"), "uv run docs/options.py writes it anew"


def test_a_flag_counts_before_its_variable_and_its_variable_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHKEYS_PORT", "81")
    monkeypatch.setenv("AUTHKEYS_NO_BROWSER", "1")
    monkeypatch.setenv("AUTHKEYS_TRUSTED_PROXY", "192.0.2.1, 192.0.2.2")
    read = read_settings(host="::1", trusted_proxy=["10.0.0.1"], native=False, secret_file=None)
    assert (read.host, read.port, read.root_path) == ("::1", 81, "")
    assert (read.no_browser, read.native) == (True, False)
    assert read.trusted_proxy == ("10.0.0.1",)
    assert read_settings().trusted_proxy == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("AUTHKEYS_PORT", "tcp://10.0.0.1:80", "--port takes a number from 0 to 65535"),
        ("AUTHKEYS_PORT", "65536", "--port takes a number"),
        ("AUTHKEYS_PORT", "-1", "--port takes a number"),
        ("AUTHKEYS_PORT", "٨٠", "--port takes a number"),
        ("AUTHKEYS_DEMO", "maybe", "--demo is on or off"),
        ("AUTHKEYS_HOST", "a b", "--host takes one address"),
        ("AUTHKEYS_BACKEND", "http://me:hidden@x", "without a name and a password"),
    ],
)
def test_a_variable_with_an_impossible_value_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidValue, match=words) as refused:
        read_settings()
    assert "hidden" not in str(refused.value)


def test_the_help_names_every_option_and_its_variable() -> None:
    shown = "".join(
        CliRunner().invoke(commands, [*command, "--help"], terminal_width=300).output for command in ((), ("check",))
    )
    for name in Settings.model_fields:
        assert flag(name) in shown
        assert variable(name) in shown
