"""What the options about the provider of single sign-on may say. What can never work is refused at start, in words."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from models.access import is_loopback
from models.errors import InvalidValue
from models.texts import canonical_text

MAX_LENGTH = 200
"""Characters of an issuer, a client id, a claim's name or one of its values"""
MAX_LABEL_LENGTH = 40
DEFAULT_SCOPES = "openid profile email"
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, 3.3
_DOMAIN = re.compile(r"(?!.{254})([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\.?")


def is_safe_url(text: str, *, loopback: bool) -> bool:
    """Whether what is sent there is encrypted, or (`loopback`) does not leave this machine."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for what is no number
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or re.search(r"[\s\\]", text) or not text.isprintable():
        return False
    return parts.scheme == "https" or (loopback and parts.scheme == "http" and is_loopback(parts.hostname))


def issuer(text: str | None) -> str | None:
    """The provider's own name, which is a URL. Raises InvalidValue."""
    if text is None:
        return None
    url = text.strip()
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise InvalidValue("--oidc-issuer takes the provider's address without a name and a password.")
    if url.endswith("/.well-known/openid-configuration"):
        raise InvalidValue("--oidc-issuer takes the issuer itself: leave out /.well-known/openid-configuration.")
    if not is_safe_url(url, loopback=True) or "?" in url or "#" in url or len(url) > MAX_LENGTH:
        raise InvalidValue(
            "--oidc-issuer takes the provider's issuer, such as https://login.example.com/realms/company; it begins with "
            "https:// (http:// only for a provider on this machine), and has no ?, # and spaces: "
            f"not {url!r:.80}."
        )
    return url


def client_id(text: str | None) -> str | None:
    """Who we are at the provider. Raises InvalidValue."""
    if text is None:
        return None
    given = text.strip()
    if not given or not given.isascii() or not given.isprintable() or len(given) > MAX_LENGTH:
        raise InvalidValue(
            f"--oidc-client-id takes the name under which the provider knows this server: not {text!r:.80}."
        )
    return given


def label(text: str) -> str:
    """What the button calls the provider; empty for its host. Raises InvalidValue."""
    name = canonical_text(text, "--oidc-name")
    if len(name) > MAX_LABEL_LENGTH:
        raise InvalidValue(f"--oidc-name has {len(name)} characters; at most {MAX_LABEL_LENGTH} fit on its button.")
    return name


def scopes(text: str) -> str:
    """What is asked of the provider. Raises InvalidValue."""
    given = text.split()
    if "openid" not in given:
        raise InvalidValue(f"--oidc-scopes must hold openid, such as {DEFAULT_SCOPES!r}: not {text!r:.80}.")
    if wrong := [each for each in given if not _SCOPE.fullmatch(each)]:
        raise InvalidValue(f"--oidc-scopes takes scopes with spaces between; {wrong[0]!r:.80} is none.")
    return " ".join(dict.fromkeys(given))


def claim(text: str) -> str:
    """Where the provider says what somebody may do. Raises InvalidValue."""
    name = text.strip()
    if not name or not name.isprintable() or len(name) > MAX_LENGTH:
        raise InvalidValue(
            f"--oidc-claim takes the name of a claim, such as groups or realm_access.roles: not {text!r:.80}."
        )
    return name


def claim_values(option: str, given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Values of that claim, to the letter; a variable holds several with commas between. Raises InvalidValue."""
    texts = given.split(",") if isinstance(given, str) else list(given or ())
    values = [each.strip() for each in texts if each.strip()]
    if texts and not values:
        raise InvalidValue(f"{option} is given without a value.")
    if wrong := [each for each in values if not each.isprintable() or len(each) > MAX_LENGTH]:
        raise InvalidValue(
            f"{option} takes a value of the claim, of at most {MAX_LENGTH} characters: not {wrong[0]!r:.80}."
        )
    return tuple(dict.fromkeys(values))


def allowed_domains(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Domains of email addresses. Raises InvalidValue."""
    texts = [given] if isinstance(given, str) else list(given or ())
    domains = [each for text in texts for each in re.split(r"[,\s]+", text) if each]
    if texts and not domains:
        raise InvalidValue("--oidc-allowed-domain is given without a value.")
    for each in domains:
        if not _DOMAIN.fullmatch(each.casefold()):
            raise InvalidValue(
                "--oidc-allowed-domain takes the domain of email addresses, such as example.com, in ASCII and without @ and "
                f"wildcards: not {each!r:.80}."
            )
    return tuple(dict.fromkeys(each.casefold().rstrip(".") for each in domains))


def check_together(issuer: str | None, client_id: str | None, others: Iterable[str], *, has_role: bool) -> None:
    """Raise InvalidValue unless these options make sense together; `others` are flags of ours that were given."""
    if issuer is None:
        if given := [*others, *(["--oidc-client-id"] if client_id else [])]:
            raise InvalidValue(f"{' and '.join(given)}: single sign-on needs --oidc-issuer too, or leave this out.")
        return
    if client_id is None:
        raise InvalidValue(
            "--oidc-issuer needs --oidc-client-id too: the name under which the provider knows this server."
        )
    if not has_role:
        raise InvalidValue(
            "--oidc-issuer needs --oidc-admins or --oidc-auditors too, such as --oidc-admins authkeys-admins: without a "
            "value of the claim that lets somebody in, nobody could sign in there."
        )
