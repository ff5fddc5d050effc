"""What the options about the provider may say: refused at start, in words, and never at the first sign-in."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models import provider_options
from models.errors import InvalidValue, SecretUnusable
from services.client_secret import load_client_secret
from tests.program import run
from tests.starting import ROOT

ISSUER = "https://login.example.com/realms/company"
ENOUGH = ("--oidc-issuer", ISSUER, "--oidc-client-id", "authkeys", "--oidc-admins", "admins")


@pytest.mark.parametrize(
    "text",
    [
        "login.example.com",
        "http://login.example.com",
        "http://127.0.0.1.example.com",
        "https://",
        "https://login.example.com?tenant=1",
        "https://login.example.com#top",
        "https://login example.com",
        "https://login.example.com:port",
        "ftp://login.example.com",
        "",
        "https://login.example.com/" + "x" * 200,
    ],
)
def test_an_issuer_that_can_never_work_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="--oidc-issuer takes the provider's issuer"):
        provider_options.issuer(text)


def test_an_issuer_is_kept_to_the_letter() -> None:
    for text in (ISSUER, "https://company.eu.auth0.com/", "http://127.0.0.1:9000", "http://[::1]:9000/x"):
        assert provider_options.issuer(text) == text
    with pytest.raises(InvalidValue, match=r"leave out /\.well-known"):
        provider_options.issuer(f"{ISSUER}/.well-known/openid-configuration")
    with pytest.raises(InvalidValue, match="without a name and a password") as caught:
        provider_options.issuer("https://dana:swordfish@login.example.com")
    assert "swordfish" not in str(caught.value)


def test_values_of_the_claim_are_kept_to_the_letter_and_a_variable_holds_several() -> None:
    assert provider_options.claim_values("--oidc-admins", ["Domain Admins", "a,b"]) == ("Domain Admins", "a,b")
    assert provider_options.claim_values("--oidc-admins", "Domain Admins, key-admins,") == (
        "Domain Admins",
        "key-admins",
    )
    assert provider_options.claim_values("--oidc-admins", ()) == ()
    for wrong in ([""], " , ", ["a\nb"], ["x" * 201]):
        with pytest.raises(InvalidValue, match="--oidc-admins"):
            provider_options.claim_values("--oidc-admins", wrong)


def test_scopes_domains_and_names_that_can_never_work_are_refused() -> None:
    assert provider_options.scopes("openid  groups openid") == "openid groups"
    assert provider_options.allowed_domains("Example.COM, example.org.") == ("example.com", "example.org")
    refused: list[tuple[Callable[[Any], object], object, str]] = [
        (provider_options.scopes, "profile email", "must hold openid"),
        (provider_options.scopes, 'openid "x"', "is none"),
        (provider_options.allowed_domains, ["dana@example.com"], "without @"),
        (provider_options.allowed_domains, ["*.example.com"], "wildcards"),
        (provider_options.allowed_domains, ["localhost"], "such as example.com"),
        (provider_options.allowed_domains, [" "], "without a value"),
        (provider_options.claim, " ", "--oidc-claim takes"),
        (provider_options.client_id, "\u00e4", "--oidc-client-id takes"),
        (provider_options.label, "x" * 41, "at most 40"),
        (provider_options.label, "a\u202eb", "U\\+202E"),
    ]
    for rule, wrong, words in refused:
        with pytest.raises(InvalidValue, match=words):
            rule(wrong)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (ENOUGH[:2], "--oidc-issuer needs --oidc-client-id too"),
        (ENOUGH[:4], "--oidc-issuer needs --oidc-admins or --oidc-auditors too"),
        (ENOUGH[2:4], "--oidc-client-id: single sign-on needs --oidc-issuer too"),
        (ENOUGH[4:], "--oidc-admins: single sign-on needs --oidc-issuer too"),
        ((*ENOUGH, "--oidc-secret-file", "/nowhere/secret"), "cannot be read: No such file"),
        (("--oidc-issuer", "http://login.example.com"), "it begins with https://"),
        ((*ENOUGH, "admin", "list"), "is for serving"),
    ],
)
def test_what_does_not_go_together_ends_the_start_in_words(tmp_path: Path, given: tuple[str, ...], words: str) -> None:
    done = run("--database", str(tmp_path / "authkeys.db"), "--port", "0", "--no-browser", *given)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "authkeys.db").exists()


def test_a_client_secret_file_must_be_private_and_hold_one_line(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.touch(mode=0o600)
    file.write_text(" s3cret \n")
    assert load_client_secret(file) == "s3cret"
    for content in (b"", b"\n", b"one\ntwo\n", b"\xff\xfe", b"x" * 2_000):
        file.write_bytes(content)
        with pytest.raises(SecretUnusable, match="is empty, too long, or holds more than one line"):
            load_client_secret(file)
    file.write_text("s3cret")
    file.chmod(0o644)
    with pytest.raises(SecretUnusable, match="chmod 640") as caught:
        load_client_secret(file)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(SecretUnusable, match="cannot be read"):
        load_client_secret(tmp_path)


def test_a_server_without_a_provider_imports_nothing_of_it() -> None:
    heavy = "authlib joserfc httpx cryptography.fernet"
    code = f"import sys, cli.commands; print([each for each in {heavy.split()!r} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
