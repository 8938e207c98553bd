"""Waiting for an answer by asking for it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import dns.exception

from tests.servers import Running

PATIENCE = 30.0


def eventually(holds: Callable[[], bool], what: str = "it", patience: float = PATIENCE) -> float:
    """Asks until it holds; gives the seconds that it took.

    That one question of the thousands has no answer is no more than "not yet": `load.py` counts what is lost. A second one is a failure.
    """
    began = monotonic()
    unanswered = 0
    while True:
        try:
            if holds():
                return monotonic() - began
        except dns.exception.Timeout:
            unanswered += 1
            if unanswered > 1:
                raise
        if monotonic() - began > patience:
            raise AssertionError(f"{what} did not come true within {patience} s")


def synced(server: Running, zone: str = "cluster.local") -> float:
    """Waits until the server knows all: an absent name is absent, and not unknown."""
    return eventually(lambda: server.ask(f"absent.absent.svc.{zone}").rcode() == 3, "the server's sync")
