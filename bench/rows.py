"""What is measured: the rows of the table, the questions of each, and the budgets.

The figures of CoreDNS and node-cache were recorded together with the echo of their run, so they stand here as ratios.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Literal, NamedTuple

from bench.cluster import CLUSTER_IP, HEADLESS, SHAPES, Size, service_name

NAMES = 1000
"""Different names in the questions of a row about a cluster."""
CACHED_NAMES = 10_000
"""And of one about a cache."""

SEED = 53

Setup = Literal["cluster", "cache", "cache-tcp"]
"""What the subjects do: answer for a cluster, or keep what an upstream says, which they ask over UDP or TCP."""


class Pace(NamedTuple):
    """How fast questions come; `rate` 0: as fast as answers do."""

    name: str
    rate: int


class Row(NamedTuple):
    """One kind of question to one kind of server, and at which paces.

    `budget`, by pace: CPU per answer as a multiple of that of `beside`. `recorded`: what an incumbent's was to the echo.
    """

    name: str
    title: str
    setup: Setup
    paces: tuple[Pace, ...]
    budget: Mapping[str, float]
    recorded: Mapping[str, tuple[str, float]] = {}
    shape: int = CLUSTER_IP
    absent: bool = False
    edns: int = 0
    rcode: int = 0
    beside: str = "echo"
    new_names: bool = False


SATURATED = Pace("saturation", 0)
PACED = Pace("20,000 q/s", 20_000)
CALM = Pace("500 q/s", 500)
BOTH = (SATURATED, PACED)


def _by_pace(saturated: float, paced: float) -> dict[str, float]:
    return {SATURATED.name: saturated, PACED.name: paced}


def _coredns(saturated: float, paced: float) -> dict[str, tuple[str, float]]:
    return {SATURATED.name: ("CoreDNS", saturated), PACED.name: ("CoreDNS", paced)}


ROWS = (
    Row("cluster-ip", "ClusterIP A", "cluster", BOTH, _by_pace(1.4, 1.25), _coredns(26 / 4.5, 47 / 11)),
    Row("headless", "headless A, 10 endpoints", "cluster", BOTH, _by_pace(1.7, 1.25), _coredns(41 / 4.5, 59 / 11), shape=HEADLESS),
    Row("headless-edns", "the same with EDNS 1232", "cluster", BOTH, _by_pace(1.7, 1.25), shape=HEADLESS, edns=1232),
    Row("nxdomain", "NXDOMAIN", "cluster", BOTH, _by_pace(1.4, 1.25), _coredns(22 / 4.5, 46 / 11), absent=True, rcode=3),
    Row("cached", "cached A, 10,000 names", "cache", (*BOTH, CALM), _by_pace(1.3, 1.25), _coredns(19.5 / 4.3, 40 / 11)),
    Row("miss-udp", "cache miss, UDP upstream", "cache", (SATURATED,), {SATURATED.name: 1.0}, beside="unbound", new_names=True),
    Row("miss-tcp", "cache miss, TCP upstream", "cache-tcp", (SATURATED,), {SATURATED.name: 0.75}, beside="unbound", new_names=True),
)


def row_named(name: str) -> Row:
    """The row of this name."""
    return next(row for row in ROWS if row.name == name)


START = "start"
"""The name of the rows about starting."""
QUOTA = "quota"
"""The name of the row about a small share of a CPU."""
IDLE = "idle"
"""The name of the row about having nothing to do."""
RELOAD = "reload"
"""The name of the row about changes of configuration under load."""

LIVE = "live"
"""The name of the rows about following an API server."""

START_CPU_SECONDS = 1.35
START_RESIDENT_MB = 110
"""Budgets for 10,000 Services with 100,000 endpoints: 1.5 times the 0.9 s that CoreDNS needed at most, and its 206 MB nearly halved."""

QUOTA_CPUS = 0.05
QUOTA_SHARE = 0.75
"""Of the echo's answers within that share of a CPU (the test of KEP-1024), and no fewer than unbound's."""

CACHE_RESIDENT_MB = 30
"""With 10,000 names in the cache; node-cache took 57."""

BUDGETED = Size(10_000, 100_000)


def questions(row: Row, size: Size) -> Iterator[str]:
    """The lines of a row's questions: names all over the cluster, or of the world; the same each time."""
    if row.new_names:
        yield "n########.miss.example.org A"
    elif row.setup != "cluster":
        yield from (f"name{number}.group{number % 100}.example.org A" for number in range(CACHED_NAMES))
    else:
        numbers = range(row.shape, size.services, len(SHAPES))
        for number in Random(SEED).sample(numbers, min(NAMES, len(numbers))):
            space, name = service_name(number)
            yield f"{'absent' if row.absent else 'service'}{name.removeprefix('service')}.{space}.svc.cluster.local A"
