"""`health`: say over HTTP that the process lives, and go on answering for a while before it ends."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, duration, listen_address, options
from clusterdns.plan.listeners import HttpListener
from clusterdns.scalars import NO_TIME

ADDRESS = ":8080"


def compile_health(lines: Sequence[Line], block: BlockContext) -> None:
    """`health [ADDRESS] { lameduck DURATION }`; of several lines the last address counts."""
    for line in lines[:-1]:
        block.warn(line, "only the last `health` of a block counts", f"it stands at {lines[-1].place}", code="used-twice")
    address: str | None = ADDRESS
    for line in lines:
        words = arguments(line, block, "health [ADDRESS]")
        address = listen_address(words[0], block) if words else address
        for option in options(line, block, ("lameduck",)):
            given = arguments(option, block, "lameduck DURATION")
            # It ends with the process, so that there is one for all blocks: the longest.
            length = duration(given[0], block, least=NO_TIME) if given else None
            block.lameduck = max(block.lameduck, length or NO_TIME)
    if address:
        block.serve_http(HttpListener(address, "health", required=True, zones=[], latched=False), lines[0])


DIRECTIVE = Directive(name="health", compile=compile_health)
