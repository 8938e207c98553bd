"""Expressions in the lines of a directive: their words become a value or a condition, or a problem where they are wrong.

Must not know single directives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from clusterdns.corefile.problems import Place
from clusterdns.corefile.tree import Token
from clusterdns.directives.block import BlockContext
from clusterdns.expressions import ExpressionError, Parsed, Surroundings, parse_condition, parse_value


class Written(msgspec.Struct, frozen=True):
    """An expression as it was written, what it is, and the groups of a pattern that it asks for, each with its place."""

    text: str
    parsed: Parsed
    groups: tuple[tuple[str, Place], ...]


def condition(words: Sequence[Token], block: BlockContext, surroundings: Surroundings) -> Written | None:
    """An expression that is true or false: words with single blanks between them, as in CoreDNS."""
    return _written(words, block, surroundings, parse_condition)


def value(words: Sequence[Token], block: BlockContext, surroundings: Surroundings) -> Written | None:
    """An expression of any type."""
    return _written(words, block, surroundings, parse_value)


def _written(
    words: Sequence[Token], block: BlockContext, surroundings: Surroundings, parse: Callable[[str, Surroundings], Parsed]
) -> Written | None:
    """What is written there, parsed in one of both ways."""
    text = " ".join(word.text for word in words)
    try:
        parsed = parse(text, surroundings)
    except ExpressionError as problem:
        block.error(_place(words, problem.at), str(problem), problem.hint, code="bad-expression")
        return None
    for label in parsed.labels:
        block.labels.use(label.name, _place(words, label.at))
    return Written(text, parsed, tuple((group.name, _place(words, group.at)) for group in parsed.groups))


def _place(words: Sequence[Token], at: int) -> Place:
    """Where in the Corefile an offset of the joined words is."""
    for word in words:
        if at <= len(word.text):
            return word.place_at(at)
        at -= len(word.text) + 1
    return words[-1].place
