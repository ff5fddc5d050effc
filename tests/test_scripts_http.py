"""What scripts get over HTTP: `/authorize`, Manage2's functions and the gateway, each answer as its callers need it."""

import asyncio
import re

import httpx
import pytest

from api.gateway import AT_ONCE_FROM_ONE, Backend
from api.stub_backend import stub_backend
from models.access_checks import Reason
from models.accounts import Role
from models.history import EntryKind
from models.privileges import MANAGE_AUTHKEYS
from models.secrets import new_secret
from models.submissions import Removal
from services.console import Console
from services.keymaking import issue_new_key
from storage.database import DatabaseLocation
from tests.scripts import ELSEWHERE, HERE, READERS, Recorder, add_key_with, calling
from tests.support import ADD, SEARCH, all_keys, came_in, kept_passphrases, submit

PHRASE, PASSWORD = "open sesame please", "vexing-marble-otter"
CHALLENGE = 'Basic realm="cPanel Licensing System"'


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """HTTP does not know which database it is; one kind is enough."""
    return sqlite_database


def status(answer: httpx.Response) -> int:
    return int(answer.json()["status"])


# -- registering -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", READERS)
async def test_a_server_registers_and_reads_the_answer_in_its_format(console: Console, output: str) -> None:
    await console.passphrases.add(console.admin, PHRASE, SEARCH.mask)
    service = '"quo\'te" <b> & : 🔑'
    async with calling(console) as client:
        answer = await client.get(
            "/XMLregisterAuth.cgi",
            params={"user": "u@example.com", "pickup": PHRASE, "service": service, "output": output},
            headers={"Authorization": "Basic Og=="},  # cPanel's PHP class 3.6
        )
    fields = READERS[output](answer.text)
    assert answer.status_code == 200
    assert int(fields["status"]) == 1
    assert fields["ip"] == HERE
    assert fields["reason"] == f"Successfully registered {service} on {HERE}"
    assert len(fields["key"]) == 20
    assert answer.headers["cache-control"] == "no-store"
    if output == "xml":
        assert answer.text.startswith("<XMLRegisterAuth ")
    (key,) = (await all_keys()).values()
    assert (key.service, key.privileges) == (service, SEARCH.mask)


async def test_a_posted_body_counts_and_the_query_beside_it_does_not(console: Console) -> None:
    await console.passphrases.add(console.admin, PHRASE, 0)
    async with calling(console) as client:
        answer = await client.post(
            "/XMLregisterAuth.cgi?output=json&service=other",
            content=f"user=u;pickup={PHRASE.replace(' ', '+')};service=billing",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    assert answer.text.startswith("<XMLRegisterAuth ")
    assert [key.service for key in (await all_keys()).values()] == ["billing"]


@pytest.mark.parametrize(
    ("parameters", "expected", "words"),
    [
        ({}, -1, "'user' is needed"),
        ({"user": "u", "pickup": PHRASE}, -1, "'service' is needed"),
        ({"user": "u", "pickup": PHRASE, "service": "bell\a"}, -1, "control character"),
        ({"user": "u", "pickup": "wrong phrase", "service": "s"}, 0, "not valid for this server"),
    ],
)
async def test_a_registration_that_fails_says_why_with_http_200(
    console: Console, parameters: dict[str, str], expected: int, words: str
) -> None:
    await console.passphrases.add(console.admin, PHRASE, 0)
    async with calling(console) as client:
        answer = await client.get("/XMLregisterAuth.cgi", params={"output": "json", **parameters})
    assert answer.status_code == 200
    assert status(answer) == expected
    assert words in answer.json()["reason"]


async def test_who_guesses_phrases_is_slowed_also_with_the_right_one_then(console: Console) -> None:
    await console.passphrases.add(console.admin, PHRASE, 0)
    right = {"user": "u", "pickup": PHRASE, "service": "s", "output": "json"}
    async with calling(console) as client:
        for n in range(30):
            await client.get("/XMLregisterAuth.cgi", params={**right, "pickup": f"guess number {n}"})
        answer = await client.get("/XMLregisterAuth.cgi", params=right)
        assert status(answer) == 0
        assert "not valid for this server" in answer.json()["reason"]
    async with calling(console, address=ELSEWHERE) as client:
        assert status(await client.get("/XMLregisterAuth.cgi", params=right)) == 1
    assert "too many phrases" in {entry.detail for entry in await console.history.accesses()}


# -- calls that need a key ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", READERS)
async def test_without_credentials_the_realm_asks_for_them_in_the_callers_format(console: Console, output: str) -> None:
    async with calling(console) as client:
        for auth in (None, ("u", "wrong"), ("", "")):
            answer = await client.get("/XMLlicenseInfo.cgi", params={"output": output}, auth=auth)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == CHALLENGE
            assert int(READERS[output](answer.text)["status"]) == 0


async def test_a_key_opens_what_it_has_and_from_where_it_is(console: Console) -> None:
    secret = await add_key_with(console, SEARCH)
    stub = Backend("http://stub", httpx.ASGITransport(stub_backend()))
    question = {"output": "json", "apikey": secret.text}
    async with calling(console, backend=stub) as client:
        assert status(await client.get("/XMLlookup.cgi", params=question)) == 1
        assert status(await client.post("http://keys.example//xmlLOOKUP.cgi", data=question)) == 1
        assert status(await client.get("/XMLlookup.cgi?output=json", auth=("u", secret.text))) == 1
        assert status(await client.get("/XMLpackageInfo.cgi", params=question)) == 1
        for path in ("/XMLlicenseAdd.cgi", "/XMLgroupAdd.cgi"):
            refused = await client.get(path, params=question)
            assert (refused.status_code, status(refused)) == (200, 0)
        unknown = await client.get("/XMLlookup.cgi", params={**question, "apikey": new_secret().text})
        assert (unknown.status_code, status(unknown)) == (200, 0)
    async with calling(console, address=ELSEWHERE, backend=stub) as client:
        elsewhere = await client.get("/XMLlookup.cgi", params=question)
        assert elsewhere.content == unknown.content


async def test_an_admins_password_or_a_managing_key_adds_a_phrase_that_carries_no_privilege(console: Console) -> None:
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    await console.admins.add("ada", PASSWORD, Role.AUDITOR, "a test")
    managing, other = await add_key_with(console, MANAGE_AUTHKEYS), await add_key_with(console, ADD, service="other")
    async with calling(console) as client:

        async def add(phrase: str, name: str, secret: str) -> httpx.Response:
            return await client.get(
                "/XMLaddPickupPass.cgi", params={"pickup": phrase, "output": "json"}, auth=(name, secret)
            )

        added = await add(PHRASE, "dana", PASSWORD)
        assert added.json()["reason"] == f"Successfully added pickup phrase '{PHRASE}' for dana"
        assert status(await add("phrase of a key", "dana", managing.text)) == 1
        assert status(await add("another phrase", "dana", other.text)) == 0
        assert status(await add("another phrase", "ada", PASSWORD)) == 0
        assert (await add("another phrase", "dana", "wrong wrong wrong")).status_code == 401
        assert status(await add(PHRASE, "dana", PASSWORD)) == -1
    assert [(each.made_by, each.privileges) for each in await kept_passphrases()] == [
        (console.admin.name, 0),
        ("dana", 0),
    ]


async def test_a_phrase_on_record_names_the_key_that_made_it_and_not_the_name_put_beside_it(console: Console) -> None:
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    managing = await add_key_with(console, MANAGE_AUTHKEYS)
    async with calling(console) as client:
        await client.get("/XMLaddPickupPass.cgi", params={"pickup": PHRASE}, auth=("dana", managing.text))
    entry = (await console.history.newest(1))[0]
    assert (entry.kind, entry.name, entry.address) == (EntryKind.SUBMITTED, console.admin.name, HERE)
    assert entry.detail == f"through the API by the key of billing at {HERE}"


async def test_a_key_cannot_find_out_the_phrases_of_others_by_adding_many(console: Console) -> None:
    managing = await add_key_with(console, MANAGE_AUTHKEYS)
    async with calling(console) as client:
        answers = [
            await client.post(
                "/XMLaddPickupPass.cgi", data={"pickup": f"guess number {n}", "output": "json", "apikey": managing.text}
            )
            for n in range(30)
        ]
        assert [status(answer) for answer in answers] == [1] * 20 + [0] * 10
        assert {answer.status_code for answer in answers} == {200}
        assert "Too many passphrases" in answers[-1].json()["reason"]
        # Nor may the same address go on by registering.
        register = {"user": "u", "pickup": "guess number 1", "service": "s", "output": "json"}
        assert status(await client.get("/XMLregisterAuth.cgi", params=register)) == 0


async def test_a_script_that_sends_its_password_with_every_call_is_not_slowed(console: Console) -> None:
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    stub = Backend("http://stub", httpx.ASGITransport(stub_backend()))
    async with calling(console, backend=stub) as client:

        async def call(secret: str = PASSWORD) -> httpx.Response:
            return await client.get("/XMLlookup.cgi?output=json", auth=("dana", secret))

        assert {status(answer) for answer in await asyncio.gather(*(call() for _ in range(AT_ONCE_FROM_ONE)))} == {1}
        wrong = [(await call(f"wrong wrong {n}")).json()["reason"] for n in range(6)]
        assert "neither the password" in wrong[0]
        assert "Too many attempts" in wrong[-1]
        # Its admin still gets into the page, and a new password ends the old one's calls at once.
        assert await console.admins.authenticate("dana", PASSWORD, HERE) is not None
        await console.admins.set_password("dana", f"{PASSWORD} 2", "a test")
        assert (await call()).status_code == 401
        await came_in(console)
        await console.admins.set_disabled("dana", True, "a test")
        assert (await call(f"{PASSWORD} 2")).status_code == 401


async def test_old_keys_are_slowed_like_unknown_ones_and_keep_nobody_elses_password_out(console: Console) -> None:
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    removed, replaced = [await add_key_with(console, SEARCH, service=name) for name in ("removed", "replaced")]
    rows = {row.service: row for row in (await all_keys()).values()}
    await submit(console, Removal(rows["removed"].id, rows["removed"].revision))
    await issue_new_key(console.submissions, console.admin, rows["replaced"])
    said: dict[str, list[tuple[int, str]]] = {}
    for address, (name, key) in zip(
        ("192.0.2.61", "192.0.2.62", "192.0.2.63"),
        {"removed": removed.text, "replaced": replaced.text, "unknown": new_secret().text}.items(),
        strict=True,
    ):
        async with calling(console, address=address) as client:
            answers = [await client.get("/XMLlookup.cgi?output=json", auth=("dana", key)) for _ in range(7)]
            said[name] = [(each.status_code, re.sub(r"\d+ seconds", "", each.text)) for each in answers]
            # The password of the same account, from the same address, is not slowed by that.
            assert (await client.get("/XMLlookup.cgi?output=json", auth=("dana", PASSWORD))).status_code == 200
    assert said["removed"] == said["replaced"] == said["unknown"]
    assert "Too many attempts with a wrong key or password" in said["unknown"][-1][1]
    kinds = [each.kind for each in await console.history.accesses()]
    assert not {EntryKind.REFUSED, EntryKind.SLOWED} & set(kinds)

    await console.uses.write(all_challenges=True)
    denied = {(each.reason, each.service): each.times for each in await console.uses.denied_requests()}
    assert denied == {
        (Reason.REMOVED, "removed"): 7,
        (Reason.REPLACED, "replaced"): 7,
        (Reason.UNKNOWN_KEY, ""): 7,
    }


@pytest.mark.parametrize("name", ["a\0b", "\n", "x" * 300, "🔑"])
async def test_a_name_that_no_account_can_have_is_asked_for_again(console: Console, name: str) -> None:
    async with calling(console) as client:
        assert (await client.get("/XMLlookup.cgi", auth=(name, PASSWORD))).status_code == 401


# -- browsers ----------------------------------------------------------------------------------------------------------


async def test_a_page_of_any_site_may_read_what_its_key_gets_and_nothing_else(console: Console) -> None:
    await console.admins.add("dana", PASSWORD, Role.ADMIN, "a test")
    secret = await add_key_with(console, SEARCH)
    stub = Backend("http://stub", httpx.ASGITransport(stub_backend()))
    async with calling(console, backend=stub) as client:
        keyed = [
            await client.get(f"/XMLlookup.cgi?apikey={secret.text}"),
            await client.post("/XMLlookup.cgi", data={"apikey": secret.text}),
            await client.get(f"/XMLlicenseAdd.cgi?apikey={secret.text}"),
            await client.get(f"/XMLlookup.cgi?apikey={new_secret().text}"),
        ]
        others = [
            await client.get("/XMLlookup.cgi"),
            await client.get("/XMLlookup.cgi", auth=("u", secret.text)),
            await client.get("/XMLlookup.cgi", auth=("dana", PASSWORD)),
            await client.get("/XMLlookup.cgi", headers={"X-Api-Key": secret.text}),
            await client.get("/XMLregisterAuth.cgi?user=u&pickup=no+such+phrase&service=s"),
            await client.post(f"/XMLlookup.cgi?apikey={secret.text}", data={"ip": "192.0.2.10"}),
        ]
    assert {answer.headers.get("access-control-allow-origin") for answer in keyed} == {"*"}
    assert {answer.headers.get("access-control-allow-origin") for answer in others} == {None}
    assert not any("access-control-allow-credentials" in answer.headers for answer in [*keyed, *others])


async def test_no_answer_runs_as_a_page_of_the_console_nor_leaves_a_cookie_there(console: Console) -> None:
    secret, recorder = (
        await add_key_with(console, SEARCH),
        Recorder((b"set-cookie", b"a=b"), (b"content-type", b"text/html")),
    )
    async with calling(console, backend=Backend("http://stub", httpx.ASGITransport(recorder))) as client:
        for path in (f"/XMLlookup.cgi?apikey={secret.text}", "/XMLlookup.cgi", "/XMLregisterAuth.cgi"):
            answer = await client.get(path)
            assert "sandbox" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert "set-cookie" not in answer.headers
