"""Waiting for an answer by asking for it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from tests.servers import Running

PATIENCE = 30.0


def eventually(holds: Callable[[], bool], what: str = "it", patience: float = PATIENCE) -> float:
    """Asks until it holds; gives the seconds that it took."""
    began = monotonic()
    while not holds():
        if monotonic() - began > patience:
            raise AssertionError(f"{what} did not come true within {patience} s")
    return monotonic() - began


def synced(server: Running, zone: str = "cluster.local") -> float:
    """Waits until the server knows all: an absent name is absent, and not unknown."""
    return eventually(lambda: server.ask(f"absent.absent.svc.{zone}").rcode() == 3, "the server's sync")
