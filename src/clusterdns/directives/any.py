"""`any`: a short answer to questions for records of all types (RFC 8482)."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import bare
from clusterdns.iana import TYPES
from clusterdns.names import ROOT
from clusterdns.plan.ops import FixedNames, FixedOp, FixedReply

ANSWER = '@ 8482 IN HINFO "ANY obsoleted" "See RFC 8482"'


def compile_any(lines: Sequence[Line], block: BlockContext) -> None:
    """`any`"""
    bare(lines, block)
    reply = FixedReply(qtype=TYPES["ANY"], qclass=None, rcode=0, answer=[ANSWER], authority=[])
    block.emit(FixedOp(names=[FixedNames("all", ROOT, [reply])], name="any", span=block.span(lines[0])))


DIRECTIVE = Directive(name="any", compile=compile_any)
