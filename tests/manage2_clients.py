"""The requests of real Manage2 clients, byte for byte, and how each of them reads an answer."""

import base64
import http.client
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import defusedxml.ElementTree
import yaml

from models.manage2_answers import REALM

USER = "u@example.com"
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
UNKNOWN_KEY = "A" * 20

Fields = Mapping[str, Any]


@dataclass
class Reply:
    status: int
    headers: Mapping[str, str]
    body: str

    def fields(self, output: str) -> Fields:
        """What a client of this format reads."""
        return READERS[output](self.body)


READERS: dict[str, Callable[[str], Fields]] = {
    "xml": lambda text: defusedxml.ElementTree.fromstring(text).attrib,
    "json": json.loads,
    "yaml": yaml.safe_load,
}


def exchange(port: int, request: str, address: str = HERE) -> Reply:
    """Send these bytes from this address, and read one answer."""
    with socket.create_connection((HERE, port), timeout=20, source_address=(address, 0)) as connection:
        connection.sendall(request.encode().replace(b"\n", b"\r\n"))
        answer = http.client.HTTPResponse(connection, method=request.partition(" ")[0])
        answer.begin()
        body = answer.read().decode()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)


def basic(user: str, secret: str) -> str:
    return f"Authorization: Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}\n"


# -- the clients -------------------------------------------------------------------------------------------------------


class Client:
    """One client's way to call; `output` is the format that it reads."""

    output = "json"
    can_register = True

    def add_pickup_pass(self, port: int, phrase: str, password: str) -> Reply:
        raise NotImplementedError

    def register(self, port: int, phrase: str, service: str) -> Reply:
        raise NotImplementedError

    def list_licenses(self, port: int, key: str, address: str = HERE) -> Reply:
        raise NotImplementedError


class Perl(Client):
    """Asks without credentials first and sends them only to a 401 with exactly Manage2's realm; dies on all but 2xx."""

    def __init__(self, output: str) -> None:
        self.output = output

    def _get(self, port: int, path: str, secret: str = "", address: str = HERE) -> Reply:
        def get(authorization: str) -> Reply:
            return exchange(
                port,
                f"GET {path} HTTP/1.1\nTE: deflate,gzip;q=0.3\nConnection: TE, close\n{authorization}"
                f"Host: 127.0.0.1:{port}\nUser-Agent: cPanel Licensing Agent (perl) 3.6\n\n",
                address,
            )

        first = get("")
        if first.status == 401 and secret and f'"{REALM}"' in first.headers["www-authenticate"]:
            return get(basic(USER, secret))
        return first

    def add_pickup_pass(self, port: int, phrase: str, password: str) -> Reply:
        path = f"/XMLaddPickupPass.cgi?pickup={phrase.replace(' ', '+')}&output={self.output}"
        return self._get(port, path, password)

    def register(self, port: int, phrase: str, service: str) -> Reply:
        phrase = phrase.replace(" ", "+")
        path = f"/XMLregisterAuth.cgi?pickup={phrase}&user=u%40example.com&service={service}&output={self.output}"
        return self._get(port, path)

    def list_licenses(self, port: int, key: str, address: str = HERE) -> Reply:
        return self._get(port, f"/XMLlicenseInfo.cgi?output={self.output}", key, address)


class Php313(Client):
    """Posts everything, its key as `apikey`; dies on all but 200."""

    def __init__(self, output: str) -> None:
        self.output = output

    def _post(self, port: int, path: str, body: str, authorization: str = "", address: str = HERE) -> Reply:
        return exchange(
            port,
            f"POST {path} HTTP/1.1\nHost: 127.0.0.1:{port}\n{authorization}"
            f"User-Agent: cPanel Licensing Agent (php) 3.13\nAccept: */*\nContent-Length: {len(body)}\n"
            f"Content-Type: application/x-www-form-urlencoded\n\n{body}",
            address,
        )

    def add_pickup_pass(self, port: int, phrase: str, password: str) -> Reply:
        body = f"pickup={phrase.replace(' ', '+')}&output={self.output}"
        return self._post(port, "/XMLaddPickupPass.cgi", body, basic(USER, password))

    def register(self, port: int, phrase: str, service: str) -> Reply:
        body = f"user=u%40example.com&pickup={phrase.replace(' ', '+')}&service={service}&output={self.output}"
        return self._post(port, "/XMLregisterAuth.cgi", body)

    def list_licenses(self, port: int, key: str, address: str = HERE) -> Reply:
        return self._post(port, "/XMLlicenseInfo.cgi", f"output={self.output}&apikey={key}", address=address)


class Php36(Client):
    """Names another host, sends an empty name and password to register, ends its URLs in `?`, and never names a format."""

    output = "xml"
    more = ""

    def _get(self, port: int, path: str, user: str, secret: str, address: str = HERE) -> Reply:
        return exchange(
            port,
            f"GET {path}{self.more} HTTP/1.1\nHost: manage2.cpanel.net\n{basic(user, secret)}"
            "User-Agent: cPanel Licensing Agent (php) 3.5\nAccept: */*\n\n",
            address,
        )

    def add_pickup_pass(self, port: int, phrase: str, password: str) -> Reply:
        return self._get(port, f"/XMLaddPickupPass.cgi?pickup={phrase.replace(' ', '+')}", USER, password)

    def register(self, port: int, phrase: str, service: str) -> Reply:
        phrase = phrase.replace(" ", "+")
        path = f"/XMLregisterAuth.cgi?user=u%40example.com&pickup={phrase}&service={service}"
        return self._get(port, path, "", "")

    def list_licenses(self, port: int, key: str, address: str = HERE) -> Reply:
        return self._get(port, "/XMLlicenseInfo.cgi?", USER, key, address)


class Detain(Php36):
    """The same, with a format."""

    output = "json"
    more = "&output=json"


class PythonManage2(Client):
    """Reads JSON whatever the HTTP status; has no functions for phrases and keys."""

    can_register = False

    def list_licenses(self, port: int, key: str, address: str = HERE) -> Reply:
        return exchange(
            port,
            f"GET /XMLlicenseInfo.cgi?output=json HTTP/1.1\nHost: 127.0.0.1:{port}\nConnection: keep-alive\n"
            "Accept-Encoding: gzip, deflate\nAccept: */*\nUser-Agent: python-requests/2.27.1\n"
            f"{basic(USER, key)}\n",
            address,
        )


class Node(Client):
    """Posts the same variables in the query and in the body."""

    can_register = False

    def list_licenses(self, port: int, key: str, address: str = HERE) -> Reply:
        return exchange(
            port,
            "POST /XMLlicenseInfo.cgi?output=json HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n"
            f"host: 127.0.0.1:{port}\n{basic(USER, key).replace('Authorization', 'authorization')}"
            "content-length: 11\nConnection: keep-alive\n\noutput=json",
            address,
        )


CLIENTS: dict[str, Client] = {
    "perl with XML::Simple": Perl("xml"),
    "perl with JSON": Perl("json"),
    "perl with YAML": Perl("yaml"),
    "PHP 3.13 in XML": Php313("xml"),
    "PHP 3.13 in JSON": Php313("json"),
    "PHP 3.13 in YAML": Php313("yaml"),
    "PHP 3.6": Php36(),
    "Detain": Detain(),
    "python-manage2": PythonManage2(),
    "node-cpanel-manage2": Node(),
}
REGISTRARS = {name: client for name, client in CLIENTS.items() if client.can_register}
