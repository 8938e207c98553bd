"""`metadata`: what else is known of a query, by label, for logs and views."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import no_block, zones


def compile_metadata(lines: Sequence[Line], block: BlockContext) -> None:
    """`metadata [ZONES...]`"""
    line = lines[0]
    no_block(line, block)
    block.labels.zones = zones(line.args, block)


DIRECTIVE = Directive(name="metadata", compile=compile_metadata, once=True)
