"""Patterns: regular expressions as Corefiles have them, in Go's syntax (RE2).

The engine runs them, so its parser (`crates/core/src/pattern`) says what is one: a second parser would not always agree. It is a
function of the text alone, and the only thing that is asked of the extension module here.
"""

from __future__ import annotations

import msgspec


class Pattern(msgspec.Struct, frozen=True):
    """A pattern that the engine can use. `groups`: the names of its groups from the first on, "" for one without a name."""

    text: str
    groups: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> Pattern:
        """A pattern from its text. Raises `ValueError` with what is wrong with it."""
        from clusterdns._engine import read_pattern  # only those who use patterns pay for loading it

        try:
            return Pattern(text, tuple(read_pattern(text)))
        except ValueError as problem:
            raise ValueError(f"`{text[:_TOLD]}` is no regular expression: {problem}") from None

    def __str__(self) -> str:
        return self.text


_TOLD = 80
"""How many characters of a wrong pattern its problem shows."""
