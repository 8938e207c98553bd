"""The texts and actions of a template, and the words of an action, as Go reads them. Must not know what they mean together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_OPEN, _CLOSE = "{{", "}}"
_BLANK = " \t\r\n"
_MOST_NUMBER = 2**63 - 1

_TOKEN = re.compile(
    r"""
    (?P<close>    (?: [ \t\r\n]-)? \}\} )
  | (?P<space>    [ \t\r\n]+ )
  | (?P<text>     " (?: [^"\\\n] | \\. )* " | ` [^`]* ` )
  | (?P<char>     ' (?: [^'\\\n] | \\. )+ ' )
  | (?P<variable> \$ \w* )
  | (?P<number>   [+-]? \.? [0-9] (?: [0-9A-Za-z_.] | (?<= [eEpP] ) [+-] )* )
  | (?P<field>    \. [^\W\d] \w* )
  | (?P<word>     [^\W\d] \w* )
  | (?P<sign>     := | [=|(),.] )
    """,
    re.VERBOSE,
)
_ENDS_WORD = re.compile(r"[ \t\r\n.,|:)(=]|\}\}|\Z")
_REMARK = re.compile(r"/\*.*?\*/", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}

Kind = Literal["text", "number", "variable", "field", "word", "sign", "end"]


class TemplateError(ValueError):
    """What is wrong with a template; `at` is the offset of the place in its text, `hint` what to write instead."""

    def __init__(self, at: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint


class Token(NamedTuple):
    """A word of an action. `value` is what a constant is; `apart`: there is a blank before it."""

    kind: Kind
    text: str
    at: int
    value: str | int = ""
    apart: bool = False

    def is_(self, *words: str) -> bool:
        """Whether it is one of these words or signs."""
        return self.kind in ("word", "sign") and self.text in words


class Action(NamedTuple):
    """What stands between `{{` and `}}`; its last token is the end."""

    tokens: list[Token]
    at: int


def read_template(text: str) -> Iterator[str | Action]:
    """The texts and actions of a template, trimmed as their markers say; the texts are not empty. Raises `TemplateError`."""
    at, trims = 0, False
    while (opens := text.find(_OPEN, at)) >= 0:
        inside = opens + len(_OPEN)
        marked = text[inside : inside + 1] == "-" and text[inside + 1 : inside + 2] in tuple(_BLANK)
        plain = _trimmed(text[at:opens], trims, marked)
        if plain:
            yield plain
        inside += 2 if marked else 0
        if text.startswith("/*", inside):
            at, trims = _after_remark(text, inside)
            continue
        tokens, at, trims = _read_action(text, opens, inside)
        yield Action(tokens, opens)
    if plain := _trimmed(text[at:], trims, after=False):
        yield plain


def _trimmed(text: str, before: bool, after: bool) -> str:
    """A text without the blanks at its marked ends."""
    text = text.lstrip(_BLANK) if before else text
    return text.rstrip(_BLANK) if after else text


def _after_remark(text: str, at: int) -> tuple[int, bool]:
    """Where the template goes on behind a remark, and whether blanks there count."""
    remark = _REMARK.match(text, at)
    if not remark:
        raise TemplateError(at, "the remark has no end", "write */ behind it")
    close = _TOKEN.match(text, remark.end())
    if not close or close.lastgroup != "close":
        raise TemplateError(remark.end(), "a remark stands alone between `{{` and `}}`")
    return close.end(), len(close[0]) > len(_CLOSE)


def _read_action(text: str, opens: int, at: int) -> tuple[list[Token], int, bool]:
    """The tokens of an action, where the template goes on, and whether blanks there count."""
    tokens: list[Token] = []
    apart = False
    while found := _TOKEN.match(text, at):
        at = found.end()
        match found.lastgroup:
            case "close":
                return [*tokens, Token("end", "", found.start(), apart=apart)], at, len(found[0]) > len(_CLOSE)
            case "space":
                apart = True
                continue
            case "text":
                tokens.append(Token("text", found[0], found.start(), _unquoted(found[0], found.start()), apart))
            case "char":
                tokens.append(Token("number", found[0], found.start(), _character(found[0], found.start()), apart))
            case "number":
                tokens.append(Token("number", found[0], found.start(), _number(found[0], found.start()), apart))
            case "variable" | "field" | "word" as kind:
                if not _ENDS_WORD.match(text, at):
                    raise TemplateError(
                        at, f"`{text[at]}` cannot stand in a name: `{found[0]}{text[at]}...`", _hint_for(text[at], found[0])
                    )
                tokens.append(Token(kind, found[0], found.start(), apart=apart))
            case _:
                tokens.append(Token("sign", found[0], found.start(), apart=apart))
        apart = False
    if at == len(text):
        raise TemplateError(
            opens, "the action has no end", 'write }} behind it; a quote inside of a quoted text of a Corefile is written \\"'
        )
    unfinished = text[at] in "\"`'"
    raise TemplateError(at, f"the text has no end: {text[at]} is missing" if unfinished else f"`{text[at]}` cannot stand in an action")


def _hint_for(sign: str, name: str) -> str:
    """How a name that Go does not read is written."""
    return f'write: index .Group "NAME" for a name with `{sign}`' if name.startswith(".") else ""


def _number(written: str, at: int) -> int:
    """A whole number, as Go writes it: decimal, or with 0x, 0o or 0b before it."""
    digits = written.replace("_", "")
    prefix = digits.lstrip("+-")[:2].lower()
    octal = prefix.isdigit() and prefix.startswith("0")
    try:
        number = int(digits, 8 if octal else 0 if prefix in ("0x", "0o", "0b") else 10)
    except ValueError:
        raise TemplateError(at, f"`{written}` is no whole number", "numbers with fractions are not supported") from None
    if not -_MOST_NUMBER <= number <= _MOST_NUMBER:
        raise TemplateError(at, f"`{written}` is too large")
    return number


def _character(written: str, at: int) -> int:
    """The number of a character."""
    character = _unescaped(written[1:-1], at + 1)
    if len(character) != 1:
        raise TemplateError(at, f"`{written}` is no character", 'texts stand in double quotes, in a Corefile written \\"')
    return ord(character)


def _unquoted(written: str, at: int) -> str:
    """What a text in quotes means; between backquotes it means itself."""
    return written[1:-1].replace("\r", "") if written[0] == "`" else _unescaped(written[1:-1], at + 1)


def _unescaped(written: str, at: int) -> str:
    """A text without its escapes."""

    def meant(found: re.Match[str]) -> str:
        x, u, long, octal, letter = found.groups()
        if letter:
            if letter not in _ESCAPED:
                raise TemplateError(at + found.start(), f"`{found[0]}` is no escape", "a backslash itself is written twice")
            return _ESCAPED[letter]
        number = int(octal, 8) if octal else int(x or u or long, 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise TemplateError(at + found.start(), f"`{found[0]}` is no character")
        return chr(number)

    return _ESCAPE.sub(meant, written)
