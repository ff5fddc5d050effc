"""Single sign-on by OpenID Connect: what the operator told of the provider, and whom it lets in by what it says of a person.

All of this is decided by claims that are proven already (`services.id_tokens`). An account is never found by a name or an
address in them: only by issuer and subject, which is the one pair that a provider never gives to somebody else (OpenID
Connect Core 1.0, 5.7).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from models.accounts import MAX_NAME_LENGTH, Role, account_name, normalized
from models.errors import InvalidValue, SignInRefused

ATTEMPT_LASTS = timedelta(minutes=10)
"""So long after its start a sign-in at the provider may still come back."""
MAX_SUBJECT_LENGTH = 255
"""OpenID Connect Core 1.0, 2: a subject has at most 255 ASCII characters."""
EMAIL_CLAIM = "email"
BACK_CHANNEL_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
"""What a logout token must tell of (OpenID Connect Back-Channel Logout 1.0, 2.4)."""

_NAME_PUNCTUATION = "._-@+"


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What the operator said of the provider."""

    issuer: str
    """As the provider names itself, to the letter"""
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None for a public client, for which PKCE alone stands"""
    name: str = ""
    scopes: str = "openid profile email"
    claim: str = "groups"
    """Where the values stand that make somebody an admin or an auditor"""
    admins: frozenset[str] = frozenset()
    auditors: frozenset[str] = frozenset()
    allowed_domains: frozenset[str] = frozenset()
    """Of verified addresses; empty: whatever the address"""

    @property
    def host(self) -> str:
        """The issuer's host, as the record names it."""
        return urlsplit(self.issuer).hostname or self.issuer

    @property
    def label(self) -> str:
        """The provider as people are told of it."""
        return self.name or self.host


class ProvenPerson(NamedTuple):
    """Who is let in, as proven claims say it."""

    subject: str
    name: str
    """For an account that is still to be made"""
    role: Role


def admitted(claims: Mapping[str, Any], rules: ProviderSettings) -> ProvenPerson:
    """Who this is, and what they may do here. Raises SignInRefused for who may not come in, with words for that person."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.isprintable() or not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        raise SignInRefused(f"{rules.label} does not say who you are. Tell who keeps it.", "no usable subject")
    who = known_as(claims, rules)
    _check_domain(claims, rules, who)
    return ProvenPerson(subject, _name_for(claims, subject), _role(claims, rules, who))


def known_as(claims: Mapping[str, Any], rules: ProviderSettings) -> str:
    """Whom a refusal is about, in a form that no account's name has: the record shall not mistake one for the other."""
    given = next(
        (each for name in ("preferred_username", EMAIL_CLAIM, "sub") if isinstance(each := claims.get(name), str)), ""
    )
    return f"{given[:60]} at {rules.host}"


def values_of(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The texts in a claim that holds one or a list of them; `realm_access.roles` is also looked for as roles in realm_access."""
    value: Any = claims.get(claim)
    if value is None:
        value = claims
        for part in claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()


def erased_subject(issuer: str, subject: str) -> str:
    """What is kept of a subject whose name was erased: enough to keep that person's disabled account shut."""
    return "sha256:" + hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()


def _role(claims: Mapping[str, Any], rules: ProviderSettings, who: str) -> Role:
    values = values_of(claims, rules.claim)
    if rules.claim == EMAIL_CLAIM and values:
        _verified_email(claims, rules, who)
    if values & rules.admins:
        return Role.ADMIN
    if values & rules.auditors:
        return Role.AUDITOR
    raise SignInRefused(
        f"{rules.label} knows you, but has not made you an admin or an auditor of Authkeys. Ask who keeps it to put you into "
        "one of the groups that Authkeys lets in, then sign in again.",
        f"no role in {rules.claim!r:.60}",
        who,
    )


def _check_domain(claims: Mapping[str, Any], rules: ProviderSettings, who: str) -> None:
    if not rules.allowed_domains:
        return
    domain = _verified_email(claims, rules, who).rpartition("@")[2].casefold().rstrip(".")
    if domain not in rules.allowed_domains:
        raise SignInRefused(
            f"Your address at {rules.label} ends with @{domain:.80}, and addresses of that domain are not let in here. Ask who "
            "runs this server, if they should be.",
            f"foreign domain {domain:.80}",
            who,
        )


def _verified_email(claims: Mapping[str, Any], rules: ProviderSettings, who: str) -> str:
    """The address, if the provider says that it is this person's. Some say "true" as a text (Amazon Cognito)."""
    email, verified = claims.get(EMAIL_CLAIM), claims.get("email_verified")
    if not isinstance(email, str) or "@" not in email:
        raise SignInRefused(
            f"{rules.label} does not say what your email address is, and only some are let in here. Tell who runs this "
            "server: perhaps the scope email is missing.",
            "no email address",
            who,
        )
    if verified is not True and verified != "true":
        raise SignInRefused(
            f"{rules.label} has not verified your email address, so nobody can rely on it here. Verify it there, then sign in "
            "again.",
            "unverified email address",
            who,
        )
    return email


def _name_for(claims: Mapping[str, Any], subject: str) -> str:
    for wanted in ("preferred_username", EMAIL_CLAIM, "name"):
        try:
            return account_name(_fitting(str(claims.get(wanted) or "")))
        except InvalidValue:
            continue
    return f"person-{hashlib.sha256(subject.encode()).hexdigest()[:12]}"


def _fitting(text: str) -> str:
    """A name with a dash for whatever no account's name may hold."""
    kept = "".join(each if each.isalnum() or each in _NAME_PUNCTUATION else "-" for each in normalized(text))
    return kept.strip("".join(set(_NAME_PUNCTUATION)))[:MAX_NAME_LENGTH]
