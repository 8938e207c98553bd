"""An answer as a value that can be compared with a recorded one: the order of records and the SOA's serial do not count."""

from __future__ import annotations

from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

Answer = dict[str, Any]
PATIENCE = 5.0


def answer_of(server: str, port: int, name: str, rtype: str) -> Answer:
    """The answer over UDP with EDNS 4096, over TCP where that was truncated."""
    query = dns.message.make_query(name, rtype, use_edns=0, payload=4096)
    reply = dns.query.udp(query, server, port=port, timeout=PATIENCE)
    if reply.flags & dns.flags.TC:
        reply = dns.query.tcp(query, server, port=port, timeout=PATIENCE)
    return {
        "rcode": dns.rcode.to_text(reply.rcode()),
        "aa": bool(reply.flags & dns.flags.AA),
        "ra": bool(reply.flags & dns.flags.RA),
        "question": reply.question[0].name.to_text() if reply.question else None,
        "answer": _records(reply.answer),
        "authority": _records(reply.authority),
        "additional": _records(reply.additional),
    }


def comparable(answer: Answer) -> Answer:
    """The same without what may differ."""
    return answer | {section: sorted(map(_without_serial, answer[section])) for section in ("answer", "authority", "additional")}


def _records(section: list[dns.rrset.RRset]) -> list[list[Any]]:
    return [[rrset.name.to_text(), rrset.ttl, dns.rdatatype.to_text(rrset.rdtype), rdata.to_text()] for rrset in section for rdata in rrset]


def _without_serial(record: list[Any]) -> list[Any]:
    owner, ttl, rtype, data = record
    if rtype == "SOA":
        mname, rname, _serial, *times = data.split()
        data = " ".join([mname, rname, "SERIAL", *times])
    return [owner, ttl, rtype, data]
