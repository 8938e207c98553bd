"""Child processes that live as long as a block of code, and never longer than we do."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

PR_SET_PDEATHSIG = 1
PATIENCE = 10.0


@contextmanager
def child(program: Path, *arguments: str, stdout: TextIO | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program during the block. It is in a process group of its own: Ctrl-C reaches us alone, and we end it."""
    parent = os.getpid()

    def end_with_parent() -> None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # we ended before the line above
            os._exit(1)

    command: list[str | Path] = [program, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, process_group=0, preexec_fn=end_with_parent)
    try:
        yield process
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and insist when it does not."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
