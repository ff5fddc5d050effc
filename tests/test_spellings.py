"""One thing, many spellings: addresses, networks and names are the same ones to every part that stores, compares or finds them."""

import asyncio
import itertools
import unicodedata
import uuid
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.addresses import sort_key
from models.errors import DuplicateAuthkey
from models.passphrases import parse_networks
from models.privileges import PRIVILEGES
from models.proxies import TrustedProxies
from models.secrets import new_secret
from models.staged_rows import NewKey
from models.submissions import Assignment
from models.tables import Authkey as AuthkeyTable
from models.texts import search_key
from models.views import View
from services.authorizer import Question
from services.console import Console
from services.imports import HEADER, read_assignments
from tests.support import SEARCH, submit

Address = IPv4Address | IPv6Address

# The database is the same for all examples, and each of them brings a service name of its own.
on_one_database = settings(
    max_examples=max(10, settings().max_examples // 4),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
blanks = st.sampled_from(["", " ", "\t", "\n", "\r\n", "\u00a0", "\u3000"])
services = (f"service {n}" for n in itertools.count())


def mapped(address: IPv4Address) -> IPv6Address:
    return IPv6Address(f"::ffff:{address}")


@st.composite
def spelled(draw: st.DrawFn, address: Address) -> str:
    """An address as somebody may write it."""
    if isinstance(address, IPv4Address):
        if draw(st.booleans()):
            return draw(blanks) + str(address) + draw(blanks)
        address = mapped(address)
    groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
    groups = [group.zfill(draw(st.integers(len(group), 4))) for group in groups]
    text = draw(st.sampled_from([":".join(groups), str(address)]))
    if draw(st.booleans()):  # RFC 4291, 2.2.3: the last 32 bits as IPv4 writes them
        text = ":".join(groups[:6]) + f":{IPv4Address(int(address) & 0xFFFF_FFFF)}"
    if draw(st.booleans()):
        text = text.upper()
    return draw(blanks) + text + draw(blanks)


@st.composite
def spelled_networks(draw: st.DrawFn, member: Address) -> str:
    """A network of which the address is a member, with bits of the host in it, as somebody may write it."""
    length = draw(st.integers(8, member.max_prefixlen))
    network = ip_network(f"{member}/{length}", strict=False)
    host = draw(st.integers(0, network.num_addresses - 1))
    address = network.network_address + host
    text = draw(spelled(address)).strip()
    length += 96 if ":" in text and isinstance(member, IPv4Address) else 0
    if ":" not in text and draw(st.booleans()):
        return f"{text}/{network.netmask}"
    return f"{text}/{length}"


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[str], list[str], Address]:
    """Six spellings of one address, and three networks that it is in."""
    address = draw(st.ip_addresses(v=4) | st.ip_addresses(v=6))
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    several = [draw(spelled(address)) for _ in range(6)]
    return several, [draw(spelled_networks(address)) for _ in range(3)], address


def csv_file(folder: Path, *lines: tuple[str, str]) -> Path:
    """A list of authkeys without privileges."""
    rows = [",".join(HEADER), *(f'"{ip}","{service}"' + ",0" * len(PRIVILEGES) for ip, service in lines)]
    file = folder / "keys.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8", newline="")
    return file


async def found(console: Console, search: str) -> set[str]:
    """The names of the authkeys that a search shows."""
    return {row.name for row in await console.authkeys.matching(View(search=search), console.admin.id)}


@pytest.mark.fuzz
def test_any_spellings_of_an_address_and_its_networks_are_one_everywhere(
    runner: asyncio.Runner, open_now: Console, tmp_path: Path
) -> None:
    console = open_now

    async def use(ips: list[str], networks: list[str], address: Address, service: str) -> None:
        at_registration, at_access_check, at_proxy, in_search, in_file, in_dialog = ips
        from_where, proxies, network_search = networks
        phrase = f"open sesame {service}"

        await console.passphrases.add(console.admin, phrase, SEARCH.mask, networks=parse_networks(from_where))
        registered = await console.passphrases.register(phrase, service, at_registration)
        assert registered.ip == str(address)

        asked = Question(registered.secret.text, at_access_check, SEARCH, SEARCH.id)
        assert (await console.authorizer.judge(asked)).allowed
        assert TrustedProxies([proxies]).caller(at_proxy, ["203.0.113.9"], []).address == "203.0.113.9"

        assert f"{address} ({service})" in await found(console, in_search)
        assert f"{address} ({service})" in await found(console, network_search)

        assert read_assignments(csv_file(tmp_path, (in_file.strip(), service))) == [
            Assignment(str(address), service, 0)
        ]
        with pytest.raises(DuplicateAuthkey):
            await console.staging.stage_addition(console.admin.id, in_dialog, service, 0)

    @on_one_database
    @given(cases())
    def attempt(case: tuple[list[str], list[str], Address]) -> None:
        runner.run(use(*case, next(services)))

    attempt()


words = st.text(
    st.characters(categories=["L", "N"], max_codepoint=0x24F), min_size=1, max_size=8
).filter(lambda text: unicodedata.normalize("NFC", text) == text)  # fmt: skip


@st.composite
def written_names(draw: st.DrawFn) -> list[str]:
    """Five ways to write one name of a service: as the keyboard composed it, and with other spaces."""
    parts = draw(st.lists(words, min_size=1, max_size=3))
    several = []
    for _ in range(5):
        space = draw(st.sampled_from([" ", "  ", "\u00a0", "\u2009", " \u3000 "]))
        text = draw(blanks) + space.join(parts) + draw(blanks)
        several.append(unicodedata.normalize("NFD", text) if draw(st.booleans()) else text)
    return several


async def added(console: Console, ip: str, service: str) -> NewKey:
    """Add an authkey as the dialog does, and submit."""
    new = await console.staging.stage_addition(console.admin.id, ip, service, 0)
    await console.staging.submit(console.admin, uuid.uuid4())
    return new


@pytest.mark.fuzz
def test_any_ways_to_compose_a_name_are_one_everywhere(
    runner: asyncio.Runner, open_now: Console, tmp_path: Path
) -> None:
    console = open_now
    numbers = itertools.count(1)

    async def use(names: list[str], ip: str) -> None:
        typed, at_registration, in_file, in_search, again = names
        key = await added(console, ip, typed)
        phrase = f"open sesame {ip}"
        await console.passphrases.add(console.admin, phrase, 0)
        registered = await console.passphrases.register(phrase, at_registration, ip)
        assert registered.service == key.service
        assert read_assignments(csv_file(tmp_path, (ip, in_file.strip()))) == [Assignment(ip, key.service, 0)]
        assert [row.service for row in await console.authkeys.of_ip(ip)] == [key.service]
        assert f"{ip} ({key.service})" in await found(console, in_search)
        assert (await added(console, f"::{ip}", again)).service == key.service

    @on_one_database
    @given(written_names())
    def attempt(names: list[str]) -> None:
        runner.run(use(names, f"10.0.{(n := next(numbers)) >> 8}.{n & 255}"))

    attempt()


async def test_authkeys_whose_name_would_be_refused_today_keep_working(console: Console) -> None:
    secret, service = new_secret(), "bil\u200bling\u3164"
    row = await AuthkeyTable.create(
        ip="192.0.2.7",
        ip_key=sort_key("192.0.2.7"),
        service=service,
        service_key=search_key(service),
        privileges=SEARCH.mask,
        revision=0,
        secret_digest=secret.digest,
        secret_hint=secret.hint,
    )
    asked = Question(secret.text, "192.0.2.7", SEARCH, SEARCH.id)
    assert (await console.authorizer.judge(asked)).allowed
    assert await found(console, "") == {f"192.0.2.7 ({service})"}
    assert await found(console, "bil\u200bling") == {f"192.0.2.7 ({service})"}
    receipt = await submit(console, Assignment("192.0.2.7", service, 0))
    assert receipt.key_count == 1
    assert [(key.id, key.service, key.privileges) for key in await console.authkeys.of_ip("192.0.2.7")] == [
        (row.id, service, 0)
    ]
