"""`view`: the queries that come to this block, where others serve the same zone."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.conditions import condition
from clusterdns.directives.options import arguments, options
from clusterdns.expressions import Surroundings
from clusterdns.plan.expressions import Condition
from clusterdns.plan.labels import TextLabel

LABEL = "view/name"


def compile_view(lines: Sequence[Line], block: BlockContext) -> None:
    """`view NAME { expr EXPRESSION... }`; all expressions have to be true."""
    line = lines[0]
    for name in arguments(line, block, "view NAME") or ():
        block.view = name.text
        block.labels.offer(LABEL, TextLabel(name.text))
    for option in options(line, block, ("expr",)):
        words = arguments(option, block, "expr EXPRESSION...")
        if words and (written := condition(words, block, Surroundings())):
            block.when.append(Condition(written.text, written.parsed.expression))


DIRECTIVE = Directive(name="view", compile=compile_view, once=True)
