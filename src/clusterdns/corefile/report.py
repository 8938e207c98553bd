"""Problems for people (text with the line and a caret) and for programs (JSON).

Must not know where the problems come from or where the report goes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from clusterdns.corefile.problems import Place, Problem, Severity

_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"?|[^\s#]+')


def text_report(problems: Iterable[Problem], texts: Mapping[str, str], *, colour: bool = False) -> str:
    """Each problem with its place, its line, a caret and what to do next. `texts`: the files by path."""
    return "\n".join(line for problem in problems for line in _paragraph(problem, texts, colour)) + "\n"


def json_report(problems: Iterable[Problem]) -> str:
    """The same as one JSON object."""
    return json.dumps({"problems": [_record(problem) for problem in problems]}, ensure_ascii=False, indent=2) + "\n"


def _record(problem: Problem) -> dict[str, str | int]:
    """One problem as JSON has it."""
    place = problem.place
    return {
        "severity": problem.severity.value,
        "code": problem.code,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "message": problem.message,
        "hint": problem.hint,
    }


def _paragraph(problem: Problem, texts: Mapping[str, str], colour: bool) -> Iterator[str]:
    """The lines for one problem."""

    def painted(text: str, sequence: str) -> str:
        """The text in a colour, where colours are wanted."""
        return f"{sequence}{text}{_PLAIN}" if colour else text

    severity = painted(problem.severity.value, _COLOURS[problem.severity])
    yield f"{painted(str(problem.place), _BOLD)}: {severity}: {problem.message} {painted(f'[{problem.code}]', _DIM)}"
    if source := _source_line(problem.place, texts):
        number = str(problem.place.line)
        yield f"{number:>5} | {source}"
        yield f"{'':>5} | {painted(_caret(source, problem.place.column), _COLOURS[problem.severity])}"
    if problem.hint:
        yield f"{'':>5} = {problem.hint}"


def _source_line(place: Place, texts: Mapping[str, str]) -> str:
    """The line that a place points to; empty if there is none."""
    lines = texts.get(place.file, "").removeprefix("\ufeff").split("\n")
    return lines[place.line - 1].rstrip() if 0 < place.line <= len(lines) else ""


def _caret(source: str, column: int) -> str:
    """Marks for the word at this column, below it; tabs stay, so that the marks stand where the word does."""
    word = _WORD.match(source, column - 1)
    indent = "".join("\t" if character == "\t" else " " for character in source[: column - 1])
    return indent + "^" + "~" * (len(word[0]) - 1 if word else 0)
