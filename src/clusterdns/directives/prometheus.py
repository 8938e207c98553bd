"""`prometheus`: count the block's queries, and tell over HTTP what has been counted."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, listen_address, options
from clusterdns.plan import CountOp, HttpListener

ADDRESS = "localhost:9153"


def compile_prometheus(lines: Sequence[Line], block: BlockContext) -> None:
    """`prometheus [ADDRESS] { runtime_metrics }`"""
    line = lines[0]
    words = arguments(line, block, "prometheus [ADDRESS]")
    address = listen_address(words[0], block) if words else ADDRESS
    for option in options(line, block, ("runtime_metrics", "tls")):
        if option.name.text == "tls":
            hint = "remove it, or keep the address to localhost and put a proxy in front"
            block.error(option, "`tls` of `prometheus` is not supported yet", hint, code="unsupported-option")
        elif arguments(option, block, "runtime_metrics") is not None:
            block.warn(option, "there is no Go runtime here: `runtime_metrics` does nothing", "remove it", code="no-effect")
    behind = block.directives[block.directives.index("prometheus") + 1 :]
    block.emit(CountOp(next(iter(behind), ""), list(block.directives), next(iter(block.zones), ""), block.span(line)))
    if address:
        # Queries that are not counted are no reason not to answer them.
        block.http.append(HttpListener(address, "metrics", required=False, zones=[], latched=False))


DIRECTIVE = Directive(name="prometheus", compile=compile_prometheus, once=True)
