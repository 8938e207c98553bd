"""`minimal`: answers without authority and additional sections."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import bare
from clusterdns.plan.ops import MinimalOp


def compile_minimal(lines: Sequence[Line], block: BlockContext) -> None:
    """`minimal`; a second line changes nothing."""
    bare(lines, block)
    block.emit(MinimalOp(span=block.span(lines[0])))


DIRECTIVE = Directive(name="minimal", compile=compile_minimal)
