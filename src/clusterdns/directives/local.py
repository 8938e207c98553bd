"""`local`: answers questions about the local host, so that they go no further (RFC 6303, RFC 6761 6.3)."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, choice, options
from clusterdns.iana import RCODES, TYPES
from clusterdns.plan.ops import Counter, FixedNames, FixedOp, FixedReply

TTL = 604800
LOCALHOST = "localhost."
LOOPBACK = "127.in-addr.arpa."
EMPTY = ("0.in-addr.arpa.", LOOPBACK, "255.in-addr.arpa.")
"""Zones that have an apex, and nothing below it but the loopback address."""
COUNTER = Counter("coredns_local_localhost_requests_total", "Queries for names below localhost.", [], {})
SOA = f"{LOCALHOST} root.{LOCALHOST} 1 0 0 0 {TTL}"


def compile_local(lines: Sequence[Line], block: BlockContext) -> None:
    """`local { localhost_prefix on|off }`; the last word counts."""
    prefix = True
    for line in lines:
        arguments(line, block, "local")
        for option in options(line, block, ("localhost_prefix",)):
            words = arguments(option, block, "localhost_prefix on|off")
            if words and choice(words[0], block, ("on", "off")):
                prefix = words[0].text == "on"
    addresses = [_reply("A", "127.0.0.1"), _reply("AAAA", "::1")]
    apex = [_reply("SOA", SOA), _reply("NS", LOCALHOST), _nothing("@")]
    names = [
        FixedNames("below", LOCALHOST, [*addresses, _nothing("@")], COUNTER),
        *([FixedNames("label", LOCALHOST, [*addresses, _nothing("@")], COUNTER)] if prefix else []),
        FixedNames("name", LOCALHOST, [*addresses, *apex]),
        *(FixedNames("name", zone, apex) for zone in EMPTY),
        FixedNames("name", f"1.0.0.{LOOPBACK}", [_reply("PTR", LOCALHOST), _nothing(LOOPBACK)]),
        *(FixedNames("below", zone, [_nothing(zone, "NXDOMAIN")]) for zone in EMPTY),
    ]
    block.emit(FixedOp(names=names, name="local", span=block.span(lines[0])))


def _reply(rtype: str, data: str) -> FixedReply:
    """A record of this type, of the name that was asked."""
    return FixedReply(qtype=TYPES[rtype], qclass=None, rcode=0, answer=[f"@ {TTL} {rtype} {data}"], authority=[])


def _nothing(owner: str, rcode: str = "NOERROR") -> FixedReply:
    """No record of any type, and the SOA that says so."""
    return FixedReply(qtype=None, qclass=None, rcode=RCODES[rcode], answer=[], authority=[f"{owner} {TTL} SOA {SOA}"])


DIRECTIVE = Directive(name="local", compile=compile_local)
