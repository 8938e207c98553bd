"""DNS messages as scenarios write them: questions to bytes, replies to documents."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import cache

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.behaviour.scenario import Document, Opt, Query, Repeated

MOST = 65_535
DO = 0x8000
HEADER = 12
_FLAGS = {"qr": 0x8000, "aa": 0x0400, "tc": 0x0200, "rd": 0x0100, "ra": 0x0080, "z": 0x0040, "ad": 0x0020, "cd": 0x0010}


def query_wire(query: Query, number: int) -> bytes:
    """The message of a question, with this id."""
    if query.raw is not None:
        return struct.pack("!H", number) + bytes.fromhex(query.raw)[2:]
    message = dns.message.Message(id=number)
    message.flags = sum(bit for name, bit in _FLAGS.items() if getattr(query, name, False))
    message.set_opcode(dns.opcode.from_text(query.opcode))
    asked = query.questions if query.questions is not None else ((query.name, query.type, query.class_),)
    for name, rtype, rclass in asked:
        message.question.append(question(dns.name.from_text(name), rclass, rtype))
    size = query.edns if query.edns is not None else Opt().payload if query.do or query.options else None
    if size is not None:
        message.use_edns(0, (DO if query.do else 0) | query.edns_z, size, options=generic(query.options))
    message.answer += records(query.answer)
    message.authority += records(query.authority)
    return message.to_wire(max_size=MOST)


def question(name: dns.name.Name, rclass: str, rtype: str) -> dns.rrset.RRset:
    """One entry of a question section."""
    return dns.rrset.RRset(name, dns.rdataclass.from_text(rclass), dns.rdatatype.from_text(rtype))


def generic(options: Iterable[tuple[int, str]]) -> list[dns.edns.Option]:
    """EDNS options of any code, from hex."""
    return [dns.edns.GenericOption(dns.edns.OptionType.make(code), bytes.fromhex(data)) for code, data in options]


def records(lines: Iterable[str | Repeated], owner: str = ".") -> list[dns.rrset.RRset]:
    """Lines of a zone file (`OWNER TTL CLASS TYPE DATA`), whose owner `@` is the given one."""
    return [_record(line, owner) for line in _repeated(lines)]


def _repeated(lines: Iterable[str | Repeated]) -> Iterator[str]:
    for line in lines:
        if isinstance(line, str):
            yield line
        else:
            yield from (line.rr.replace("{i}", str(number)) for number in range(1, line.repeat + 1))


@cache
def _record(line: str, at: str) -> dns.rrset.RRset:
    owner, ttl, rclass, rtype, *data = line.split(None, 4)
    return dns.rrset.from_text(dns.name.from_text(at if owner == "@" else owner), int(ttl), rclass, rtype, " ".join(data))


def told(wire: bytes, number: int) -> Document:
    """A reply to the question with this id, as the recordings tell it."""
    document: Document = {"size": len(wire)}
    if len(wire) < HEADER:
        return document | {"hex": wire.hex()}
    identity, flags, *counts = struct.unpack("!6H", wire[:HEADER])
    try:
        message = dns.message.from_wire(wire, one_rr_per_rrset=True, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError) as problem:
        text = wire.hex() if len(wire) <= 64 else None
        unparsed = type(problem).__name__
        return document | {"id_ok": identity == number, "flags_hex": f"{flags:04x}", "counts": counts, "hex": text, "unparsed": unparsed}
    if identity != number:
        document["id_ok"] = False
    document["rcode"] = dns.rcode.to_text(message.rcode())
    document["flags"] = flag_names(flags)
    if message.opcode():
        document["opcode"] = dns.opcode.to_text(message.opcode())
    document["question"] = [_question_text(entry) for entry in message.question]
    for section in ("answer", "authority", "additional"):
        document[section] = [text for rrset in getattr(message, section) for text in _record_texts(rrset)]
    edns = edns_told(message)
    document["edns"] = edns and {"version": message.edns, **edns}
    if edns and (z := message.ednsflags & ~DO & 0xFFFF):
        document["edns"]["z"] = f"{z:04x}"
    return document


def flag_names(flags: int, among: Iterable[str] = _FLAGS) -> list[str]:
    """The names of the header bits that are set."""
    return [name for name in among if flags & _FLAGS[name]]


def edns_told(message: dns.message.Message) -> Document | None:
    """The OPT record of a message."""
    if message.edns < 0:
        return None
    options = [[int(option.otype), (option.to_wire() or b"").hex()] for option in message.options]
    return {"payload": int(message.payload), "do": bool(message.ednsflags & DO), "options": options}


def _question_text(entry: dns.rrset.RRset) -> str:
    return f"{entry.name} {dns.rdataclass.to_text(entry.rdclass)} {dns.rdatatype.to_text(entry.rdtype)}"


def _record_texts(rrset: dns.rrset.RRset) -> Iterator[str]:
    rclass, rtype = dns.rdataclass.to_text(rrset.rdclass), dns.rdatatype.to_text(rrset.rdtype)
    if not rrset:
        yield f"{rrset.name} {rclass} {rtype}"
    for rdata in rrset:
        yield f"{rrset.name} {rrset.ttl} {rclass} {rtype} {rdata.to_text()}"
