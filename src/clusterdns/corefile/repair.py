"""Where the missing `}` belongs, and the blank that is missing before a `{`.

Braces alone cannot tell which of several open blocks was meant to be closed; the indentation can. Only a file whose braces do
not match is looked at, so that a rule of thumb never changes what a correct file means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from clusterdns.corefile.lexer import Word
from clusterdns.corefile.problems import Place, Problem, Severity


class _Open(msgspec.Struct):
    """A block that is not closed yet: its brace, and the column of the line that opened it."""

    brace: Word
    column: int
    indented: bool | None = None


def close_open_braces(words: Iterable[Word]) -> tuple[list[Word], list[Problem]]:
    """The words with the braces that are missing; each is reported where the block was opened."""
    repaired: list[Word] = []
    problems: list[Problem] = []
    open_blocks: list[_Open] = []

    def close_block(place: Place) -> None:
        """Put a brace for the innermost block here."""
        brace = open_blocks.pop().brace
        problems.append(unclosed(brace.place))
        repaired.append(Word("}", place, starts_line=True))

    for line in _lines(words):
        line, problem = _split_glued_brace(line)
        problems += problem
        first = line[0]
        column = first.place.column
        if open_blocks and open_blocks[-1].indented is None:
            open_blocks[-1].indented = column > open_blocks[-1].column
        while open_blocks and open_blocks[-1].indented and _ends_block(first, open_blocks):
            close_block(first.place)
        for word in line:
            if word.text == "{":
                open_blocks.append(_Open(word, column))
            elif word.text == "}" and open_blocks:
                open_blocks.pop()
        repaired += line
    while open_blocks:
        close_block(repaired[-1].place)
    return repaired, problems


def unclosed(place: Place, severity: Severity = Severity.ERROR) -> Problem:
    """The problem of a brace without a counterpart."""
    return Problem(severity, "unclosed-brace", place, "this `{` is never closed", "add a `}` on a line of its own")


def _ends_block(first: Word, open_blocks: list[_Open]) -> bool:
    """Whether a line that begins so cannot belong to the innermost block: it stands too far left."""
    block, column = open_blocks[-1], first.place.column
    if first.text == "}":
        return column < block.column and len(open_blocks) > 1
    return column <= block.column


def _split_glued_brace(line: list[Word]) -> tuple[list[Word], list[Problem]]:
    """`health{` at the end of a line as two words."""
    last = line[-1]
    if last.quoted or not last.text.endswith("{") or last.text.startswith("{"):
        return line, []
    name, place = last.text[:-1], last.place
    brace = Place(place.file, place.line, place.column + len(name))
    problem = Problem(Severity.ERROR, "glued-brace", brace, "`{` must stand alone", f"write: {name} {{")
    return [*line[:-1], Word(name, place, last.starts_line), Word("{", brace, starts_line=False)], [problem]


def _lines(words: Iterable[Word]) -> Iterator[list[Word]]:
    """The words of each line."""
    number = 0

    def line_number(word: Word) -> int:
        """Counts the words that begin a line."""
        nonlocal number
        number += word.starts_line
        return number

    return (list(line) for _, line in groupby(words, key=line_number))
