"""How long clusterdns takes from its start until it answers, and what that costs."""

from __future__ import annotations

import time
from statistics import median
from typing import NamedTuple

from bench.cluster import Size
from bench.processes import cpu_seconds, memory
from bench.rows import BUDGETED, START_CPU_SECONDS, START_RESIDENT_MB
from bench.subjects import Place, clusterdns


class Start(NamedTuple):
    """A start: seconds until ready, of CPU until then, and memory in MB."""

    size: Size
    seconds: float
    cpu_seconds: float
    resident_mb: float
    peak_mb: float

    @property
    def passes(self) -> bool | None:
        """Whether it keeps the budget, which there is for one size."""
        if self.size != BUDGETED:
            return None
        return self.cpu_seconds <= START_CPU_SECONDS and self.resident_mb <= START_RESIDENT_MB


def measure_start(place: Place, rounds: int) -> Start:
    """The median of some starts."""
    starts = [_start(place) for _ in range(rounds)]
    return Start(place.size, *(median(values) for values in list(zip(*starts, strict=True))[1:]))


def _start(place: Place) -> Start:
    started = time.monotonic()
    with clusterdns("cluster", place) as subject:
        seconds = time.monotonic() - started
        pid = subject.process.pid
        return Start(place.size, seconds, cpu_seconds(pid), *memory(pid))
