"""The seed corpus, from text: questions, replies, changes and plans that are good, for the fuzzers to spoil. Only the standard library."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

TYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "NAPTR": 35,
    "OPT": 41,
    "DS": 43,
    "AXFR": 252,
    "ANY": 255,
}

# Name, type, and the size in EDNS if there is any, for the zones of the target `message`.
QUESTIONS = """
web.cluster.local. A
web.cluster.local. AAAA 1232
WEB.Cluster.LOCAL. SRV 512
_http._tcp.web.cluster.local. SRV
m.web.cluster.local. SRV
db.cluster.local. A
10-1-0-1.db.cluster.local. A
fd00--2.db.cluster.local. AAAA
n.db.cluster.local. CNAME
www.cluster.local. A 4096
10-0-0-9.any.cluster.local. SRV
x.wild.cluster.local. A
cluster.local. NS
cluster.local. SOA
cluster.local. AXFR
gone.cluster.local. TXT
a.example.org. A
whoami.example.org. ANY 65535
example.org. DS
1.0.0.10.in-addr.arpa. PTR
1.0.1.10.in-addr.arpa. PTR
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. PTR
. NS
"""

# What upstreams say: type asked for, rcode, and the sections, each record as its type and data. Names point at the question's,
# `a.example.org.` at octet 12, or at its tail.
ORG = b"\xc0\x0e"
SOA = b"\x02ns" + ORG + b"\x04mail" + ORG + bytes(20)
Record = tuple[str, bytes]
REPLIES: dict[str, tuple[str, int, list[Record], list[Record], list[Record]]] = {
    "addresses": ("A", 0, [("A", b"\xc0\x00\x02\x01"), ("A", b"\xc0\x00\x02\x02")], [], []),
    "chain": ("AAAA", 0, [("CNAME", b"\x03www" + ORG), ("AAAA", bytes(16))], [], [("OPT", b"")]),
    "denied": ("A", 3, [], [("SOA", SOA)], [("OPT", b"\x00\x0f\x00\x04\x00\x00no")]),
    "servers": ("NS", 0, [("NS", b"\x02ns" + ORG)], [("NS", ORG)], [("A", b"\xc0\x00\x02\x01")]),
    "names": ("ANY", 0, [("MX", b"\x00\x0a" + ORG), ("SRV", bytes(6) + ORG), ("NAPTR", bytes(4) + b"\x01s\x00\x00" + ORG)], [], []),
    "text": ("TXT", 0, [("TXT", b"\x04text\x00")], [], []),
    "failure": ("A", 2, [], [], []),
}

PORTS = [["x", "tcp", 80], ["y", "udp", -1]]
MEMBERS = [["10.1.0.1", ""], ["10.1.0.2", "m"], ["fd00::1", "m"], ["www.example.org.", "n"]]

# What one name holds, as `clusterdns.zones` packs it.
HELD: dict[str, list[Any]] = {
    "addresses": [["members", 5, ["10.0.0.1", "fd00::1"], PORTS, [[PORTS, MEMBERS, ""]], False, False]],
    "members": [["members", 5, [], [], [[PORTS, MEMBERS, ""], [[], MEMBERS[:1], ""]], True, False]],
    "base": [["members", 5, [], [], [[PORTS, MEMBERS, "far.away"]], True, True]],
    "records": [["rrset", 1, 5, ["10.0.0.1", "10.0.0.2"]], ["rrset", 28, 0, ["fd00::1"]], ["rrset", 16, 28800, ["1.1.0", ""]]],
    "servers": [["rrset", 2, 5, ["web", "m.web", "ns.example.org."]], ["rrset", 12, 5, ["web"]]],
    "alias": [["rrset", 5, 5, ["web.cluster.local."]]],
    "synthesis": [["synthesis", 5]],
    "exists": [["exists"]],
    "nothing": [],
}


def messages() -> Iterator[tuple[str, bytes]]:
    """Each question as a message."""
    for line in QUESTIONS.split("\n"):
        if line:
            yield line.replace(" ", "+"), message(*line.split())


def message(name: str, qtype: str, size: str = "") -> bytes:
    """A query (RFC 1035 4.1) with recursion desired, and an OPT record (RFC 6891 6.1) where a size is given."""
    labels = [label.encode() for label in name.split(".") if label]
    question = b"".join(struct.pack("B", len(label)) + label for label in labels) + struct.pack("!xHH", TYPES[qtype], 1)
    opt = struct.pack("!xHHIH", 41, int(size), 0, 0) if size else b""
    return struct.pack("!6H", 7, 0x0100, 1, 0, 0, 1 if opt else 0) + question + opt


def replies() -> Iterator[tuple[str, bytes]]:
    """Each reply as a message."""
    for name, (qtype, rcode, *sections) in REPLIES.items():
        counts = [len(section) for section in sections]
        records = b"".join(map(record, [record for section in sections for record in section]))
        question = message("a.example.org.", qtype)[12:]
        yield name, struct.pack("!6H", 7, 0x8180 | rcode, 1, *counts) + question + records


def record(record: Record) -> bytes:
    """A record of the name that was asked for; OPT is the root's."""
    rtype, data = record
    owner = b"\x00" if rtype == "OPT" else b"\xc0\x0c"
    return owner + struct.pack("!HHIH", TYPES[rtype], 4096 if rtype == "OPT" else 1, 0, len(data)) + data


def changes() -> Iterator[tuple[str, bytes]]:
    """A change of one name for each kind of data, and one of all of them."""
    owners = {kind: [f"{kind}.web", 7, held, [16] if kind == "records" else []] for kind, held in HELD.items()}
    for kind, owner in owners.items():
        yield kind, packed([[owner], 1, False, True])
    yield "wildcard", packed([[["*", 7, HELD["records"], [255]]], 1, False, False])
    yield "chain", packed([[["a", 7, HELD["alias"], []], ["web", 7, HELD["members"], []]], 1, False, True])
    yield "all", packed([list(owners.values()), 2**32 - 1, True, True])


def packed(value: Any) -> bytes:
    """A value as MessagePack: as much of it as changes have."""
    match value:
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return struct.pack("!Bq", 0xD3, value)
        case str():
            octets = value.encode()
            return struct.pack("!BB", 0xD9, len(octets)) + octets
        case list():
            return struct.pack("!BH", 0xDC, len(value)) + b"".join(map(packed, value))
    raise TypeError(f"{value!r} is in no change")


def plans() -> Iterator[tuple[str, bytes]]:
    """The golden plans, without the spaces."""
    for path in sorted((ROOT / "tests/plans").glob("*.json")):
        yield path.name, json.dumps(json.loads(path.read_text()), separators=(",", ":")).encode()


SEEDS: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "message": messages,
    "upstream": replies,
    "change": changes,
    "plan": plans,
}
