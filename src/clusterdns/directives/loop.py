"""`loop`: ends the server when its questions come back to it."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, no_block
from clusterdns.plan.ops import LookoutOp


def compile_loop(lines: Sequence[Line], block: BlockContext) -> None:
    """`loop`: takes note of the probe that is sent when the block begins to serve."""
    line = lines[0]
    no_block(line, block)
    arguments(line, block, "loop")
    block.emit(LookoutOp(id=f"loop/{block.identity}", span=block.span(line)))


DIRECTIVE = Directive(name="loop", compile=compile_loop, once=True)
