"""`sinkhole`: names that shall not exist. A directive of one file, made of the engine's op for fixed answers; no Rust is needed."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, integer, options, zones
from clusterdns.iana import RCODES
from clusterdns.plan.ops import FixedNames, FixedOp, FixedReply


def compile_sinkhole(lines: Sequence[Line], block: BlockContext) -> None:
    """`sinkhole ZONES... { ttl SECONDS }`: NXDOMAIN for each zone and all below it, with an SOA that says for how long (RFC 2308 5)."""
    names: list[FixedNames] = []
    for line in lines:
        words = arguments(line, block, "sinkhole ZONE...")
        ttl = 300
        for option in options(line, block, ("ttl",)):
            for word in arguments(option, block, "ttl SECONDS") or ():
                ttl = integer(word, block, 0, 86_400) or 0
        for zone in zones(words, block) if words else ():
            soa = f"{zone} {ttl} IN SOA sinkhole. nobody.{zone} 1 7200 900 86400 {ttl}"
            reply = FixedReply(qtype=None, qclass=None, rcode=RCODES["NXDOMAIN"], answer=[], authority=[soa])
            names += [FixedNames("name", zone, [reply]), FixedNames("below", zone, [reply])]
    block.emit(FixedOp(names=names, name="sinkhole", span=block.span(lines[0])))


DIRECTIVE = Directive(name="sinkhole", compile=compile_sinkhole, behind="acl")
