"""What an upstream replies to a query by a rule: the message, as right or as wrong as the rule says."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.behaviour.messages import DO, MOST, generic, question, records
from tests.behaviour.scenario import Opt, Rule

OTHER_ID = 0x5555
_COPIED = dns.flags.RD | dns.flags.CD


def matches(rule: Rule, query: dns.message.Message) -> bool:
    """Whether the rule is for this query. `*.zone.`: any name below the zone."""
    name = query.question[0].name.to_text().lower() if query.question else ""
    rtype = dns.rdatatype.to_text(query.question[0].rdtype) if query.question else ""
    wanted = rule.name.lower()
    by_name = wanted == "*" or (name.endswith(wanted[1:]) if wanted.startswith("*.") else name == wanted)
    by_type = rule.type in ("*", rtype)
    by_do = rule.do is None or rule.do == bool(query.ednsflags & DO)
    return by_name and by_type and by_do


def prepare(rule: Rule) -> None:
    """Read its records, if their owner is known: hundreds take a while, and the reply would be late."""
    if "*" not in rule.name:
        for section in (rule.answer, rule.authority, rule.additional):
            records(section, rule.name)


def reply_wire(rule: Rule, query: dns.message.Message, proto: str) -> bytes:
    """The bytes of the reply."""
    reply = dns.message.Message(id=query.id ^ OTHER_ID if rule.wrong_id else query.id)
    reply.flags = _flags(rule, query)
    reply.set_opcode(query.opcode())
    reply.question = _questions(rule, query)
    _add_opt(rule.edns, query, reply)
    reply.set_rcode(dns.rcode.from_text(rule.rcode))
    truncated = rule.tc == "always" or (rule.tc == "udp" and proto == "udp")
    if truncated:
        reply.flags |= dns.flags.TC
    if not truncated or rule.tc_keep:
        owner = query.question[0].name.to_text() if query.question else "."
        reply.answer += records(rule.answer, owner)
        reply.authority += records(rule.authority, owner)
        reply.additional += records(rule.additional, owner)
    wire = reply.to_wire(max_size=MOST)
    return wire[:2] + bytes.fromhex(rule.garbage) if rule.garbage else wire


def _flags(rule: Rule, query: dns.message.Message) -> int:
    flags = 0 if rule.no_qr else int(dns.flags.QR)
    flags |= query.flags & _COPIED
    for bit, wanted in ((dns.flags.RA, rule.ra), (dns.flags.AA, rule.aa), (dns.flags.AD, rule.ad)):
        if wanted:
            flags |= bit
    return flags


def _questions(rule: Rule, query: dns.message.Message) -> list[dns.rrset.RRset]:
    """The question of the query, or another; an empty one in the rule: none."""
    if rule.question == "":
        return []
    return [
        question(
            dns.name.from_text(rule.question) if rule.question else asked.name,
            dns.rdataclass.to_text(asked.rdclass),
            rule.question_type or dns.rdatatype.to_text(asked.rdtype),
        )
        for asked in query.question
    ]


def _add_opt(edns: str | Opt, query: dns.message.Message, reply: dns.message.Message) -> None:
    asked = query.edns >= 0
    match edns:
        case Opt(payload=payload, do=do, options=options, always=always) if asked or always:
            reply.use_edns(0, DO if do else 0, payload, options=generic(options))
        case "echo" if asked:
            reply.use_edns(0, query.ednsflags & DO, Opt().payload)
