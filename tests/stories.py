"""What `explain` and `watch` print, made comparable: what differs each time is masked."""

from __future__ import annotations

import re


def without_times(text: str) -> str:
    """A text in which all times are the same, and columns, whose width follows from the times, are two blanks apart."""
    masked = re.sub(r"\b\d+ µs|\b\d+(\.\d)? ms", "N µs", text)
    return re.sub(r"(?<=\S) {2,}", "  ", masked)


def steps_of(story: str) -> list[str]:
    """The reasons of a story, one a line, without their times."""
    lines = without_times(story).partition("because\n")[2].splitlines()
    return [" ".join(line.replace("N µs", "", 1).split()) for line in lines]
