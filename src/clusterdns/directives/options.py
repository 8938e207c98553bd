"""Reading the lines of a directive: words become typed values, or a problem that says what to write instead.

Every function reports what is wrong by itself and gives `None` (or the values that are right), so that a directive file
reads like its syntax and one wrong line does not hide the next. Must not know single directives.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

from clusterdns.corefile.keys import zone_origins
from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, WatchedFile
from clusterdns.iana import CLASSES, RCODES, TYPES, class_number, rcode_number, type_number
from clusterdns.names import InvalidName, is_subdomain
from clusterdns.patterns import Pattern
from clusterdns.scalars import Cidr, Duration, Endpoint, Size, address_or_none, bounded, parse_integer

Value = TypeVar("Value")

LOOK = Duration.parse("5s")
"""How often files that a plan was made from are looked at, where nothing else is said."""

_MOST_TOLD = 30
"""Longer lists of what there is help nobody."""


def arguments(line: Line, block: BlockContext, syntax: str, more: Collection[str] = ()) -> tuple[Token, ...] | None:
    """The arguments of a line, if there are as many as its syntax tells: `reload [INTERVAL] [JITTER]`, `except ZONE...`.

    `more`: further ways to write it, for the hint.
    """
    words = syntax.split()[1:]
    least = sum(not word.startswith("[") for word in words)
    most = None if any(word.strip("[]").endswith("...") for word in words) else len(words)
    if len(line.args) >= least and (most is None or len(line.args) <= most):
        return line.args
    at = line.args[most] if most is not None and len(line.args) > most else line.name
    message = f"`{line.name.text}` takes {_count(least, most)}, found {len(line.args)}"
    block.error(at, message, "write: " + " | ".join((syntax, *more)), code="argument-count")
    return None


def first_argument(line: Line, block: BlockContext, syntax: str) -> Token | None:
    """The one argument of an option that lets others stand behind it and does not look at them, as in CoreDNS."""
    for token in line.args[1:]:
        block.warn(token, f"`{token.text}` means nothing here", f"write: {syntax}", code="ignored-word")
    return line.args[0] if line.args else next(iter(arguments(line, block, syntax) or ()), None)


def options(line: Line, block: BlockContext, known: Collection[str]) -> Iterator[Line]:
    """The option lines in a directive's block whose names are known; the others are reported."""
    for option in line.block or ():
        name = option.name.text
        if name not in known:
            block.error(option, f"unknown option `{name}` of `{line.name.text}`", suggestion(name, known), code="unknown-option")
            continue
        if option.block is not None:
            block.error(option, f"`{name}` takes no block", "remove the braces and what is in them", code="unexpected-block")
        yield option


def bare(lines: Sequence[Line], block: BlockContext) -> None:
    """Report what stands behind a directive that takes nothing."""
    for line in lines:
        arguments(line, block, line.name.text)
        no_block(line, block)


def no_block(line: Line, block: BlockContext) -> None:
    """Report a block behind a directive that has no options."""
    if line.block is not None:
        block.error(line, f"`{line.name.text}` takes no block", "remove the braces and what is in them", code="unexpected-block")


def choice(token: Token, block: BlockContext, choices: Collection[str], any_case: bool = False) -> str | None:
    """One of some words; `any_case`: its letters may be of either case."""
    word = token.text.lower() if any_case else token.text
    if word in choices:
        return word
    block.error(token, f"`{token.text}` is not one of {', '.join(choices)}", suggestion(token.text, choices), code="unknown-value")
    return None


def integer(token: Token, block: BlockContext, least: int | None = None, most: int | None = None) -> int | None:
    """A whole number within bounds."""
    return _parsed(token, block, lambda text: bounded(parse_integer(text), least, most))


def duration(token: Token, block: BlockContext, least: Duration | None = None, most: Duration | None = None) -> Duration | None:
    """A duration within bounds."""
    return _parsed(token, block, lambda text: bounded(Duration.parse(text), least, most))


def seconds(token: Token, block: BlockContext, least: Duration | None = None, most: Duration | None = None) -> Duration | None:
    """A duration within bounds, where a number without a unit means seconds."""
    return _parsed(token, block, lambda text: bounded(Duration.parse(f"{text}s" if text.isdecimal() else text), least, most))


def size(token: Token, block: BlockContext, least: Size | None = None, most: Size | None = None) -> Size | None:
    """A size within bounds."""
    return _parsed(token, block, lambda text: bounded(Size.parse(text), least, most))


def cidr(token: Token, block: BlockContext) -> Cidr | None:
    """A network."""
    return _parsed(token, block, Cidr.parse)


def endpoint(token: Token, block: BlockContext, default_port: int | None = None) -> Endpoint | None:
    """A host and a port."""
    return _parsed(token, block, lambda text: Endpoint.parse(text, default_port))


def record_type(token: Token, block: BlockContext) -> int | None:
    """The number of a record type."""
    return _named(token, block, type_number(token.text), "record type", TYPES)


def record_class(token: Token, block: BlockContext) -> int | None:
    """The number of a class."""
    return _named(token, block, class_number(token.text), "class", CLASSES)


def rcode(token: Token, block: BlockContext) -> int | None:
    """The number of a response code."""
    return _named(token, block, rcode_number(token.text), "response code", RCODES)


def pattern(token: Token, block: BlockContext) -> Pattern | None:
    """A regular expression in Go's syntax."""
    return _parsed(token, block, Pattern.parse)


def listen_address(token: Token, block: BlockContext) -> str | None:
    """`HOST:PORT` to listen on, in its one way of writing: an empty host for every address."""
    found = endpoint(token, block)
    if found is None:
        return None
    host = address_or_none(found.host)
    return str(Endpoint("" if host and host.is_unspecified else str(host or found.host), found.port))


def engine_files(tokens: Sequence[Token], block: BlockContext) -> list[str]:
    """The paths of files that the engine reads by itself, below the Corefile's directory and `root`; it is told of changes."""
    paths = [posixpath.normpath(posixpath.join(block.directory, block.path(token.text))) for token in tokens]
    block.watched += [WatchedFile(path, LOOK) for path in paths]
    return paths


def zones(tokens: Sequence[Token], block: BlockContext) -> tuple[str, ...]:
    """The normalised zones that these words name: names, or CIDRs that stand for their reverse zones. Empty: those of the block."""
    if not tokens:
        return block.zones
    return tuple(zone for token in tokens for zone in _parsed(token, block, zone_origins, code="bad-name") or ())


def reached_zones(line: Line, tokens: Sequence[Token], block: BlockContext, hint: str = "") -> tuple[str, ...]:
    """The zones that these words name, each once; questions for each have to come to this block. `hint`: what else may be meant."""
    named = tuple(dict.fromkeys(zones(tokens, block)))
    for zone in named:
        if not any(is_subdomain(zone, served) or is_subdomain(served, zone) for served in block.zones):
            hints = "; ".join(filter(None, (f"this block serves {', '.join(block.zones)}", hint)))
            block.warn(line, f"no question for `{zone}` comes here", hints, code="unreachable-zone")
    return named


def suggestion(word: str, known: Collection[str], told: Collection[str] | None = None) -> str:
    """What the person who wrote this word may have meant, or what there is (`told`: what is worth listing of it)."""
    from difflib import get_close_matches  # only mistakes pay for it

    if close := get_close_matches(word, known, n=1) or get_close_matches(word.lower(), known, n=1):
        return f"did you mean `{close[0]}`?"
    listed = known if told is None else told
    return f"there are: {', '.join(listed)}" if listed else ""


def _named(token: Token, block: BlockContext, number: int | None, what: str, known: Collection[str]) -> int | None:
    """The number that IANA gives to this name."""
    if number is None:
        close = suggestion(token.text.upper(), known, told=() if len(known) > _MOST_TOLD else known)
        block.error(token, f"`{token.text}` is no {what}", close, code="unknown-value")
    return number


def _parsed(token: Token, block: BlockContext, parse: Callable[[str], Value], code: str = "bad-value") -> Value | None:
    """What `parse` makes of the word; its complaint becomes the problem."""
    try:
        return parse(token.text)
    except InvalidName as problem:
        block.error(token, f"`{token.text}` is no zone: {problem}", code=code)
    except ValueError as problem:
        block.error(token, str(problem), code=code)
    return None


def _count(least: int, most: int | None) -> str:
    """How many arguments there may be, in words."""
    if most == 0:
        return "no arguments"
    if least == most:
        return "1 argument" if least == 1 else f"{least} arguments"
    if most is None:
        return f"at least {least} argument{'s' if least > 1 else ''}"
    return f"{least} to {most} arguments" if least else f"at most {most} argument{'s' if most > 1 else ''}"
