"""`reload`: read the Corefile again every now and then, and take it up when what it says has changed."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive, ReloadOptions
from clusterdns.directives.options import arguments, duration, no_block
from clusterdns.scalars import Duration

INTERVAL = Duration.parse("30s")
LEAST_INTERVAL = Duration.parse("2s")
JITTER = Duration.parse("15s")
LEAST_JITTER = Duration.parse("1s")
NO_JITTER = Duration(0)


def compile_reload(lines: Sequence[Line], block: BlockContext) -> None:
    """`reload [INTERVAL] [JITTER]`, or `reload off`"""
    for line in lines[1:]:
        block.warn(line, "only the first `reload` of a block counts", f"it stands at {lines[0].place}", code="used-twice")
    line = lines[0]
    no_block(line, block)
    if [token.text for token in line.args] == ["off"]:
        return
    words = arguments(line, block, "reload [INTERVAL] [JITTER]", more=("reload off",)) or ()
    interval = duration(words[0], block, least=LEAST_INTERVAL) if words else INTERVAL
    jitter = duration(words[1], block, least=NO_JITTER) if len(words) > 1 else JITTER
    if interval is None or jitter is None:
        return
    if NO_JITTER < jitter < LEAST_JITTER:
        block.error(words[1], f"a jitter of {jitter} is too short", f"write 0s for none, or at least {LEAST_JITTER}", code="bad-value")
        return
    half = Duration(interval.nanoseconds // 2)
    block.reload = ReloadOptions(interval, min(jitter, half))


DIRECTIVE = Directive(name="reload", compile=compile_reload)
