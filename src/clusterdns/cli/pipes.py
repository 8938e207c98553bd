"""Output whose reader goes before its end, as `head` does: the end of the command, and no error to tell of."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGPIPE

READER_GONE = 128 + SIGPIPE
"""The exit code then: what shells give programs that SIGPIPE has ended."""


@contextmanager
def ended_by_reader() -> Iterator[None]:
    """Ends the process when nobody reads what is printed inside."""
    try:
        try:
            yield
        finally:
            print(end="", flush=True)
    except BrokenPipeError:
        # Python flushes once more at its end, and would tell of it.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        sys.exit(READER_GONE)
