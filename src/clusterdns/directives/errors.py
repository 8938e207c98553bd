"""`errors`: log why a query could not be answered."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, options
from clusterdns.plan import ErrorsOp


def compile_errors(lines: Sequence[Line], block: BlockContext) -> None:
    """`errors [stdout] { stacktrace }`"""
    line = lines[0]
    for destination in arguments(line, block, "errors [stdout]") or ():
        if destination.text != "stdout":
            block.error(destination, f"errors cannot be logged to `{destination.text}`", "they go to stdout; write: errors")
    for option in options(line, block, ("stacktrace", "consolidate")):
        # `stacktrace` prints Go's stack after a panic. There is nothing like it here, and nothing to refuse.
        if option.name.text == "consolidate":
            hint = "without it every error has its own line; remove it to get them all"
            block.error(option, "`consolidate` is not supported yet", hint, code="unsupported-option")
    block.emit(ErrorsOp(span=block.span(line)))


DIRECTIVE = Directive(name="errors", compile=compile_errors, once=True)
