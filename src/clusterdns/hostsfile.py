"""Hosts files (hosts(5)): lines of an address and its names, as records of a zone whose origin is the root.

A file may have a million lines. So what it says is kept as plain octets, in parts by name, and a part at a time becomes records: what
is needed besides is one part's records, not all. Pure: the octets come from outside. Must not know the Corefile or the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv6Address
from typing import NamedTuple

import msgspec

from clusterdns.iana import TYPES
from clusterdns.names import InvalidName, normalise
from clusterdns.zones import Owner, RRset

MOST_RECORDS = 4096
"""Of one name and type: no message has room for more."""
LONGEST_LINE = 65536
MOST_KNOWN = 4096
"""Addresses that are remembered: the same one is often on many lines."""

_DECIMAL = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_DECIMAL}(?:\.{_DECIMAL}){{3}}")
_PLAIN = re.compile(r"(?:\*\.)?(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_LONGEST_PLAIN = 253

_TYPES = {"4": TYPES["A"], "6": TYPES["AAAA"], "P": TYPES["PTR"]}
"""Types of records by the letter that stands for them in a part."""


class HostsOptions(msgspec.Struct, frozen=True):
    """What `hosts` reads: the file at `path`, or the `entries` that stand in the Corefile beside it.

    Names outside `zones` are left out. `ttl` in seconds; `reverse`: addresses have their names as PTR. The file is looked at every
    `reload_seconds` (0: never again); `named`: the Corefile says which file it is.
    """

    path: str
    named: bool
    zones: tuple[str, ...]
    ttl: int
    reverse: bool
    reload_seconds: float
    entries: tuple[str, ...] | None = None


class Flaw(NamedTuple):
    """A line that is left out, and why."""

    line: int
    why: str


class Address(NamedTuple):
    """An address of a line: the letter of its type, its one way of writing, and the name that PTR is asked for."""

    letter: str
    text: str
    reverse: str


class HostsReader:
    """Takes octets of a hosts file as they come. `count`: how many parts what it says is kept in."""

    def __init__(self, options: HostsOptions, count: int = 1) -> None:
        self.entries = 0
        self.flaws = 0
        self.first_flaw: Flaw | None = None
        self._options = options
        self._below = None if "." in options.zones else tuple(f".{zone}" for zone in options.zones)
        self._parts = [bytearray() for _ in range(count)]
        self._known: dict[str, Address | None] = {}
        self._number = 0
        self._rest = b""
        self._is_in_long_line = False
        self._last: Address | None = None
        self._names_of_last = 0

    def take(self, octets: bytes) -> None:
        """More of the file."""
        whole, newline, rest = (self._rest + octets).rpartition(b"\n")
        if newline:
            self._lines(whole)
        self._rest = rest
        if len(rest) > LONGEST_LINE:
            self._rest = b""
            self._is_in_long_line = True

    def finish(self) -> None:
        """That was all: the last line may lack its end."""
        if self._rest or self._is_in_long_line:
            self._lines(self._rest)
            self._rest = b""

    def parts(self, origin: int = 0) -> Iterator[tuple[Owner, ...]]:
        """The names that each part holds; `origin` is the file's number for explain. What has been given is forgotten."""
        while self._parts:
            yield tuple(_owners(self._parts.pop().decode().splitlines(), self._options.ttl, origin))

    def _lines(self, octets: bytes) -> None:
        """Lines that are whole, but for the first, if it was too long to wait for its end."""
        lines = octets.decode("utf-8", "surrogateescape").split("\n")
        if self._is_in_long_line:
            self._is_in_long_line = False
            self._number += 1
            self._leave_out(f"it is longer than {LONGEST_LINE} octets")
            del lines[0]
        said: list[list[str]] = [[] for _ in self._parts]
        for line in lines:
            self._number += 1
            if "#" in line:
                line = line[: line.index("#")]
            if len(line) > LONGEST_LINE:
                self._leave_out(f"it is longer than {LONGEST_LINE} octets")
            elif fields := line.split():
                self._say(fields, said)
        for part, texts in zip(self._parts, said, strict=True):
            if texts:
                part += ("\n".join(texts) + "\n").encode()

    def _say(self, fields: Sequence[str], said: Sequence[list[str]]) -> None:
        """One line: a record for each of its names, and one back."""
        address = self._address(fields[0])
        if address is None:
            return self._leave_out(f"`{_shown(fields[0])}` is no IP address")
        if len(fields) == 1:
            return self._leave_out(f"`{address.text}` has no name")
        if address is not self._last:
            self._last, self._names_of_last = address, 0
        for field in fields[1:]:
            owner = _owner_name(field)
            if owner is None:
                self._leave_out(f"`{_shown(field)}` is no name")
            elif self._below is None or f".{owner}.".endswith(self._below):
                self.entries += 1
                said[hash(owner) % len(said)].append(f"{owner} {address.letter}{address.text}")
                if self._options.reverse and owner[0] != "*":
                    self.entries += 1
                    # A list that blocks names says the same address a million times.
                    self._names_of_last += 1
                    if self._names_of_last <= MOST_RECORDS:
                        said[hash(address.reverse) % len(said)].append(f"{address.reverse} P{owner}.")
        return None

    def _address(self, text: str) -> Address | None:
        """The address, if it is one; the same object for the same text, as long as it is remembered."""
        if text not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[text] = parse_address(text)
        return self._known[text]

    def _leave_out(self, why: str) -> None:
        self.flaws += 1
        self.first_flaw = self.first_flaw or Flaw(self._number, why)


def read_entries(options: HostsOptions, entries: Iterable[str]) -> HostsReader:
    """What a few lines say."""
    reader = HostsReader(options)
    reader.take("".join(f"{entry}\n" for entry in entries).encode("utf-8", "surrogateescape"))
    return reader


def parse_address(text: str) -> Address | None:
    """An IP address; the interface behind a `%` is dropped, and IPv4 mapped into IPv6 is IPv4 (recorded: `hosts-file`)."""
    if _IPV4.fullmatch(text):
        first, second, third, fourth = text.split(".")
        return Address("4", text, f"{fourth}.{third}.{second}.{first}.in-addr.arpa")
    if "%" in text:
        return parse_address(text.partition("%")[0])
    try:
        address = IPv6Address(text)
    except ValueError:
        return None
    if address.ipv4_mapped:
        return parse_address(str(address.ipv4_mapped))
    return Address("6", str(address), address.reverse_pointer)


def _owner_name(text: str) -> str | None:
    """The name as owners are written; None if it is none. A `*` needs a zone behind it."""
    lower = text.lower()
    if len(lower) <= _LONGEST_PLAIN and _PLAIN.fullmatch(lower):
        return lower.rstrip(".")
    try:
        return None if text in ("*", "*.", ".") else normalise(text)[:-1]
    except InvalidName:
        return None


def _owners(lines: Iterable[str], ttl: int, origin: int) -> Iterator[Owner]:
    """Names with their records, each in the order of its lines."""
    said: dict[str, str | list[str]] = {}
    for line in lines:
        name, _, data = line.partition(" ")
        before = said.setdefault(name, data)
        if before is data:
            continue
        if isinstance(before, list):
            before.append(data)
        else:
            said[name] = [before, data]
    for name, held in said.items():
        if isinstance(held, list):
            yield Owner(name, origin, tuple(_rrsets(held, ttl)))
        else:
            # Most names are on one line: do not look for more.
            yield Owner(name, origin, (RRset(_TYPES[held[0]], ttl, (held[1:],)),))


def _rrsets(data: Sequence[str], ttl: int) -> Iterator[RRset]:
    """The records of one name that has several."""
    for letter, rtype in _TYPES.items():
        if rdata := tuple([text[1:] for text in data if text[0] == letter][:MOST_RECORDS]):
            yield RRset(rtype, ttl, rdata)


def _shown(word: str) -> str:
    """A word of a file as the log can have it."""
    printable = ascii(word)[1:-1]
    return printable if len(printable) <= 40 else f"{printable[:40]}..."
