"""How the set-up speaks: one line per step on stderr; on a terminal that line also shows what the step is doing."""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "target/set-up.log"


class Failed(Exception):
    """What could not be done and what to do about it, in one line."""


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


def step(title: str, command: Sequence[str | Path], hint: str, environment: Mapping[str, str] | None = None) -> None:
    """Run one step. Its output goes to the log; when it fails, the end of it is shown and `hint` says what to do."""
    started = time.monotonic()
    if not sys.stderr.isatty():
        say(f"set-up: {title}")
    code, tail = _run_logged(title, command, environment)
    if code:
        say("\n" + tail.rstrip())
        raise Failed(f"{title} did not work: {hint} (all of its output: {LOG})")
    if sys.stderr.isatty():
        _rewrite_line(f"set-up: {title}, {time.monotonic() - started:.0f} s\n")


def _run_logged(title: str, command: Sequence[str | Path], environment: Mapping[str, str] | None) -> tuple[int, str]:
    """The exit code of a command and the last lines that it wrote."""
    LOG.parent.mkdir(exist_ok=True)
    tail: deque[str] = deque(maxlen=20)
    with (
        LOG.open("a") as log,
        Popen(command, env=environment, cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, text=True, errors="replace") as child,
    ):
        for line in child.stdout or ():
            log.write(line)
            tail.append(line)
            if sys.stderr.isatty() and line.strip():
                _rewrite_line(f"set-up: {title}: {line.strip()}")
    return child.returncode, "".join(tail)


def _rewrite_line(text: str) -> None:
    """Put a text in the place of the terminal's current line, cut to its width."""
    width = shutil.get_terminal_size().columns - 1
    cut = text if text.endswith("\n") else text[:width]
    sys.stderr.write(f"\r\x1b[K{cut}")
    sys.stderr.flush()
