"""Environment variables in a Corefile: `{%NAME%}`, then `{$NAME}` (rule G4).

A variable that is not set is empty; a value may name further variables; a value stays inside its word.
"""

from __future__ import annotations

from collections.abc import Mapping

_MOST_REPLACEMENTS = 100
_MOST_CHARACTERS = 1_000_000


class EndlessVariable(ValueError):
    """Why a word cannot be finished: its variables name each other in a circle."""


def substitute(text: str, environment: Mapping[str, str]) -> str:
    """The text with its variables replaced."""
    if "{" not in text:
        return text
    return _replaced(_replaced(text, "{%", "%}", environment), "{$", "}", environment)


def _replaced(text: str, opening: str, closing: str, environment: Mapping[str, str]) -> str:
    """The text without references of this form. One without a name ends it: what follows stays as it is, as in CoreDNS."""
    for _ in range(_MOST_REPLACEMENTS):
        start = text.find(opening)
        end = text.find(closing, start) if start >= 0 else -1
        if end <= start + len(opening):
            return text
        reference = text[start : end + len(closing)]
        value = environment.get(reference[len(opening) : -len(closing)], "")
        if text.count(reference) * len(value) > _MOST_CHARACTERS:
            break
        # Bytes that are no UTF-8 reach Python as lone surrogates, which no file can hold.
        text = text.replace(reference, value.encode("utf-8", "replace").decode())
    raise EndlessVariable(f"the variables in `{text[:60]}` name each other without end")
