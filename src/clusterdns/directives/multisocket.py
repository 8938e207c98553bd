"""`multisocket`: several sockets for one port. There is one for each thread in any case, so it changes nothing, and is told to."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, integer, no_block

MOST_SOCKETS = 1024


def compile_multisocket(lines: Sequence[Line], block: BlockContext) -> None:
    """`multisocket [NUMBER]`"""
    for line in lines:
        no_block(line, block)
        for word in arguments(line, block, "multisocket [NUMBER]") or ():
            integer(word, block, least=1, most=MOST_SOCKETS)
        hint = "each thread has a socket of its own for each port in any case; remove the line"
        block.warn(line, "`multisocket` has no effect", hint, code="no-effect")


DIRECTIVE = Directive(name="multisocket", compile=compile_multisocket, once=True)
