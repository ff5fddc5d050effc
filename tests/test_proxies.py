"""Whose word counts about where a call comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidValue
from models.proxies import UNKNOWN_ADDRESS, Caller, TrustedProxies

LOCAL = TrustedProxies(["127.0.0.1", "203.0.113.0/24"])
FORGED = "198.51.100.66"


def address(peer: str, *forwarded_for: str, proxies: TrustedProxies = LOCAL) -> str:
    return proxies.caller(peer, forwarded_for, []).address


@pytest.mark.parametrize("peer", ["192.0.2.7", "::ffff:192.0.2.7", "::FFFF:c000:207"])
def test_who_is_no_trusted_proxy_speaks_for_itself_only(peer: str) -> None:
    assert LOCAL.caller(peer, [FORGED], ["https"]) == Caller("192.0.2.7", None)
    assert TrustedProxies().caller(peer, ["127.0.0.1"], ["https"]) == Caller("192.0.2.7", None)


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::ffff:127.0.0.1", "203.0.113.5", "::ffff:203.0.113.5"])
def test_a_trusted_proxy_is_believed_however_its_address_is_spelled(proxy: str) -> None:
    assert LOCAL.caller(proxy, ["198.51.100.7"], ["https"]) == Caller("198.51.100.7", "https")
    assert address(proxy) == proxy.removeprefix("::ffff:")


@pytest.mark.parametrize("given", ["::ffff:203.0.113.0/120", "203.0.113.5", "203.0.113.9/24", "::ffff:203.0.113.5"])
def test_a_network_of_proxies_is_known_however_it_was_given(given: str) -> None:
    assert address("203.0.113.5", "198.51.100.7", proxies=TrustedProxies([given])) == "198.51.100.7"


@pytest.mark.parametrize(
    ("forwarded_for", "caller"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        ([f"{FORGED}, 198.51.100.7"], "198.51.100.7"),
        ([FORGED, "198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, ::ffff:203.0.113.5"], "198.51.100.7"),
        (["198.51.100.7, 203.0.113.5 , 127.0.0.1"], "198.51.100.7"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7:50000"], "198.51.100.7"),
        (["[2001:DB8::7]:50000"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["203.0.113.5, 127.0.0.1"], "203.0.113.5"),
        ([""], "127.0.0.1"),
        ([" , ,"], "127.0.0.1"),
        ([f"{FORGED}, unknown"], UNKNOWN_ADDRESS),
        ([f"{FORGED}, _hidden"], UNKNOWN_ADDRESS),
        ([f"{FORGED}, fe80::1%{'x' * 500}"], UNKNOWN_ADDRESS),
        ([f"{FORGED}, 198.51.100.7\x00"], UNKNOWN_ADDRESS),
    ],
)
def test_the_callers_address_is_the_last_that_no_trusted_proxy_has(forwarded_for: list[str], caller: str) -> None:
    assert address("127.0.0.1", *forwarded_for) == caller


@pytest.mark.parametrize(
    ("told", "scheme"),
    [
        ([], None),
        (["https"], "https"),
        (["HTTP"], "http"),
        (["ftp"], None),
        (["http, https"], "https"),
        (["x", ""], None),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_tells(told: list[str], scheme: str | None) -> None:
    assert LOCAL.caller("127.0.0.1", [], told).scheme == scheme


@pytest.mark.parametrize("text", ["proxy.example", "*", "", "127.0.0.1:80", "::ffff:127.0.0.1/8"])
def test_what_is_no_address_and_no_network_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        TrustedProxies([text])


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=4), st.lists(st.text(max_size=10), max_size=3))
def test_whatever_is_written_there_is_an_address_or_none(peer: str, told: list[str], proto: list[str]) -> None:
    caller = LOCAL.caller(peer, told, proto)
    assert len(caller.address) <= 45
    assert caller.address.isascii()
