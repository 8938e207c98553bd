"""`cancel`: a time after which CoreDNS's plugins may give a query up. Those that are here never need more than 5 seconds."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, duration, no_block
from clusterdns.scalars import Duration

LEAST = Duration(1)


def compile_cancel(lines: Sequence[Line], block: BlockContext) -> None:
    """`cancel [TIMEOUT]`"""
    for line in lines:
        no_block(line, block)
        for word in arguments(line, block, "cancel [TIMEOUT]") or ():
            duration(word, block, least=LEAST)
    hint = "a query that waits for others is given up after 5 seconds; remove the line"
    block.warn(lines[0], "`cancel` has no effect", hint, code="no-effect")


DIRECTIVE = Directive(name="cancel", compile=compile_cancel)
