"""One engine for all rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rules.cluster import Clusters


@pytest.fixture(scope="session")
def clusters() -> Iterator[Clusters]:
    """Serves one cluster at a time."""
    engine = Clusters()
    yield engine
    engine.stop()
