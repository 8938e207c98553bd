"""What a server costs that has nothing to do, with a full cache: its memory, and the CPU that it uses all the same."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.processes import memory, spent
from bench.rows import CACHE_RESIDENT_MB
from bench.subjects import Subject

SECONDS = 5.0


class Idle(NamedTuple):
    """Microseconds of CPU in a second, memory and its peak in MB."""

    subject: str
    cpu_us: float
    resident_mb: float
    peak_mb: float

    @property
    def passes(self) -> bool | None:
        """Whether its memory is within the budget; only we have one."""
        return self.resident_mb <= CACHE_RESIDENT_MB if self.subject == "clusterdns" else None


def measure_idle(running: Sequence[Subject]) -> Iterator[Idle]:
    """All subjects at once: nobody is asked anything."""
    before = {subject.name: spent(subject.process.pid) for subject in running}
    time.sleep(SECONDS)
    for subject in running:
        used = spent(subject.process.pid).since(before[subject.name])
        yield Idle(subject.name, used.running * 1e6 / SECONDS, *memory(subject.process.pid))
