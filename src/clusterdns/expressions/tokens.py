"""The words, signs and constants of an expression, as expr-lang reads them. Must not know what they mean together."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

_MOST_NUMBER = 2**63 - 1

_TOKEN = re.compile(
    r"""
    (?P<space> \s+ )
  | (?P<number> [0-9] [0-9A-Za-z_.]* )
  | (?P<text> ' (?: [^'\\] | \\. )* ' | " (?: [^"\\] | \\. )* " | ` [^`]* ` )
  | (?P<word> [A-Za-z_$] [A-Za-z0-9_$]* )
  | (?P<sign> == | != | <= | >= | && | \|\| | \?\? | \?\. | \*\* | \.\. | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?: x(?P<x>[0-9A-Fa-f]{2}) | u(?P<u>[0-9A-Fa-f]{4}) | U(?P<U>[0-9A-Fa-f]{8}) | (?P<octal>[0-7]{3}) | (?P<letter>.) )",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"', "`": "`"}


class ExpressionError(ValueError):
    """What is wrong with an expression; `at` is the offset of the place in its text, `hint` what to write instead."""

    def __init__(self, at: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint


class Token(NamedTuple):
    """A word, sign or constant. `text` is what was written, `value` what a constant is."""

    kind: Literal["word", "sign", "number", "text", "end"]
    text: str
    at: int
    value: str | int = ""

    def is_(self, *words: str) -> bool:
        """Whether it is one of these words or signs."""
        return self.kind in ("word", "sign") and self.text in words


def read_tokens(text: str) -> list[Token]:
    """All of them, and the end. Raises `ExpressionError`."""
    tokens: list[Token] = []
    at = 0
    while found := _TOKEN.match(text, at):
        tokens += _token(found)
        at = found.end()
    return [*tokens, Token("end", "", len(text))]


def _token(found: re.Match[str]) -> tuple[Token, ...]:
    """What was found; nothing for white space."""
    written, at = found[0], found.start()
    match found.lastgroup:
        case "space":
            return ()
        case "number":
            return (Token("number", written, at, _number(written, at)),)
        case "text":
            return (Token("text", written, at, written[1:-1] if written[0] == "`" else _unescaped(written[1:-1], at + 1)),)
        case "word":
            return (Token("word", written, at),)
        case _ if written in "'\"`":
            raise ExpressionError(at, f"the text has no end: {written} is missing")
        case _:
            return (Token("sign", written, at),)


def _number(written: str, at: int) -> int:
    """A whole number, as Go writes it: decimal, or with 0x, 0o or 0b before it."""
    digits = written.replace("_", "")
    try:
        number = int(digits, 0 if digits[:2].lower() in ("0x", "0o", "0b") else 10)
    except ValueError:
        raise ExpressionError(at, f"`{written}` is no whole number") from None
    if number > _MOST_NUMBER:
        raise ExpressionError(at, f"`{written}` is too large")
    return number


def _unescaped(written: str, at: int) -> str:
    """A text without its escapes, which are those of Go."""

    def meant(found: re.Match[str]) -> str:
        letter = found["letter"]
        if letter:
            if letter not in _ESCAPED:
                raise ExpressionError(at + found.start(), f"`{found[0]}` is no escape", "a backslash itself is written twice")
            return _ESCAPED[letter]
        number = int(found["octal"], 8) if found["octal"] else int(found["x"] or found["u"] or found["U"], 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise ExpressionError(at + found.start(), f"`{found[0]}` is no character")
        return chr(number)

    return _ESCAPE.sub(meant, written)
