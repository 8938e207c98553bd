"""`whoami`: answer with the client's own address, port and transport."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import bare
from clusterdns.plan.ops import WhoamiOp


def compile_whoami(lines: Sequence[Line], block: BlockContext) -> None:
    """`whoami`"""
    bare(lines, block)
    block.emit(WhoamiOp(span=block.span(lines[0])))


DIRECTIVE = Directive(name="whoami", compile=compile_whoami)
