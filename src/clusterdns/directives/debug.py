"""`debug`: log at debug level."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import bare
from clusterdns.plan.ops import DebugOp


def compile_debug(lines: Sequence[Line], block: BlockContext) -> None:
    """`debug`"""
    bare(lines, block)
    block.debug = True
    block.emit(DebugOp(span=block.span(lines[0])))


DIRECTIVE = Directive(name="debug", compile=compile_debug)
