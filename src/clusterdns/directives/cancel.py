"""`cancel`: how long a query may wait for others. There is a limit of 5 seconds in any case, so only a shorter one changes anything."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, duration, no_block
from clusterdns.plan.ops import CancelOp
from clusterdns.scalars import Duration

LEAST = Duration(1)
DEFAULT = Duration.parse("5001ms")
PATIENCE = Duration.parse("5s")
"""After this time the engine gives a query up by itself."""


def compile_cancel(lines: Sequence[Line], block: BlockContext) -> None:
    """`cancel [TIMEOUT]`; of several lines the last one counts, as in CoreDNS."""
    timeout = DEFAULT
    for line in lines:
        no_block(line, block)
        timeout = DEFAULT
        for word in arguments(line, block, "cancel [TIMEOUT]") or ():
            timeout = duration(word, block, least=LEAST) or timeout
    if timeout < PATIENCE:
        block.emit(CancelOp(timeout.whole_milliseconds, block.span(lines[-1])))
    else:
        hint = f"a query that waits for others is given up after {PATIENCE} in any case; give a shorter time, or remove the line"
        block.warn(lines[-1], "`cancel` has no effect", hint, code="no-effect")


DIRECTIVE = Directive(name="cancel", compile=compile_cancel)
