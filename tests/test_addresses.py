from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.addresses import canonical_ip, canonical_network, is_in_networks, search_range, sort_key
from models.errors import InvalidValue

addresses = st.ip_addresses()


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("  192.0.2.7\t", "192.0.2.7"),
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
        ("2001:DB8::7", "2001:db8::7"),
        ("2001:0db8:0000:0000:0000:0000:0000:0007", "2001:db8::7"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::", "::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "64:ff9b::c000:207"),
    ],
)
def test_an_address_is_stored_in_one_spelling(written: str, stored: str) -> None:
    assert canonical_ip(written) == stored


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "An IP address is needed"),
        ("   ", "An IP address is needed"),
        ("192.0.2.016", "[Ll]eading zeros are not permitted"),
        ("300.1.2.3", "Octet 300 .* not permitted"),
        ("192.0.2", "Expected 4 octets"),
        ("192.0.2.1.5", "Expected 4 octets"),
        ("192.0.2.", "Empty octet not permitted"),
        ("1", "Expected 4 octets"),
        ("3221225991", "Expected 4 octets"),
        ("fe80::1%eth0", "zone id"),
        ("fe80::1%", "zone id"),
        ("192.0.2.0/24", "is a network"),
        ("192.0.2.7/32", "is a network"),
        ("2001:db8::/32", "is a network"),
        ("192.0.2.1-192.0.2.9", "looks like a name"),
        ("localhost", "looks like a name"),
        ("server.example.com", "looks like a name"),
        ("[2001:db8::7]", "looks like a name"),
        ("192.0.2.7, 192.0.2.8", "looks like a name"),
        ("2001:db8::7::1", "At most one '::' permitted"),
        ("2001:db8:7", "At least 3 parts expected|is not an IP address"),
        ("12345::", "At most 4 characters permitted"),
        ("::ffff:192.0.2.016", "is not an IP address"),
        ("１９２.0.2.7", "is not an IP address"),
        ("192.0.2.7\x00", "is not an IP address"),
        ("192.0.2.7\u200b", "'192.0.2.7' holds the invisible character U\\+200B"),
        ("\ufeff192.0.2.7", "'192.0.2.7' holds the invisible character U\\+FEFF"),
        ("\ud800", "is not an IP address"),
    ],
)
def test_what_is_not_exactly_one_address_is_refused_with_the_reason(written: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        canonical_ip(written)


@given(addresses)
def test_the_stored_spelling_is_stable_and_means_the_same_address(address: IPv4Address | IPv6Address) -> None:
    stored = canonical_ip(str(address))
    assert canonical_ip(stored) == stored
    assert len(stored) <= 39, "the column of addresses is too short"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert ip_address(stored) == (mapped or address)


@given(addresses)
def test_all_spellings_of_an_address_are_stored_alike(address: IPv4Address | IPv6Address) -> None:
    assert canonical_ip(address.exploded) == canonical_ip(address.exploded.upper()) == canonical_ip(str(address))


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_stored_as_the_ipv4_address_that_it_means(address: IPv4Address) -> None:
    assert canonical_ip(f"::ffff:{address}") == str(address)


@given(st.text())
def test_any_text_is_either_an_address_or_refused(text: str) -> None:
    try:
        stored = canonical_ip(text)
    except InvalidValue:
        return
    assert str(ip_address(stored)) == stored


@given(st.lists(addresses))
def test_sort_keys_order_addresses_by_number_and_ipv4_before_ipv6(some: list[IPv4Address | IPv6Address]) -> None:
    stored = {canonical_ip(str(address)) for address in some}
    by_number = sorted(stored, key=lambda ip: (ip_address(ip).version, int(ip_address(ip))))
    assert sorted(stored, key=sort_key) == by_number


def found(search: str, *stored: str) -> list[str]:
    """Those of the stored addresses that a search means."""
    wanted = search_range(search)
    assert wanted is not None, f"{search!r} means no addresses"
    return [ip for ip in stored if wanted[0] <= sort_key(ip) <= wanted[1]]


@pytest.mark.parametrize(
    ("search", "inside", "outside"),
    [
        ("192.0.2.7", ["192.0.2.7"], ["192.0.2.70", "192.0.2.6", "::c000:207"]),
        (" 192.0.2.7 ", ["192.0.2.7"], ["192.0.2.8"]),
        ("192.0.2.", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0", "192.0.20.1"]),
        ("192.0.", ["192.0.0.0", "192.0.255.255"], ["192.1.0.0"]),
        ("10.", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "100.0.0.0", "11.0.0.0"]),
        ("192.0.2.0/25", ["192.0.2.0", "192.0.2.127"], ["192.0.2.128"]),
        ("192.0.2.77/25", ["192.0.2.0", "192.0.2.127"], ["192.0.2.128"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]),
        ("::/0", ["::", "ffff::1"], ["0.0.0.0", "255.255.255.255"]),
        ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db9::", "2001:db7:ffff::"]),
        ("2001:db8:", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db80::", "2001:db9::"]),
        ("2001:DB8::", ["2001:db8::", "2001:db8::1"], ["2001:db9::"]),
        ("2001:db8:0:1:", ["2001:db8:0:1::", "2001:db8:0:1:ffff::"], ["2001:db8:0:2::", "2001:db8::"]),
        ("1:2:3:4:5:6:7:", ["1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:ffff"], ["1:2:3:4:5:6:8:0"]),
        ("::1", ["::1"], ["::", "::2", "0.0.0.1"]),
        ("::ffff:192.0.2.7", ["192.0.2.7"], ["192.0.2.8"]),
        ("::FFFF:c000:0207", ["192.0.2.7"], ["192.0.2.8"]),
        ("::ffff:192.0.2.", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]),
        (" 0:0:0:0:0:FFFF:C000:200/120 ", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]),
        ("0:0:0:0:0:ffff:", ["0.0.0.0", "255.255.255.255"], ["::", "::1:0:0"]),
    ],
)
def test_a_search_means_a_range_of_addresses(search: str, inside: list[str], outside: list[str]) -> None:
    assert found(search, *inside, *outside) == inside


@pytest.mark.parametrize(
    "search",
    [
        "",
        " ",
        "192",
        "192.0",
        "192.0.2",
        "300.",
        "192.0.2.0/33",
        "192.0.2.0/",
        "/24",
        "billing",
        "a.b.c.",
        "fe80::1%eth0",
        "fe80::%eth0/64",
        "::ffff:192.0.2.0/24",
    ],
)
def test_other_searches_mean_no_addresses(search: str) -> None:
    assert search_range(search) is None


@given(addresses, st.integers(0, 128), addresses)
def test_the_search_for_a_network_means_exactly_its_members(
    member: IPv4Address | IPv6Address, length: int, other: IPv4Address | IPv6Address
) -> None:
    network = ip_network(f"{member}/{min(length, member.max_prefixlen)}", strict=False)
    first, last = int(network.network_address), int(network.broadcast_address)
    edges = {max(first - 1, 0), first, last, min(last + 1, 2**member.max_prefixlen - 1)}
    for address in [member, other, *(type(member)(number) for number in edges)]:
        if canonical_ip(str(address)) == str(address):  # what is spelled otherwise is never stored
            assert bool(found(str(network), str(address))) == (address in network)


@given(st.text() | st.from_regex(r"[0-9a-f.:/%]*", fullmatch=True))
def test_no_search_text_raises(text: str) -> None:
    wanted = search_range(text)
    assert wanted is None or wanted[0] <= wanted[1]


# -- networks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        (" 192.0.2.77/24\n", "192.0.2.0/24"),
        ("192.0.2.0/255.255.255.0", "192.0.2.0/24"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:DB8:0::/48", "2001:db8::/48"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::FFFF:C000:2FF/120", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("64:ff9b::192.0.2.0/120", "64:ff9b::c000:200/120"),
        ("2002:c000:207::/48", "2002:c000:207::/48"),
    ],
)
def test_a_network_has_one_form(written: str, stored: str) -> None:
    assert str(canonical_network(written)) == stored


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "A network is needed"),
        ("example.com", "'example.com' is not a network"),
        ("192.0.2.0/33", "is not a network"),
        ("192.0.2.0/24/24", "is not a network"),
        ("192.0.2.0/-1", "is not a network"),
        ("*", "is not a network"),
        ("fe80::%eth0/64", "has a zone id"),
        ("fe80::1%eth0", "has a zone id"),
        ("::ffff:192.0.2.0/24", "write it as IPv4, as in 192.0.2.0/24"),
        ("192.0.2.0/24\u200b", "invisible character U\\+200B"),
        ("192.0.2.0/２４", "is not a network"),
    ],
)
def test_what_is_no_network_is_refused_with_the_reason(written: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        canonical_network(written)


@given(st.text() | st.from_regex(r"[0-9a-fA-F.:/%]*", fullmatch=True))
def test_any_text_is_either_a_network_or_refused(text: str) -> None:
    try:
        network = canonical_network(text)
    except InvalidValue:
        return
    assert canonical_network(str(network)) == network


@pytest.mark.parametrize(
    "garbage", ["", "unknown", "fe80::1%" + "z" * 5_000, "192.0.2.7, 192.0.2.8", "\x00", "[::1]:80"]
)
def test_what_is_no_address_is_in_no_network(garbage: str) -> None:
    assert not is_in_networks(garbage, ["0.0.0.0/0", "::/0"])
