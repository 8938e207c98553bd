"""`ready`: say over HTTP whether all data has been loaded."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, choice, listen_address, options
from clusterdns.plan.listeners import HttpListener

ADDRESS = ":8181"


def compile_ready(lines: Sequence[Line], block: BlockContext) -> None:
    """`ready [ADDRESS] { monitor until-ready|continuously }`"""
    line = lines[0]
    words = arguments(line, block, "ready [ADDRESS]")
    address = listen_address(words[0], block) if words else ADDRESS
    latched = True
    for option in options(line, block, ("monitor",)):
        for word in arguments(option, block, "monitor until-ready|continuously") or ():
            latched = choice(word, block, ("until-ready", "continuously")) != "continuously"
    if address:
        # A probe that cannot be answered is no reason not to answer questions. The zones are those of all blocks with `ready`.
        block.serve_http(HttpListener(address, "ready", required=False, zones=[], latched=latched), lines[0])


DIRECTIVE = Directive(name="ready", compile=compile_ready, once=True)
