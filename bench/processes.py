"""Processes that are measured: each on a core of its own, never outliving us; their CPU time and memory from /proc."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tools.children import PR_SET_PDEATHSIG, end

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
NANOSECONDS = 1e9
MEGABYTE = 1 << 20
CALM, CALM_SECONDS = 0.9, 0.3
"""The cores are calm when they have been idle for this share of so many seconds."""

Process = subprocess.Popen[bytes]


class Spent(NamedTuple):
    """Seconds that a process has run, and those that it could have run while somebody else did."""

    running: float
    waiting: float

    def since(self, before: Spent) -> Spent:
        """The difference."""
        return Spent(self.running - before.running, self.waiting - before.waiting)


@contextmanager
def pinned(core: int, command: Sequence[str | Path], log: Path) -> Iterator[Process]:
    """Run a program on one core during the block; what it says goes to a file."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=lambda: _bind(core))
    try:
        yield process
    finally:
        end(process)


def start_pinned(core: int, command: Sequence[str | Path]) -> Process:
    """Start a program on one core; what it writes can be read."""
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, preexec_fn=lambda: _bind(core))


def run_pinned(core: int, command: Sequence[str | Path]) -> bytes:
    """Run a program on one core to its end, and return what it wrote. Raises `CalledProcessError`."""
    with start_pinned(core, command) as process:
        said, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return said


def spent(pid: int) -> Spent:
    """The time of the threads that a process has now, in nanosecond steps; those of threads that have ended are not in it."""
    threads = [file.read_text().split() for file in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return Spent(sum(int(words[0]) for words in threads) / NANOSECONDS, sum(int(words[1]) for words in threads) / NANOSECONDS)


def cpu_seconds(pid: int) -> float:
    """The time of all threads that a process ever had, in steps of 10 ms."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> tuple[float, float]:
    """Resident memory and its peak, in MB of 2**20 bytes."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    resident, peak = (int(lines[key].split()[0]) * 1024 / MEGABYTE for key in ("VmRSS", "VmHWM"))
    return resident, peak


class Patience:
    """How long, in all, a bench may wait for a machine that others use too."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def wait_for_calm(self) -> bool:
        """Wait until the cores are idle for a moment; whether they were before the patience was over."""
        while self._left > 0:
            before, started = _idle_seconds(), time.monotonic()
            time.sleep(CALM_SECONDS)
            elapsed = time.monotonic() - started
            self._left -= elapsed
            if (_idle_seconds() - before) / (elapsed * (os.cpu_count() or 1)) > CALM:
                return True
        return False


def _idle_seconds() -> float:
    """Seconds for which cores had nothing to do, all together, since the machine started."""
    words = Path("/proc/stat").read_text().split(maxsplit=6)
    return (int(words[4]) + int(words[5])) / os.sysconf("SC_CLK_TCK")


def _bind(core: int) -> None:
    """In the child: stay on that core, and end when we do."""
    os.sched_setaffinity(0, {core})
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
