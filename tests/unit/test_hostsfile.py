"""Hosts files: what lines say, what is left out, and that a file in pieces says the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterdns.hostsfile import LONGEST_LINE, MOST_RECORDS, Flaw, HostsOptions, HostsReader, parse_address, read_entries
from clusterdns.zones import RRset

A, AAAA, PTR = 1, 28, 12


def options(*zones: str, reverse: bool = True) -> HostsOptions:
    """Options for names in these zones, all if none are given."""
    return HostsOptions("/etc/hosts", False, zones or (".",), 60, reverse, 5.0)


def held(reader: HostsReader) -> dict[tuple[str, int], tuple[str, ...]]:
    """What a reader has taken, by name and type."""
    owners = [owner for part in reader.parts() for owner in part]
    assert len({owner.name for owner in owners}) == len(owners), "a name is given once, whole"
    return {(owner.name, rrset.rtype): rrset.rdata for owner in owners for rrset in owner.data if isinstance(rrset, RRset)}


def read(text: str, *zones: str) -> dict[tuple[str, int], tuple[str, ...]]:
    """What a file says."""
    return held(read_entries(options(*zones), text.splitlines()))


def test_a_line_is_an_address_and_its_names_both_ways() -> None:
    assert read("# remark\n192.0.2.1\ta.example.org b.example.org. # tail\n\n  2001:db8::1 A.example.org\r\n") == {
        ("a.example.org", A): ("192.0.2.1",),
        ("a.example.org", AAAA): ("2001:db8::1",),
        ("b.example.org", A): ("192.0.2.1",),
        ("1.2.0.192.in-addr.arpa", PTR): ("a.example.org.", "b.example.org."),
        ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", PTR): ("a.example.org.",),
    }


def test_records_stand_in_the_order_of_the_lines_and_nothing_is_said_less_often_than_it_was() -> None:
    text = "192.0.2.2 a\n192.0.2.1 a\n192.0.2.2 a b\n"
    assert read(text)["a", A] == ("192.0.2.2", "192.0.2.1", "192.0.2.2")
    assert read(text)["2.2.0.192.in-addr.arpa", PTR] == ("a.", "a.", "b.")


def test_names_outside_the_zones_are_left_out_without_a_word() -> None:
    reader = read_entries(options("example.org.", "x.test."), ("192.0.2.1 example.org a.example.org badexample.org x.test org",))
    assert {name for name, rtype in held(reader) if rtype == A} == {"example.org", "a.example.org", "x.test"}
    assert (reader.entries, reader.flaws) == (6, 0)


def test_a_star_stands_in_front_of_a_zone_and_has_no_way_back() -> None:
    assert read("192.0.2.1 *.W.example.org * *.") == {("*.w.example.org", A): ("192.0.2.1",)}


def test_without_reverse_there_is_no_way_back() -> None:
    reader = read_entries(options(reverse=False), ("192.0.2.1 a",))
    assert reader.entries == 1
    assert held(reader) == {("a", A): ("192.0.2.1",)}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::1%lo", "::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0%x", "fe80::1"),
        ("192.0.2.1%eth0", "192.0.2.1"),
    ],
)
def test_an_address_has_one_way_of_writing(text: str, written: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert address.text == written


@pytest.mark.parametrize("text", ["", "x", "192.0.2.300", "192.0.2", "01.2.3.4", "1.2.3.4.5", "1.2.3.4/8", "::g", "%lo", "\u0661.2.3.4"])
def test_what_is_no_address(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("not-an-ip c", "`not-an-ip` is no IP address"),
        ("192.0.2.5", "`192.0.2.5` has no name"),
        ("192.0.2.5 a..b", "`a..b` is no name"),
        (f"192.0.2.5 {'a' * 64}", f"`{'a' * 40}...` is no name"),
        ("192.0.2.5 *", "`*` is no name"),
        ("\x1b[31m\0 c", r"`\x1b[31m\x00` is no IP address"),
    ],
)
def test_a_line_that_makes_no_sense_is_left_out_with_its_number(line: str, why: str) -> None:
    reader = read_entries(options(), ("# first", "", line, "nonsense too", "192.0.2.1 a"))
    assert reader.first_flaw == Flaw(3, why)
    assert reader.flaws == 2
    assert held(reader)["a", A] == ("192.0.2.1",)


def test_a_name_may_have_octets_that_are_escaped() -> None:
    assert set(read("192.0.2.1 bücher.example a_b -x- a\\.b")) == {
        (r"b\195\188cher.example", A),
        ("a_b", A),
        ("-x-", A),
        (r"a\.b", A),
        ("1.2.0.192.in-addr.arpa", PTR),
    }


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("size", [1 << 20, LONGEST_LINE // 3])
def test_a_line_that_does_not_end_hurts_nobody(size: int, end: bytes) -> None:
    octets = b"192.0.2.1 a\n" + b"\0" * (3 * LONGEST_LINE) + end + (b"192.0.2.2 b" if end else b"")
    reader = HostsReader(options())
    for at in range(0, len(octets), size):
        reader.take(octets[at : at + size])
    reader.finish()
    assert reader.first_flaw == Flaw(2, f"it is longer than {LONGEST_LINE} octets")
    assert reader.flaws == 1
    assert {name for name, rtype in held(reader) if rtype == A} == ({"a", "b"} if end else {"a"})


def test_of_one_name_there_are_no_more_records_than_any_message_takes() -> None:
    lines = [f"10.0.{at >> 8}.{at & 255} same" for at in range(MOST_RECORDS + 9)]
    reader = read_entries(options(), (*lines, *(f"0.0.0.0 n{at}" for at in range(MOST_RECORDS + 9))))
    assert reader.entries == 4 * (MOST_RECORDS + 9)
    records = held(reader)
    assert len(records["same", A]) == MOST_RECORDS
    assert records["0.0.0.0.in-addr.arpa", PTR] == tuple(f"n{at}." for at in range(MOST_RECORDS))


LINES = st.lists(
    st.tuples(st.sampled_from(["192.0.2.1", "192.0.2.2", "::1", "junk", "#"]), st.lists(st.sampled_from(["a", "b.x", "C", "*.x", ".."]))),
    max_size=12,
).map(lambda lines: "\n".join(f"{address} {' '.join(names)}" for address, names in lines))


@given(LINES, st.integers(1, 5), st.integers(1, 7))
def test_in_any_pieces_and_parts_a_file_says_the_same(text: str, parts: int, size: int) -> None:
    whole, reader = read_entries(options(), text.split("\n")), HostsReader(options(), parts)
    octets = text.encode()
    for at in range(0, len(octets), size):
        reader.take(octets[at : at + size])
    reader.finish()
    assert (reader.entries, reader.flaws, reader.first_flaw) == (whole.entries, whole.flaws, whole.first_flaw)
    assert held(reader) == held(whole)
