"""DNS names: one way to write each, and why a text is none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterdns.names import InvalidName, is_preferred, is_reverse, is_subdomain, normalise, reverse_zones


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (".", "."),
        ("org", "org."),
        ("Example.ORG", "example.org."),
        ("example.org.", "example.org."),
        ("_dns._udp.example.org", "_dns._udp.example.org."),
        (r"a\.b.org", r"a\.b.org."),
        (r"\097\066.org", "ab.org."),
        (r"a\\.org", r"a\\.org."),
        ("bücher.example", r"b\195\188cher.example."),
        ("a b.org", r"a\032b.org."),
        ("(x).org", "(x).org."),
        ("a" * 63 + ".org", "a" * 63 + ".org."),
    ],
)
def test_a_name_has_one_way_to_be_written(text: str, name: str) -> None:
    assert normalise(text) == name
    assert normalise(name) == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be empty"),
        ("a..b", "two dots"),
        (".org", "a dot at the start"),
        ("..", "two dots"),
        ("a" * 64 + ".org", "at most 63 octets"),
        (".".join(["a" * 63] * 4), "at most 255 octets, this has 257"),
        ("a\\", "escapes nothing"),
        (r"\256.org", "no octet"),
    ],
)
def test_a_text_that_is_no_name_says_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidName, match=reason):
        normalise(text)


def test_the_longest_name_has_255_octets() -> None:
    assert len(normalise(".".join(["a" * 63] * 3 + ["a" * 61]))) == 254


@given(st.text())
def test_any_text_is_a_name_or_says_why_not(text: str) -> None:
    with suppress(InvalidName):
        name = normalise(text)
        assert name.isascii()
        assert name.endswith(".")
        assert normalise(name) == name


@pytest.mark.parametrize(
    ("name", "zone", "inside"),
    [
        ("a.example.org.", "example.org.", True),
        ("example.org.", "example.org.", True),
        ("example.org.", ".", True),
        (".", ".", True),
        ("badexample.org.", "example.org.", False),
        ("org.", "example.org.", False),
        (r"a\.example.org.", "example.org.", False),
        (r"a\\.example.org.", "example.org.", True),
    ],
)
def test_a_subdomain_lies_below_at_a_dot_that_separates(name: str, zone: str, inside: bool) -> None:
    assert is_subdomain(name, zone) is inside


@pytest.mark.parametrize(
    ("cidr", "zones"),
    [
        ("10.0.0.0/8", ["10.in-addr.arpa."]),
        ("192.168.0.0/16", ["168.192.in-addr.arpa."]),
        ("10.1.2.3/32", ["3.2.1.10.in-addr.arpa."]),
        ("0.0.0.0/0", ["in-addr.arpa."]),
        ("10.2.0.0/15", ["2.10.in-addr.arpa.", "3.10.in-addr.arpa."]),
        ("10.3.255.1/15", ["2.10.in-addr.arpa.", "3.10.in-addr.arpa."]),
        ("2001:db8::/32", ["8.b.d.0.1.0.0.2.ip6.arpa."]),
        ("fd00::/7", ["c.f.ip6.arpa.", "d.f.ip6.arpa."]),
    ],
)
def test_G6_reverse_zones_end_with_a_label(cidr: str, zones: list[str]) -> None:
    assert list(reverse_zones(cidr)) == zones


@pytest.mark.parametrize(
    ("cidr", "count", "first", "last"),
    [
        ("10.0.0.0/27", 32, "0.0.0.10.in-addr.arpa.", "31.0.0.10.in-addr.arpa."),
        ("10.0.0.0/17", 128, "0.0.10.in-addr.arpa.", "127.0.10.in-addr.arpa."),
        ("10.0.0.0/29", 8, "0.0.0.10.in-addr.arpa.", "7.0.0.10.in-addr.arpa."),
    ],
)
def test_G6_a_prefix_inside_a_label_has_several_zones(cidr: str, count: int, first: str, last: str) -> None:
    zones = reverse_zones(cidr)
    assert (len(zones), zones[0], zones[-1]) == (count, first, last)


def test_reverse_names_are_those_of_the_address_trees() -> None:
    assert is_reverse("10.in-addr.arpa.")
    assert is_reverse("ip6.arpa.")
    assert not is_reverse("arpa.")


@pytest.mark.parametrize(
    ("name", "preferred"),
    [(".", True), ("example.org.", True), ("1.0.10.in-addr.arpa.", True), ("_x.org.", False), ("1a.org.", False), ("a-.org.", False)],
)
def test_the_preferred_syntax_is_letters_digits_and_hyphens(name: str, preferred: bool) -> None:
    assert is_preferred(name) is preferred
