"""`bufsize`: the largest UDP message that clients get."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, integer, no_block
from clusterdns.plan.ops import BufsizeOp

DEFAULT_SIZE = 1232
"""Fits into one packet on every path (DNS Flag Day 2020)."""
LEAST_SIZE = 512
MOST_SIZE = 4096


def compile_bufsize(lines: Sequence[Line], block: BlockContext) -> None:
    """`bufsize [SIZE]`; the last line counts."""
    for line in lines:
        no_block(line, block)
        words = arguments(line, block, "bufsize [SIZE]") or ()
        sizes = [integer(word, block, LEAST_SIZE, MOST_SIZE) for word in words] or [DEFAULT_SIZE]
        if line is lines[-1] and sizes[0] is not None:
            block.emit(BufsizeOp(size=sizes[0], span=block.span(line)))


DIRECTIVE = Directive(name="bufsize", compile=compile_bufsize)
