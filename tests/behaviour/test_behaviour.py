"""The gate: a server does in each scenario what CoreDNS 1.14.7 did, save for the entries of docs/differences.md.

CLUSTERDNS_SUBJECT, words that start a server (`coredns`), plays that one, as it was recorded and without accepted differences.
"""

from __future__ import annotations

import re

import pytest

from tests.behaviour.compare import differences
from tests.behaviour.conftest import Plays
from tests.behaviour.expected import FOLDER, load_patches, patched
from tests.behaviour.scenario import load, names
from tests.behaviour.subject import OTHER, lacks
from tools.console import ROOT


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", names())
def test_a_scenario_goes_as_recorded(name: str, plays: Plays) -> None:
    scenario = load(name)
    if missing := lacks(scenario):
        pytest.skip(f"by design: {'; '.join(missing)}")
    patches = {} if OTHER else load_patches(name)
    wanted = patched(scenario.recorded, patches.values())
    while (found := differences(scenario, wanted, plays.account(name))) and plays.again(name):
        pass
    assert not found, "\n".join([scenario.shows, *map(str, found)])
    for identity in patches:
        others = (patch for other, patch in patches.items() if other != identity)
        assert differences(scenario, patched(scenario.recorded, others), plays.account(name)), f"{identity} does not show any more"


@pytest.mark.skipif(bool(OTHER), reason="by design: it is a difference of clusterdns")
def test_D19_udp_questions_come_from_ports_that_cannot_be_guessed(plays: Plays) -> None:
    asked = [event for told in plays.account("cache-disable")["steps"] for event in told.get("upstream", {}).get("UPSTREAM1", ())]
    assert {event["proto"] for event in asked} == {"udp"}
    assert len({event["sock"] for event in asked}) > 1


def test_an_accepted_difference_is_one_of_a_scenario_and_is_told() -> None:
    told = set(re.findall(r"^\| (D\d+) ", (ROOT / "docs/differences.md").read_text(), re.MULTILINE))
    for path in FOLDER.glob("*.json"):
        assert path.stem in names()
        assert set(load_patches(path.stem)) <= told, path.name
