"""Problems in a configuration: what, where, why, what to do next; all reported at once."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec


class Place(msgspec.Struct, frozen=True):
    """A point in a file: line and column count from 1. Line 0: the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Severity(Enum):
    """How bad it is: an error keeps the configuration from being used."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True):
    """One finding. `code` is stable (`unknown-directive`); `hint` says what to do next."""

    severity: Severity
    code: str
    place: Place
    message: str
    hint: str = ""


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of them keeps the configuration from being used."""
    return any(problem.severity is Severity.ERROR for problem in problems)
