"""How many cached answers a server gives within a small share of a CPU, as containers have it (KEP-1024's test)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.measure import ask_for
from bench.rows import QUOTA_CPUS, QUOTA_SHARE, SATURATED, Row
from bench.subjects import Subject
from tools.console import Failed

GROUP = "clusterdns-bench"
PERIOD_US = 100_000
LEAST_SECONDS = 3.0
"""The kernel grants the share period by period."""


class Throttled(NamedTuple):
    """A server's answers in a second. `share`: of the echo's."""

    subject: str
    per_second: float
    share: float

    @property
    def passes(self) -> bool | None:
        """Whether it keeps its budget; only we have one."""
        return self.share >= QUOTA_SHARE if self.subject == "clusterdns" else None


def measure_quota(
    row: Row, questions: Path, running: Sequence[Subject], rounds: int, seconds: float, say: Callable[[str], None]
) -> Iterator[Throttled]:
    """All subjects in turn, and again; shares are of the echo of the same round."""
    taken: dict[str, list[float]] = {subject.name: [] for subject in running}
    for number in range(rounds):
        for subject in running:
            with quota(subject.process.pid, QUOTA_CPUS):
                # Who is kept waiting answers late: too late for some.
                taken[subject.name].append(ask_for(subject, row, SATURATED, questions, max(seconds, LEAST_SECONDS)).per_second)
        counts = ", ".join(f"{name} {figures[-1]:,.0f}" for name, figures in taken.items())
        say(f"{QUOTA_CPUS * 1000:.0f}m of a CPU, round {number + 1} of {rounds}, answers a second: {counts}")
    for name, figures in taken.items():
        shares = [one / base for one, base in zip(figures, taken["echo"], strict=True)]
        yield Throttled(name, median(figures), median(shares))


@contextmanager
def quota(pid: int, cpus: float) -> Iterator[None]:
    """Keep a process to a share of a CPU during the block. Raises `Failed` where control groups cannot be made."""
    allowed = round(PERIOD_US * cpus)
    first, second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    root, limits = (
        (first, {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(allowed)})
        if first.is_dir()
        else (second, {"cpu.max": f"{allowed} {PERIOD_US}"})
    )
    group = root / f"{GROUP}-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as why:
        raise Failed(
            f"no control group can be made here ({why}), so nothing is kept to a share of a CPU: be root, or leave it out"
        ) from why
    try:
        for name, value in limits.items():
            (group / name).write_text(value)
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        (root / "cgroup.procs").write_text(str(pid))
        group.rmdir()
