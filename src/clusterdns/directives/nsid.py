"""`nsid`: tells clients that ask for it which server has answered (RFC 5001)."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import no_block
from clusterdns.plan.ops import NsidOp


def compile_nsid(lines: Sequence[Line], block: BlockContext) -> None:
    """`nsid [DATA...]`; the name of the machine where nothing is said."""
    line = lines[0]
    no_block(line, block)
    data = " ".join(token.text for token in line.args) or block.sources.hostname
    block.emit(NsidOp(data=data, span=block.span(line)))


DIRECTIVE = Directive(name="nsid", compile=compile_nsid, once=True)
