"""The scenarios that need no sockets, on the simulator: there time passes exactly, and at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.behaviour.compare import Tolerance, differences
from tests.behaviour.expected import expected
from tests.behaviour.missing import missing
from tests.behaviour.scenario import load, names
from tests.behaviour.simulated import build, can_simulate, simulate

pytestmark = pytest.mark.timeout(600)  # the first one may have to build the simulator


@pytest.fixture(scope="session")
def simulator() -> Path:
    return build()


PLAYED = [name for name in names() if not missing(load(name)) and can_simulate(load(name))]


@pytest.mark.parametrize("machines", [1, 2])
@pytest.mark.parametrize("name", PLAYED)
def test_a_scenario_goes_as_recorded(name: str, machines: int, simulator: Path) -> None:
    scenario = load(name)
    wanted = expected(scenario)
    played = {"start": wanted["start"], "steps": simulate(scenario, simulator, machines)}
    found = differences(scenario, wanted, played, Tolerance(seconds=0.1, ttl=0, connections=machines))
    assert not found, "\n".join([scenario.shows, *map(str, found)])


def test_what_passes_time_is_among_them() -> None:
    assert {"cache-ageing", "cache-serve-stale-window", "cache-prefetch-burst", "forward-first-drops", "forward-expire"} <= set(PLAYED)
    assert len(PLAYED) >= 105
