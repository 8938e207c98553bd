"""The server that is played: ours, or the one that CLUSTERDNS_SUBJECT names."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tests.behaviour.missing import missing
from tests.behaviour.scenario import Scenario

OTHER = os.environ.get("CLUSTERDNS_SUBJECT", "")
COMMAND = shlex.split(OTHER) or [str(Path(sys.executable).with_name("coredns")), "-admin", "unix:${DIR}/admin.sock"]
"""The words that start it."""


def lacks(scenario: Scenario) -> list[str]:
    """What it does not have yet that the scenario needs."""
    return [] if OTHER else missing(scenario)
