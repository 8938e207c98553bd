"""`python`: a function of yours answers. The compiler imports nothing: whoever starts the server does."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive, Plugin
from clusterdns.directives.options import arguments, choice, duration, integer, options, zones
from clusterdns.plan.ops import AskOp
from clusterdns.scalars import Duration

OnFailure = Literal["servfail", "next"]

DEFAULT_TIMEOUT = Duration.parse("1s")
MOST_TIMEOUT = Duration.parse("5s")
"""Clients have given up by then."""
DEFAULT_CONCURRENCY = 16
MOST_CONCURRENCY = 1024

_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*|[^\W\d][\w-]*")


def compile_python(lines: Sequence[Line], block: BlockContext) -> None:
    """`python MODULE:FUNCTION|NAME [ZONES...] { OPTION... }`, any number of times; they are asked in order."""
    for line in lines:
        words = arguments(line, block, "python MODULE:FUNCTION [ZONES...]", more=("python NAME [ZONES...]",))
        if words is None:
            continue
        if _TARGET.fullmatch(words[0].text) is None:
            hint = "write MODULE:FUNCTION, or the name of an installed plugin"
            block.error(words[0], f"`{words[0].text}` names no function", hint, code="bad-value")
            continue
        _compile_line(line, words, block)


def _compile_line(line: Line, words: Sequence[Token], block: BlockContext) -> None:
    """One line with its options: the op, and the plugin that it asks."""
    timeout, concurrency, on_failure, path = DEFAULT_TIMEOUT, DEFAULT_CONCURRENCY, "servfail", ""
    given: dict[str, str] = {}
    for option in options(line, block, ("timeout", "concurrency", "on_failure", "path", "argument")):
        match option.name.text:
            case "timeout":
                for word in arguments(option, block, "timeout DURATION") or ():
                    timeout = duration(word, block, Duration.parse("1ms"), MOST_TIMEOUT) or timeout
            case "concurrency":
                for word in arguments(option, block, "concurrency NUMBER") or ():
                    concurrency = integer(word, block, 1, MOST_CONCURRENCY) or concurrency
            case "on_failure":
                for word in arguments(option, block, "on_failure servfail|next") or ():
                    on_failure = choice(word, block, get_args(OnFailure)) or on_failure
            case "path":
                for word in arguments(option, block, "path DIRECTORY") or ():
                    path = posixpath.join(block.directory, word.text)
            case "argument":
                if pair := arguments(option, block, "argument NAME VALUE"):
                    _take_argument(pair, given, block)
    function = _identity(words[0].text, given)
    block.plugins.append(Plugin(function, words[0].text, given, concurrency, path or block.directory))
    failure: OnFailure = "next" if on_failure == "next" else "servfail"
    milliseconds = max(1, timeout.nanoseconds // 1_000_000)
    block.emit(AskOp(function, list(zones(words[1:], block)), milliseconds, failure, block.span(line)))


def _take_argument(pair: Sequence[Token], given: dict[str, str], block: BlockContext) -> None:
    """Adds an argument to those that were given."""
    name = pair[0].text
    if not name.isidentifier():
        block.error(pair[0], f"`{name}` is no name of an argument in Python", code="bad-value")
    elif name in given:
        block.error(pair[0], f"the argument `{name}` is given twice", code="given-twice")
    else:
        given[name] = pair[1].text


def _identity(target: str, given: Mapping[str, str]) -> str:
    """What the function is called everywhere: the same function with other arguments is another one."""
    return f"{target}({', '.join(f'{name}={value}' for name, value in given.items())})" if given else target


DIRECTIVE = Directive(name="python", compile=compile_python)
