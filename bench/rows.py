"""What is measured: the rows of the table, the questions of each, and the budgets.

The figures of CoreDNS were recorded together with the echo of their run, so they stand here as ratios.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from bench.cluster import CLUSTER_IP, HEADLESS, SHAPES, Size, service_name

NAMES = 1000
"""Different names in the questions of a row."""

SEED = 53


class Pace(NamedTuple):
    """How fast questions come; `rate` 0: as fast as answers do."""

    name: str
    rate: int


class Row(NamedTuple):
    """One kind of question. `coredns` and `budget`: by pace, CPU per answer as a multiple of the echo's."""

    name: str
    title: str
    shape: int
    absent: bool
    edns: int
    rcode: int
    budget: dict[str, float]
    coredns: dict[str, float]


SATURATED = Pace("saturation", 0)
PACED = Pace("20,000 q/s", 20_000)
PACES = (SATURATED, PACED)


def _by_pace(saturated: float, paced: float) -> dict[str, float]:
    return {SATURATED.name: saturated, PACED.name: paced}


ROWS = (
    Row("cluster-ip", "ClusterIP A", CLUSTER_IP, False, 0, 0, _by_pace(1.4, 1.25), _by_pace(26 / 4.5, 47 / 11)),
    Row("headless", "headless A, 10 endpoints", HEADLESS, False, 0, 0, _by_pace(1.7, 1.25), _by_pace(41 / 4.5, 59 / 11)),
    Row("headless-edns", "the same with EDNS 1232", HEADLESS, False, 1232, 0, _by_pace(1.7, 1.25), {}),
    Row("nxdomain", "NXDOMAIN", CLUSTER_IP, True, 0, 3, _by_pace(1.4, 1.25), _by_pace(22 / 4.5, 46 / 11)),
)
START = "start"
"""The name of the rows about starting."""

START_CPU_SECONDS = 1.35
START_RESIDENT_MB = 110
"""Budgets for 10,000 Services with 100,000 endpoints: 1.5 times the 0.9 s that CoreDNS needed at most, and its 206 MB nearly halved."""

BUDGETED = Size(10_000, 100_000)


def questions(row: Row, size: Size) -> Iterator[str]:
    """The lines of a row's questions: names all over the cluster, the same each time."""
    numbers = range(row.shape, size.services, len(SHAPES))
    for number in Random(SEED).sample(numbers, min(NAMES, len(numbers))):
        space, name = service_name(number)
        yield f"{'absent' if row.absent else 'service'}{name.removeprefix('service')}.{space}.svc.cluster.local A"
