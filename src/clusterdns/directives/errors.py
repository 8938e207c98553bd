"""`errors`: log why a query could not be answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, duration, options, pattern, suggestion
from clusterdns.plan.ops import Consolidation, ErrorsOp
from clusterdns.scalars import NO_TIME

Level = Literal["debug", "info", "warning", "error"]

LEVELS: tuple[Level, ...] = get_args(Level)
SHOW_FIRST = "show_first"


def compile_errors(lines: Sequence[Line], block: BlockContext) -> None:
    """`errors [stdout] { consolidate DURATION PATTERN [LEVEL] [show_first]; stacktrace }`"""
    line = lines[0]
    for destination in arguments(line, block, "errors [stdout]") or ():
        if destination.text != "stdout":
            block.error(destination, f"errors cannot be logged to `{destination.text}`", "they go to stdout; write: errors")
    consolidate: list[Consolidation] = []
    for option in options(line, block, ("stacktrace", "consolidate")):
        if option.name.text == "stacktrace":
            hint = "it prints Go's stack after a panic, and there is no such stack here; remove the line"
            block.warn(option, "`stacktrace` has no effect", hint, code="no-effect")
        elif group := _consolidation(option, block):
            consolidate.append(group)
    identity = f"errors/{block.identity}" if consolidate else ""
    block.emit(ErrorsOp(span=block.span(line), id=identity, consolidate=consolidate))


def _consolidation(option: Line, block: BlockContext) -> Consolidation | None:
    """Which failures are counted together, and how they are told."""
    words = arguments(option, block, f"consolidate DURATION PATTERN [LEVEL] [{SHOW_FIRST}]")
    if words is None:
        return None
    period, found = duration(words[0], block, least=NO_TIME), pattern(words[1], block)
    told = _told(words[2:], block)
    if period is None or found is None or told is None:
        return None
    level, show_first = told
    return Consolidation(found.text, period.whole_milliseconds, str(period), level, show_first)


def _told(words: Sequence[Token], block: BlockContext) -> tuple[Level, bool] | None:
    """The level and whether the first one is shown; the level comes first."""
    level: Level | None = None
    show_first = False
    for word in words:
        known = next((one for one in LEVELS if one == word.text), None)
        if known and level:
            block.error(word, "multiple log levels specified in consolidate", f"`{level}` stands there already")
            return None
        if known and show_first:
            block.error(word, "log level must come before show_first in consolidate", f"write: {known} {SHOW_FIRST}")
            return None
        if not known and word.text != SHOW_FIRST:
            hint = suggestion(word.text, (*LEVELS, SHOW_FIRST))
            block.error(word, f"unknown option in consolidate: {word.text}", hint, code="unknown-value")
            return None
        level, show_first = level or known, show_first or not known
    return level or "error", show_first


DIRECTIVE = Directive(name="errors", compile=compile_errors, once=True)
