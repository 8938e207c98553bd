"""One real control plane for all tests of this folder that can share it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane.binary import Unavailable
from tests.controlplane.fixture import load_recorded
from tests.controlplane.plane import ControlPlane, running


@pytest.fixture(scope="session")
def recorded_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The recorded cluster in a real API server; tests leave it as it is."""
    try:
        with running(tmp_path_factory.mktemp("recorded")) as plane:
            load_recorded(plane)
            yield plane
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """An API server of the test's own."""
    directory = tmp_path / "plane"
    directory.mkdir()
    try:
        with running(directory) as plane:
            yield plane
    except Unavailable as why:
        pytest.skip(str(why))
