"""A large cluster in a real API server: all is answered, in bounded memory, and a storm of changes shows nothing that was never true."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from random import Random
from time import monotonic, sleep

import pytest

from bench.cluster import HEADLESS, SHAPES, STATEFUL, Object, Size, endpoint_slice, service_name
from bench.plane import Writer
from bench.processes import memory
from clusterdns.records.options import ClusterOptions
from tests.controlplane.binary import Unavailable
from tests.controlplane.eventually import eventually, synced
from tests.controlplane.fresh import differences, questions_about, reference
from tests.controlplane.load import Load, Truth
from tests.controlplane.plane import ControlPlane, running
from tests.servers import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SIZE = Size(services=10_000, endpoints=100_000)
ENDPOINTS = SIZE.endpoints // SIZE.services
OPTIONS = ClusterOptions(ttl=30)
SEED = 53
SAMPLE = 60
MOST_MEGABYTES = 110.0
"""What the large cluster may take (docs/performance.md), listing it and the storm included. It took 82 MB at its peak."""

RATE, CHANGES, WRITERS, TARGETS = 270, 2700, 4, 60
STORM_LATE = 3.0
"""Seconds that an answer may be behind the API server in the storm, on a machine that others use too."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ControlPlane, Writer]]:
    """A control plane with a large cluster in it, and who has written it: making it takes longer than all tests that look at it."""
    try:
        with running(tmp_path_factory.mktemp("large")) as plane:
            writer = Writer(plane)
            with closing(writer):
                writer.fill(SIZE)
                yield plane, writer
    except Unavailable as why:
        pytest.skip(str(why))


def corefile(plane: ControlPlane) -> str:
    """A Corefile that follows all of it, with names and addresses."""
    kubernetes = f"kubernetes cluster.local in-addr.arpa {{\n kubeconfig {plane.kubeconfig('dns')}\n ttl {OPTIONS.ttl}\n }}"
    return f".:PORT {{\n bind 127.0.0.1\n {kubernetes}\n}}\n"


def test_all_answers_of_a_sample_are_those_of_a_fresh_list(filled: tuple[ControlPlane, Writer], tmp_path: Path) -> None:
    plane, _ = filled
    sample = {service_name(number) for number in Random(SEED).sample(range(SIZE.services), SAMPLE)}
    with serving(tmp_path, corefile(plane)) as server:
        synced(server)
        expected = reference(plane, OPTIONS, sample)
        questions = list(questions_about(expected))
        assert len(questions) > 40 * SAMPLE
        assert differences(server, expected, questions) == []
        assert memory(server.process.pid)[1] < MOST_MEGABYTES


class Target:
    """A headless Service whose first and last endpoint get other addresses, both at once. `truths`: what its names are."""

    numbers = count()

    def __init__(self, number: int) -> None:
        shape = SHAPES[number % len(SHAPES)]
        before = sum(SHAPES[earlier % len(SHAPES)].share for earlier in range(number)) * ENDPOINTS
        self.slice: Object = endpoint_slice(number, before, ENDPOINTS * shape.share)
        self.service = service_name(number)
        space, name = self.service
        below = f"{name}.{space}.svc.cluster.local"
        self._all = Truth(*self._addresses())
        self.truths = {below: self._all}
        self._first = Truth(self._addresses()[0])
        if shape.hostnames:
            self.truths[f"{self.slice['endpoints'][0]['hostname']}.{below}"] = self._first

    def change(self, writer: Writer) -> None:
        """Changes it; returns when the API server has it."""
        number = next(Target.numbers)
        endpoints = [dict(endpoint) for endpoint in self.slice["endpoints"]]
        endpoints[0]["addresses"] = [f"10.{200 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"]
        endpoints[-1]["addresses"] = [f"10.{220 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"]
        self.slice["endpoints"] = endpoints
        with ExitStack() as becoming:
            becoming.enter_context(self._all.becoming(*self._addresses()))
            becoming.enter_context(self._first.becoming(self._addresses()[0]))
            writer.change(self.slice, {"endpoints": endpoints})

    def _addresses(self) -> list[str]:
        return [address for endpoint in self.slice["endpoints"] for address in endpoint["addresses"]]


def blow(writer: Writer, targets: list[Target]) -> None:
    """The storm: changes of these Services, as many a second as wanted, or as the API server takes."""
    began = monotonic()

    def write(which: int) -> None:
        mine = targets[which::WRITERS]
        for number in range(CHANGES // WRITERS):
            sleep(max(0.0, began + number * WRITERS / RATE - monotonic()))
            mine[number % len(mine)].change(writer)

    with ThreadPoolExecutor(WRITERS) as pool:
        for one in [pool.submit(write, which) for which in range(WRITERS)]:
            one.result()


def test_a_storm_shows_no_answer_that_was_never_true(filled: tuple[ControlPlane, Writer], tmp_path: Path) -> None:
    plane, writer = filled
    headless = [number for number in range(SIZE.services) if number % len(SHAPES) in (HEADLESS, STATEFUL)]
    targets = [Target(number) for number in Random(SEED).sample(headless, TARGETS)]
    expected = {name: truth for target in targets for name, truth in target.truths.items()}
    with serving(tmp_path, corefile(plane)) as server:
        synced(server)
        with Load(server.port, expected, STORM_LATE) as load:
            blow(writer, targets)
        assert load.asked > 1000
        assert (load.lost, load.wrong) == (0, {})
        fresh = reference(plane, OPTIONS, {target.service for target in targets})
        changed = [(f"{name}.", "A") for name in expected]
        eventually(lambda: not differences(server, fresh, changed), "the last changes")
        assert differences(server, fresh, questions_about(fresh)) == []
        assert memory(server.process.pid)[1] < MOST_MEGABYTES
