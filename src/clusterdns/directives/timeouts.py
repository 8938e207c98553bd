"""`timeouts`: how long clients' connections are waited for, and how many queries each may bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, integer, options, seconds
from clusterdns.scalars import MOST_IN_PLAN, Duration

LEAST = Duration.parse("1s")
MOST = Duration.parse("24h")
NO_LIMIT: Final = "-1"

TIMES = {"read": "read_ms", "write": "write_ms", "idle": "idle_ms"}


def compile_timeouts(lines: Sequence[Line], block: BlockContext) -> None:
    """`timeouts { read DURATION; write DURATION; idle DURATION; maxtcpqueries NUMBER }`; what several lines say adds up."""
    for line in lines:
        arguments(line, block, "timeouts")
        if not line.block:
            hint = f"write at least one of {', '.join((*TIMES, 'maxtcpqueries'))} between braces, or remove the line"
            block.error(line, "`timeouts` says no time", hint, code="argument-count")
        for option in options(line, block, (*TIMES, "maxtcpqueries")):
            _compile_option(option, block)


def _compile_option(option: Line, block: BlockContext) -> None:
    """One time, or the number of queries."""
    name = option.name.text
    if name in TIMES:
        words = arguments(option, block, f"{name} DURATION")
        if words and (time := seconds(words[0], block, LEAST, MOST)):
            block.timeouts = structs.replace(block.timeouts, **{TIMES[name]: time.whole_milliseconds})
        return
    words = arguments(option, block, f"{name} NUMBER", more=(f"{name} {NO_LIMIT}",))
    if words:
        number = None if words[0].text == NO_LIMIT else integer(words[0], block, least=1, most=MOST_IN_PLAN)
        block.timeouts = structs.replace(block.timeouts, most_queries=number)


DIRECTIVE = Directive(name="timeouts", compile=compile_timeouts)
