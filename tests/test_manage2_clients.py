"""Manage2's clients, byte for byte as they call, against the started program.

What is sent was written down from the real clients: cPanelLicensing.pm 3.6 (LWP 6.68), cPanel's PHP classes 3.13 and 3.6
and Detain\\Cpanel (PHP 8.2), python-manage2 1.0.1 (requests 2.27), node-cpanel-manage2 (request 2.21).
"""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import defusedxml.ElementTree
import pytest

from models.manage2_answers import REALM
from models.privileges import MANAGE_AUTHKEYS, mask_of, privilege
from models.submissions import Assignment
from tests.backend import running_backend
from tests.manage2_clients import (
    CLIENTS,
    ELSEWHERE,
    HERE,
    REGISTRARS,
    UNKNOWN_KEY,
    USER,
    Perl,
    Php36,
    Php313,
    Reply,
    basic,
    exchange,
)
from tests.program import PASSWORD, Program, add_admin, import_csv, running, write_csv
from tests.waiting import soon


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    database = str(tmp_path_factory.mktemp("clients") / "authkeys.db")
    add_admin(database, USER)
    with (
        running_backend() as backend,
        running("--backend", f"http://127.0.0.1:{backend}", database=database) as server,
    ):
        yield server


def grant(server: Program, folder: Path, service: str, *privilege_ids: str) -> None:
    """Give the key of this service these privileges, from another process; in force within a second."""
    privileges = mask_of(privilege(each) for each in privilege_ids)
    import_csv(server.database, write_csv(folder / "grant.csv", [Assignment(HERE, service, privileges)]))


def a_key(server: Program, service: str) -> str:
    """A key of this service, without privileges, for clients that cannot register one."""
    phrase = f"a phrase for {service}"
    assert Php313("json").add_pickup_pass(server.port, phrase, PASSWORD).fields("json")["status"] == 1
    return str(Php313("json").register(server.port, phrase, service).fields("json")["key"])


# -- what they all go through ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_gets_its_key_is_refused_readably_is_let_in_and_is_known_by_its_address(
    server: Program, tmp_path: Path, name: str
) -> None:
    client, port, service = CLIENTS[name], server.port, name.replace(" ", "-").replace(":", "")
    if client.can_register:
        phrase = f"open sesame for {service}"
        added = client.add_pickup_pass(port, phrase, PASSWORD)
        assert added.status == 200
        assert added.fields(client.output)["reason"] == f"Successfully added pickup phrase '{phrase}' for {USER}"
        registered = client.register(port, phrase, service)
        fields = registered.fields(client.output)
        assert (registered.status, int(fields["status"]), fields["ip"]) == (200, 1, HERE)
        assert fields["reason"] == f"Successfully registered {service} on {HERE}"
        key = fields["key"]
    else:
        key = a_key(server, service)

    def call(secret: str, address: str = HERE) -> tuple[int, Reply]:
        reply = client.list_licenses(port, secret, address)
        return int(reply.fields(client.output)["status"]), reply

    status, before = call(key)
    assert (before.status, status) == (200, 0)
    assert "may not do that" in before.fields(client.output)["reason"]
    grant(server, tmp_path, service, "listlicenses")
    assert soon(lambda: call(key)[0] == 1)
    status, allowed = call(key)
    assert (allowed.status, status) == (200, 1)
    assert "one.example.com" in allowed.body
    assert key not in allowed.body
    status, stolen = call(key, ELSEWHERE)
    assert (stolen.status, status) == (200, 0)
    assert stolen.fields(client.output)["reason"]
    status, unknown = call(UNKNOWN_KEY, ELSEWHERE)
    assert (unknown.status, status) in ((200, 0), (401, 0))
    assert unknown.fields(client.output)["reason"]


@pytest.mark.parametrize("name", REGISTRARS)
def test_a_phrase_that_is_used_up_or_invented_is_refused_in_words_and_with_http_200(server: Program, name: str) -> None:
    client, port, service = REGISTRARS[name], server.port, f"again {name}".replace(" ", "-").replace(":", "")
    phrase = f"only once for {service}"
    client.add_pickup_pass(port, phrase, PASSWORD)
    assert int(client.register(port, phrase, service).fields(client.output)["status"]) == 1
    for bad in (phrase, "never made by anybody"):
        refused = client.register(port, bad, service)
        fields = refused.fields(client.output)
        assert (refused.status, int(fields["status"])) == (200, 0)
        assert fields["reason"] == "The pickup passphrase is not valid for this server."


@pytest.mark.parametrize("name", REGISTRARS)
def test_a_wrong_password_gets_the_challenge_with_a_body_in_the_clients_format(server: Program, name: str) -> None:
    client = REGISTRARS[name]
    refused = client.add_pickup_pass(server.port, "another phrase", "wrong wrong wrong")
    assert refused.status == 401
    assert refused.headers["www-authenticate"] == f'Basic realm="{REALM}"'
    assert int(refused.fields(client.output)["status"]) == 0
    assert refused.fields(client.output)["reason"]


# -- what only some of them do -----------------------------------------------------------------------------------------


def test_the_same_object_of_the_php_class_36_goes_on_with_its_key(server: Program) -> None:
    # It takes the key from the root's attribute, and puts it where its password was.
    client = Php36()
    client.add_pickup_pass(server.port, "one object for all", PASSWORD)
    registered = client.register(server.port, "one object for all", "one-object")
    assert registered.body.startswith('<XMLRegisterAuth key="')
    key = registered.fields("xml")["key"]
    assert client.list_licenses(server.port, key).body == (
        '<XMLlicenseInfo reason="This key may not do that from this address." status="0" />\n'
    )


def test_perls_posts_come_after_a_challenge_too_and_the_key_does_not_go_with_the_first(server: Program) -> None:
    key = a_key(server, "perl-posts")
    body = "oldip=192.0.2.10&newip=192.0.2.20&packageid=7&output=xml"

    def post(authorization: str) -> Reply:
        return exchange(
            server.port,
            f"POST /XMLtransfer.cgi HTTP/1.1\nTE: deflate,gzip;q=0.3\nConnection: TE, close\n{authorization}"
            f"Host: 127.0.0.1:{server.port}\nUser-Agent: cPanel Licensing Agent (perl) 3.6\n"
            f"Content-Length: {len(body)}\nContent-Type: application/x-www-form-urlencoded\n\n{body}",
        )

    challenge = post("")
    assert (challenge.status, challenge.headers["www-authenticate"]) == (401, f'Basic realm="{REALM}"')
    assert post(basic(USER, key)).body.startswith("<XMLtransfer reason=")


def test_a_form_in_the_query_is_not_read_beside_a_posted_one(server: Program) -> None:
    # The guide's own example: `curl '…?output=json' -d liscid=…` answers in XML.
    answer = exchange(
        server.port,
        f"POST /XMLlicenseInfo.cgi?output=json&apikey={UNKNOWN_KEY} HTTP/1.1\nHost: 127.0.0.1\n"
        "Content-Type: application/x-www-form-urlencoded\nContent-Length: 11\n\nliscid=1001",
    )
    assert answer.status == 401
    assert answer.body.startswith("<XMLlicenseInfo ")


def test_licenses_are_read_as_two_records_by_every_format(server: Program, tmp_path: Path) -> None:
    key = a_key(server, "two-records")
    grant(server, tmp_path, "two-records", "listlicenses")
    assert soon(lambda: Php313("json").list_licenses(server.port, key).fields("json")["status"] == 1)
    for output in ("xml", "json", "yaml"):
        answer = Php313(output).list_licenses(server.port, key)
        if output == "xml":
            names = [each.attrib["name"] for each in defusedxml.ElementTree.fromstring(answer.body)]
        else:
            names = list(answer.fields(output)["licenses"])
        assert names == ["L1001", "L1002"]


def test_a_managing_key_makes_a_phrase_that_hands_on_nothing(server: Program, tmp_path: Path) -> None:
    key = a_key(server, "managing")
    grant(server, tmp_path, "managing", MANAGE_AUTHKEYS.id)

    def adds_a_phrase() -> bool:
        return int(Php36().add_pickup_pass(server.port, "a phrase by a key", key).fields("xml")["status"]) == 1

    assert soon(adds_a_phrase)
    minted = Php36().register(server.port, "a phrase by a key", "minted").fields("xml")["key"]
    for call in (Php36().list_licenses, Perl("xml").list_licenses):
        assert int(call(server.port, minted).fields("xml")["status"]) == 0
    assert int(Php36().add_pickup_pass(server.port, "a phrase by the minted", minted).fields("xml")["status"]) == 0


@pytest.mark.parametrize("told", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_end_is_given_up_with_an_answer_and_the_end_of_the_connection(
    server: Program, told: str
) -> None:
    with socket.create_connection((HERE, server.port), timeout=20) as connection:
        connection.sendall(f"POST /XMLlookup.cgi?output=json HTTP/1.1\r\nHost: x\r\n{told}\r\n\r\n".encode())
        with suppress(ConnectionError):  # it does not wait for us to end
            for _ in range(50):
                connection.sendall(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        received = b""
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                received += part
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in head.lower()
    assert "longer than" in json.loads(body)["reason"]


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "TRACE"])
def test_other_methods_are_answered_with_405(server: Program, method: str) -> None:
    answer = exchange(server.port, f"{method} /XMLlookup.cgi HTTP/1.1\nHost: x\nContent-Length: 0\n\n")
    assert answer.status == 405


@pytest.mark.parametrize(
    ("target", "is_function"),
    [
        ("//XMLlookup.cgi", True),
        ("/%58MLlookup.cgi", True),
        ("http://keys.example/XMLlookup.cgi", True),
        ("/XMLlookup.cgi%00", False),
        ("/XMLlookup.cgi%3Foutput=json", False),
        ("/x/../XMLlookup.cgi", False),
        ("/%2e%2e/XMLlookup.cgi", False),
        ("/XMLlookup.cgi;/../XMLlicenseAdd.cgi", False),
    ],
)
def test_a_path_names_a_function_in_few_spellings_and_else_leads_to_the_sign_in(
    server: Program, target: str, is_function: bool
) -> None:
    answer = exchange(server.port, f"GET {target} HTTP/1.1\nHost: 127.0.0.1:{server.port}\n\n")
    assert answer.status == 401
    assert answer.body.startswith("<XMLlookup ") is is_function
    assert ("www-authenticate" in answer.headers) is is_function


@pytest.mark.parametrize(
    ("target", "root"),
    [
        ("/XMLfoo.cgi", "XMLfoo"),
        ("/xmllicenseinfo.cgi/", "xmllicenseinfo"),
        ("/XMLlookup.cgi/../XMLlicenseAdd.cgi", "XMLlookup"),
        ("/%2558MLlookup.cgi", "XMLunknown"),
    ],
)
def test_a_function_that_there_is_not_is_answered_in_the_format_that_was_asked_for(
    server: Program, target: str, root: str
) -> None:
    answer = exchange(server.port, f"GET {target} HTTP/1.1\nHost: 127.0.0.1:{server.port}\n\n")
    assert (answer.status, answer.body) == (200, f'<{root} reason="There is no such function." status="0" />\n')
    answer = exchange(server.port, f"GET {target}?output=json HTTP/1.1\nHost: 127.0.0.1:{server.port}\n\n")
    assert answer.fields("json") == {"status": 0, "reason": "There is no such function."}


def test_nothing_that_these_calls_bring_is_logged(server: Program) -> None:
    complaints = server.complaints()
    assert "sesame" not in complaints
    assert complaints == ""
