"""Durations, sizes, networks and endpoints: they parse, bound and print themselves."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterdns.scalars import Cidr, Duration, Endpoint, Size, address_or_none, bounded, parse_integer, parse_port

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "nanoseconds", "printed"),
    [
        ("0", 0, "0s"),
        ("30s", 30 * SECOND, "30s"),
        ("1h2m3.5s", 3723 * SECOND + SECOND // 2, "1h2m3.5s"),
        ("1.5h", 5400 * SECOND, "1h30m0s"),
        ("90s", 90 * SECOND, "1m30s"),
        ("100ms", SECOND // 10, "100ms"),
        ("1.5us", 1500, "1.5µs"),
        ("2µs", 2000, "2µs"),
        ("7ns", 7, "7ns"),
        (".5s", SECOND // 2, "500ms"),
        ("1.s", SECOND, "1s"),
        ("-1s", -SECOND, "-1s"),
        ("+1s", SECOND, "1s"),
        ("1s1s", 2 * SECOND, "2s"),
    ],
)
def test_a_duration_reads_and_prints_as_in_go(text: str, nanoseconds: int, printed: str) -> None:
    assert Duration.parse(text) == Duration(nanoseconds)
    assert str(Duration(nanoseconds)) == printed


@pytest.mark.parametrize("text", ["", "30", "s", ".s", "1x", "1s ", "1d", "-", "off", "1_0s", "٣s"])
def test_what_is_no_duration_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and a unit"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["2562048h", "9" * 90 + "h"])
def test_a_duration_has_a_longest(text: str) -> None:
    with pytest.raises(ValueError, match="longer than any"):
        Duration.parse(text)


def test_a_number_that_goes_on_for_ever_is_no_duration() -> None:
    with pytest.raises(ValueError, match="no duration"):
        Duration.parse("1" * 10_000 + "s")


@given(st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1))
def test_a_printed_duration_reads_as_itself(nanoseconds: int) -> None:
    assert Duration.parse(str(Duration(nanoseconds))) == Duration(nanoseconds)


def test_a_duration_in_seconds() -> None:
    assert Duration.parse("1m0.25s").seconds == 60.25


@pytest.mark.parametrize(
    ("text", "octets", "printed"), [("512", 512, "512"), ("64Ki", 65536, "64Ki"), ("1M", 10**6, "1000000"), ("0", 0, "0")]
)
def test_a_size_reads_and_prints_as_in_kubernetes(text: str, octets: int, printed: str) -> None:
    assert Size.parse(text) == Size(octets)
    assert str(Size(octets)) == printed


@pytest.mark.parametrize("text", ["", "-1", "1KB", "Ki", "1.5Ki", "9" * 30])
def test_what_is_no_size_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="number of octets"):
        Size.parse(text)


@pytest.mark.parametrize(("text", "printed"), [("10.0.0.0/8", "10.0.0.0/8"), ("10.1.2.3/8", "10.0.0.0/8"), ("FD00::1/8", "fd00::/8")])
def test_a_network_drops_what_is_behind_its_prefix(text: str, printed: str) -> None:
    assert str(Cidr.parse(text)) == printed


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "fe80::1%eth0/64", "example.org/8", "/8", ""])
def test_what_is_no_network_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="prefix length"):
        Cidr.parse(text)


def test_a_network_contains_its_addresses() -> None:
    assert ip_address("10.9.9.9") in Cidr.parse("10.0.0.0/8")
    assert ip_address("fd00::1") not in Cidr.parse("10.0.0.0/8")


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:53", Endpoint("127.0.0.1", 53)),
        ("[::1]:53", Endpoint("::1", 53)),
        ("[::1]", Endpoint("::1", 8080)),
        ("::1", Endpoint("::1", 8080)),
        (":9153", Endpoint("", 9153)),
        ("localhost", Endpoint("localhost", 8080)),
    ],
)
def test_an_endpoint_is_a_host_and_a_port(text: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(text, default_port=8080) == endpoint
    assert Endpoint.parse(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("127.0.0.1", "has no port"),
        ("127.0.0.1:", "no port"),
        ("127.0.0.1:x", "no port"),
        ("127.0.0.1:65536", "no port"),
        ("[127.0.0.1]:53", "no IPv6 address"),
        ("[x]:53", "no IPv6 address"),
    ],
)
def test_what_is_no_endpoint_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Endpoint.parse(text)


def test_bounds_are_told_with_the_value_that_breaks_them() -> None:
    assert bounded(5, 0, 5) == 5
    assert bounded(Duration(5), least=Duration(5)) == Duration(5)
    with pytest.raises(ValueError, match="6 is out of range: from 0 to 5"):
        bounded(6, 0, 5)
    with pytest.raises(ValueError, match="1s is out of range: at least 2s"):
        bounded(Duration.parse("1s"), least=Duration.parse("2s"))
    with pytest.raises(ValueError, match="2Ki is out of range: at most 1Ki"):
        bounded(Size.parse("2Ki"), most=Size.parse("1Ki"))


@pytest.mark.parametrize("text", ["", "1.5", "0x1", "1_0", "٣", " 1", "1" * 19])
def test_what_is_no_whole_number_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        parse_integer(text)


def test_numbers_ports_and_addresses() -> None:
    assert (parse_integer("-3"), parse_integer("+3"), parse_port("0")) == (-3, 3, 0)
    assert address_or_none("::1") == ip_address("::1")
    assert address_or_none("eth0") is None
