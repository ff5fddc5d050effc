"""Who is let in by the provider, with which account and role; as services on both databases."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from models.accounts import Role
from models.errors import InvalidValue, NotAllowed, SignInRefused, TooManyAttempts
from models.history import EntryKind
from models.single_sign_on import erased_subject
from models.tables import Admin, ExternalIdentity
from services.console import Console, open_console
from services.identities import link
from storage.database import DatabaseLocation
from tests.oidc_provider import ADMINS, AUDITORS, OidcProvider, person
from tests.single_sign_on import CALLBACK, HERE, answer_of, newest_refusal, refusal, rules, sign_in, sso
from tests.support import listening

PASSWORD = "vexing-marble-otter"


async def told(console: Console) -> list[tuple[EntryKind, str, str]]:
    """What is on record, oldest first."""
    return [(entry.kind, entry.name, entry.detail) for entry in reversed(await console.history.accesses())]


# -- who comes in ------------------------------------------------------------------------------------------------------


async def test_who_signs_in_first_gets_an_account_without_a_password(
    linked_console: Console, provider: OidcProvider
) -> None:
    arrival = await sign_in(linked_console, "/history?what=keys")
    assert (arrival.admin.name, arrival.admin.role, arrival.to) == ("dana", Role.ADMIN, "/history?what=keys")
    assert (await Admin.get(name="dana")).password_hash is None
    assert await linked_console.admins.authenticate("dana", "", HERE) is None
    assert (await told(linked_console))[0] == (EntryKind.ADDED, "dana", "as admin, by 127.0.0.1")


async def test_the_same_person_has_the_same_account_whatever_the_provider_calls_them_later(
    linked_console: Console, provider: OidcProvider
) -> None:
    first = await sign_in(linked_console)
    provider.person = person("dana", preferred_username="dana.married", email="new@example.com", groups=[ADMINS])
    assert (await sign_in(linked_console)).admin == first.admin
    assert await ExternalIdentity.all().count() == 1


async def test_two_sign_ins_at_once_make_one_account(linked_console: Console) -> None:
    arrivals = await asyncio.gather(*(sign_in(linked_console) for _ in range(4)))
    assert len({each.admin.id for each in arrivals}) == 1
    assert await Admin.filter(name="dana").count() == 1


async def test_the_role_follows_the_claim_and_a_new_one_ends_the_sessions_with_the_old_one(
    linked_console: Console, provider: OidcProvider
) -> None:
    admin = (await sign_in(linked_console)).admin
    cookie = await linked_console.sessions.begin(admin, HERE)
    assert await linked_console.sessions.find(cookie) is not None
    provider.person["groups"] = ["others", AUDITORS]
    async with listening(linked_console.sessions.ended) as ended:
        assert (await sign_in(linked_console)).admin == admin._replace(role=Role.AUDITOR)
        await ended.next()
    assert await linked_console.sessions.find(cookie) is None
    assert (EntryKind.ROLE_CHANGED, "dana", "to auditor, by 127.0.0.1") in await told(linked_console)


async def test_who_is_in_both_groups_is_an_admin(linked_console: Console, provider: OidcProvider) -> None:
    provider.person["groups"] = [AUDITORS, ADMINS]
    assert (await sign_in(linked_console)).admin.role is Role.ADMIN


async def test_what_the_id_token_leaves_out_is_asked_of_the_userinfo_endpoint(
    linked_console: Console, provider: OidcProvider
) -> None:
    provider.token_claims = set()
    assert (await sign_in(linked_console)).admin.role is Role.ADMIN
    assert "/userinfo" in provider.asked
    provider.userinfo_subject = "somebody else"
    words, record = await refusal(linked_console, sign_in(linked_console))
    assert "two different things" in words
    assert record == "userinfo of another subject"


async def test_a_name_that_no_account_may_have_is_made_to_fit(linked_console: Console, provider: OidcProvider) -> None:
    provider.person["preferred_username"] = "Dana <dana>/O'Neil"
    assert (await sign_in(linked_console)).admin.name == "Dana--dana--O-Neil"


# -- who stays out -----------------------------------------------------------------------------------------------------


async def test_who_has_no_role_is_refused_in_words_and_gets_no_account(
    linked_console: Console, provider: OidcProvider
) -> None:
    for groups in ([], ["others"], [ADMINS.upper()], f"{ADMINS} and more", {"name": ADMINS}, None):
        provider.person["groups"] = groups
        words, record = await refusal(linked_console, sign_in(linked_console))
        assert "has not made you an admin or an auditor" in words
        assert record == "dana at 127.0.0.1: no role in 'groups'"
    assert not await Admin.filter(name="dana").exists()


async def test_a_disabled_account_stays_out_whatever_the_provider_says(linked_console: Console) -> None:
    await sign_in(linked_console)
    await linked_console.admins.set_disabled("dana", True, "a test")
    words, record = await refusal(linked_console, sign_in(linked_console))
    assert "Your account here is disabled" in words
    assert record == "dana: disabled account"


async def test_an_erased_person_is_forgotten_and_stays_out(linked_console: Console, provider: OidcProvider) -> None:
    await sign_in(linked_console)
    await linked_console.admins.erase_name("dana", "a test")
    [identity] = await ExternalIdentity.all()
    assert identity.subject == erased_subject(provider.issuer, "subject-of-dana")
    assert "disabled" in (await refusal(linked_console, sign_in(linked_console)))[0]
    assert not await Admin.filter(name="dana").exists()


async def test_a_name_that_a_local_account_has_takes_nothing_over(
    linked_console: Console, provider: OidcProvider
) -> None:
    await linked_console.admins.add("Dana", PASSWORD, Role.AUDITOR, "a test")
    words, record = await refusal(linked_console, sign_in(linked_console))
    assert "There is already an account 'Dana'" in words
    assert f"admin link Dana subject-of-dana --issuer {provider.issuer}" in words
    assert record == "dana at 127.0.0.1: the account's name is taken"
    row = await Admin.get(name="Dana")
    assert (row.role, row.password_hash is None) == ("auditor", False)


@pytest.mark.parametrize(
    ("email", "verified", "words", "record"),
    [
        ("dana@example.com", False, "has not verified your email", "unverified email address"),
        ("dana@example.com", None, "has not verified your email", "unverified email address"),
        ("dana@example.com", "false", "has not verified your email", "unverified email address"),
        ("dana@evil.example", True, "@evil.example, and addresses of that domain", "foreign domain evil.example"),
        ("dana@example.com@evil.example", True, "@evil.example", "foreign domain evil.example"),
        ("dana@notexample.com", True, "@notexample.com", "foreign domain notexample.com"),
        ("dana@sub.example.com", True, "@sub.example.com", "foreign domain sub.example.com"),
        (None, True, "does not say what your email", "no email address"),
        (["dana@example.com"], True, "does not say what your email", "no email address"),
    ],
)
async def test_only_verified_addresses_of_allowed_domains_come_in(
    sqlite_database: DatabaseLocation, provider: OidcProvider, email: object, verified: object, words: str, record: str
) -> None:
    settings = rules(provider, allowed_domains=frozenset({"example.com"}))
    async with open_console(sqlite_database, provider=settings) as console:
        provider.person = person("dana", groups=[ADMINS], email=email, email_verified=verified)
        said, recorded = await refusal(console, sign_in(console))
        assert words in said
        assert recorded == f"dana at 127.0.0.1: {record}"
        provider.person = person("dana", groups=[ADMINS], email="Dana@Example.COM")
        assert (await sign_in(console)).admin.name == "dana"


async def test_a_role_by_email_address_counts_only_verified_ones(
    sqlite_database: DatabaseLocation, provider: OidcProvider
) -> None:
    settings = rules(provider, claim="email", admins=frozenset({"dana@example.com"}))
    async with open_console(sqlite_database, provider=settings) as console:
        provider.person["email_verified"] = False
        assert "has not verified" in (await refusal(console, sign_in(console)))[0]
        provider.person["email_verified"] = True
        assert (await sign_in(console)).admin.role is Role.ADMIN


# -- linking -----------------------------------------------------------------------------------------------------------


async def test_an_admin_can_link_a_local_account_and_its_password_goes(
    linked_console: Console, provider: OidcProvider
) -> None:
    admins = linked_console.admins
    await admins.add("dana", PASSWORD, Role.AUDITOR, "a test")
    with pytest.raises(InvalidValue, match="only account with a password"):
        await link("dana", "subject-of-dana", provider.issuer, "a test", keep_password=False)
    await admins.add("ben", PASSWORD, Role.ADMIN, "a test")
    await link("dana", "subject-of-dana", provider.issuer, "a test", keep_password=False)
    assert await admins.authenticate("dana", PASSWORD, HERE) is None
    arrival = await sign_in(linked_console)
    assert (arrival.admin.id, arrival.admin.role) == ((await Admin.get(name="dana")).id, Role.ADMIN)
    assert (EntryKind.LINKED, "dana", "without a password, by a test") in await told(linked_console)
    with pytest.raises(InvalidValue, match="signs in as 'dana' already"):
        await link("ben", "subject-of-dana", provider.issuer, "a test", keep_password=True)
    assert await admins.authenticate("ben", PASSWORD, HERE) is not None


async def test_the_last_admin_who_comes_in_without_the_provider_keeps_the_password(
    linked_console: Console, provider: OidcProvider
) -> None:
    await linked_console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    await linked_console.admins.add("ben", PASSWORD, Role.AUDITOR, "a test")
    with pytest.raises(NotAllowed, match="'dana' is the last admin who can sign in"):
        await link("dana", "subject-of-dana", provider.issuer, "a test", keep_password=False)
    assert await linked_console.admins.authenticate("dana", PASSWORD, HERE) is not None


async def test_a_linked_account_may_keep_its_password(linked_console: Console, provider: OidcProvider) -> None:
    await linked_console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    await link("dana", "subject-of-dana", provider.issuer, "a test", keep_password=True)
    assert await linked_console.admins.authenticate("dana", PASSWORD, HERE) == (await sign_in(linked_console)).admin
    with pytest.raises(InvalidValue, match="There is no account 'nobody'"):
        await link("nobody", "x", provider.issuer, "a test", keep_password=True)


# -- answers that may not be used --------------------------------------------------------------------------------------


async def test_a_state_is_used_once_also_by_two_at_once(linked_console: Console) -> None:
    departure = await sso(linked_console).depart(CALLBACK, "/")
    answer = await answer_of(departure.url)
    results = await asyncio.gather(
        *(sso(linked_console).arrive(departure.cookie, answer, HERE) for _ in range(3)), return_exceptions=True
    )
    refused = [each for each in results if isinstance(each, SignInRefused)]
    assert [each.reason for each in refused] == ["replayed state"] * 2
    assert await newest_refusal(linked_console) == "replayed state"


async def test_another_browsers_answer_is_refused(linked_console: Console) -> None:
    mine, theirs = [await sso(linked_console).depart(CALLBACK, "/") for _ in range(2)]
    answer = await answer_of(theirs.url)
    words, record = await refusal(linked_console, sso(linked_console).arrive(mine.cookie, answer, HERE))
    assert "not started in this browser" in words
    assert record == "wrong or missing state"
    for cookie in (None, "", "made up", mine.cookie[:-3]):
        _, record = await refusal(linked_console, sso(linked_console).arrive(cookie, answer, HERE))
        assert record == "no sign-in under way"
    assert (await sso(linked_console).arrive(theirs.cookie, answer, HERE)).admin.name == "dana"


async def test_a_replayed_code_is_refused_by_the_provider_and_on_record(linked_console: Console) -> None:
    first = await sso(linked_console).depart(CALLBACK, "/")
    used = dict(await answer_of(first.url))["code"]
    await sso(linked_console).arrive(first.cookie, [("code", used), *_state(first.url)], HERE)
    second = await sso(linked_console).depart(CALLBACK, "/")
    attempt = sso(linked_console).arrive(second.cookie, [("code", used), *_state(second.url)], HERE)
    words, record = await refusal(linked_console, attempt)
    assert "its code was used already" in words
    assert record == "replayed, expired or foreign code"


async def test_a_code_that_another_browser_got_is_of_no_use(linked_console: Console) -> None:
    theirs, mine = [await sso(linked_console).depart(CALLBACK, "/") for _ in range(2)]
    stolen = dict(await answer_of(theirs.url))["code"]
    attempt = sso(linked_console).arrive(mine.cookie, [("code", stolen), *_state(mine.url)], HERE)
    assert (await refusal(linked_console, attempt))[1] == "replayed, expired or foreign code"  # by PKCE


async def test_who_tries_answers_is_slowed(linked_console: Console) -> None:
    for _ in range(20):
        with pytest.raises(SignInRefused):
            await sso(linked_console).arrive(None, [("code", "x"), ("state", "y")], HERE)
    with pytest.raises(TooManyAttempts, match="Too many answers of the provider"):
        await sso(linked_console).arrive(None, [("code", "x"), ("state", "y")], HERE)
    assert [kind for kind, *_ in await told(linked_console)] == [EntryKind.REFUSED, EntryKind.SLOWED]


def _state(url: str) -> list[tuple[str, str]]:
    return [("state", parse_qs(urlsplit(url).query)["state"][0])]
