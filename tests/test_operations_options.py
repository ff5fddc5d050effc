"""What is told about metrics and logs: what would show them to others, or can never work, is refused in words."""

from pathlib import Path

import pytest

from cli.healthcheck import is_quick
from cli.operations import metrics_settings
from cli.settings import read_settings
from models.errors import InvalidValue
from models.options import server_url
from web.beside import listen_beside
from web.server import CannotServe

TOKEN = "0123456789abcdef"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    return file


def test_by_default_there_are_no_metrics() -> None:
    assert not metrics_settings(read_settings()).wanted


def test_metrics_have_a_port_of_this_machine_or_a_token(token: Path) -> None:
    own = metrics_settings(read_settings(metrics_port="9464"))
    assert (own.host, own.port, own.token) == ("127.0.0.1", 9464, None)
    shared = metrics_settings(read_settings(metrics_token_file=str(token)))
    assert (shared.port, shared.token) == (None, TOKEN.encode())
    both = metrics_settings(read_settings(metrics_host="0.0.0.0", metrics_port="0", metrics_token_file=str(token)))
    assert (both.host, both.port, both.token) == ("0.0.0.0", 0, TOKEN.encode())


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"metrics_port": "65536"}, "--metrics-port takes a number from 0 to 65535"),
        ({"metrics_port": "tcp://10.0.0.1:80"}, "--metrics-port takes a number"),
        ({"metrics_host": "a b", "metrics_port": "1"}, "--metrics-host takes one address"),
        ({"metrics_host": "127.0.0.1:80", "metrics_port": "1"}, "--metrics-host 127.0.0.1 --metrics-port 80"),
        ({"metrics_host": "::1"}, "--metrics-host needs --metrics-port"),
        ({"metrics_host": "0.0.0.0", "metrics_port": "9464"}, "Give a token with --metrics-token-file"),
        ({"metrics_token_file": "/nowhere/token"}, "cannot be read: No such file or directory"),
        ({"metrics_token_file": "/"}, "cannot be read: Is a directory"),
        ({"log_format": "yaml"}, "--log-format is text or json"),
    ],
)
def test_what_cannot_work_or_would_show_them_to_others_is_refused(flags: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        metrics_settings(read_settings(**flags))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "content", ["", "short", "two words of some length", "schlüssel-von-jemandem", "a-line-of-some-length\nb"]
)
def test_a_token_that_is_none_is_refused_without_being_repeated(token: Path, content: str) -> None:
    token.write_text(content)
    with pytest.raises(InvalidValue, match="a token of at least 16 ASCII characters") as refused:
        metrics_settings(read_settings(metrics_token_file=str(token)))
    assert not content or content not in str(refused.value)


def test_a_token_that_others_can_read_is_refused(token: Path) -> None:
    token.chmod(0o644)
    with pytest.raises(InvalidValue, match="Run: chmod 640"):
        metrics_settings(read_settings(metrics_token_file=str(token)))


def test_a_taken_port_is_told_with_the_option_that_chooses_another() -> None:
    with listen_beside("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(CannotServe, match="choose another with --metrics-port"):
            listen_beside("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "http:// or https://"),
        ("localhost:8080", "http:// or https://"),
        ("http://x:99999", "out of range"),
        ("http://me:hidden@x", "without a name and a password"),
        ("http://x/?token=hidden", "without ?"),
    ],
)
def test_an_address_that_no_server_has_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        server_url(text)
    assert words in str(refused.value)
    assert "me:hidden" not in str(refused.value)


def test_only_the_health_of_a_given_address_is_asked_without_the_rest_of_the_program() -> None:
    assert is_quick(["healthcheck", "--url", "http://localhost"])
    assert is_quick(["healthcheck", "--url=http://localhost"])
    assert not is_quick(["healthcheck"])
    assert not is_quick(["--database", "healthcheck", "--url"])
    assert not is_quick([])
