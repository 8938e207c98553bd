"""The text of one file as words (rules L1 to L5).

Words are split at white space; `"` at the start of a word quotes; `#` outside of quotes begins a comment, even inside a word;
braces are words like any other. Must not know what words mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from clusterdns.corefile.problems import Place, Problem, Severity

# What Go's unicode.IsSpace takes for white space, without the line feed. A carriage return is dropped wherever it stands, so it
# does not end a word.
_BLANK = "\t\v\f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

_PIECE = re.compile(
    rf"""
      (?P<newline> \n )
    | (?P<blank>   [{_BLANK}\r]+ )
    | (?P<comment> \#[^\n]* )
    | (?P<quoted>  "(?P<inside> (?: [^"\\] | \\. )* ) (?P<end> " | \\?\Z ) )
    | (?P<word>    [^{_BLANK}\n\#]+ ) (?P<glued> \#[^\n]* )?
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS_IN_COMMENT = re.compile(rf"[{_BLANK}]\s*[^\s#]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Word(msgspec.Struct, frozen=True):
    """One word of a file. `starts_line`: no word stands before it on its line. `quoted`: it was written in quotes."""

    text: str
    place: Place
    starts_line: bool
    quoted: bool = False


def read_words(text: str, file: str) -> tuple[list[Word], list[Problem]]:
    """All words of a file. Any text has words; the only complaints are a quote that is never closed and an ambiguous comment."""
    words: list[Word] = []
    problems: list[Problem] = []
    for piece, place, starts_line in _pieces(text, file):
        if piece["word"]:
            words.append(Word(piece["word"].replace("\r", ""), place, starts_line))
        elif piece["end"] == '"' or piece["inside"]:
            words.append(Word(_ESCAPED.sub(_unescaped, piece["inside"]), place, starts_line, quoted=True))
        if piece["quoted"] and piece["end"] != '"':
            message, hint = "this quote is never closed: the rest of the file is one word", 'write " at the end of the text'
            problems.append(Problem(Severity.WARNING, "open-quote", place, message, hint))
        if piece["glued"] and _WORDS_IN_COMMENT.search(piece["glued"]):
            message, hint = "CoreDNS reads on after the first blank of this comment", "put a blank before the #"
            problems.append(Problem(Severity.WARNING, "glued-comment", place, message, hint))
    return words, problems


def _pieces(text: str, file: str) -> Iterator[tuple[re.Match[str], Place, bool]]:
    """Each word's match with its place, and whether it begins a line."""
    start = 1 if text.startswith("\ufeff") else 0
    line, line_start, starts_line = 1, start, True
    for piece in _PIECE.finditer(text, start):
        if piece["newline"]:
            line, line_start, starts_line = line + 1, piece.end(), True
        elif piece["quoted"] or piece["word"]:
            yield piece, Place(file, line, piece.start() - line_start + 1), starts_line
            starts_line = False
            if breaks := piece[0].count("\n"):
                line, line_start = line + breaks, piece.start() + piece[0].rfind("\n") + 1


def _unescaped(escape: re.Match[str]) -> str:
    """Only a quote can be escaped; other backslashes stay."""
    return '"' if escape[1] == '"' else escape[0]
