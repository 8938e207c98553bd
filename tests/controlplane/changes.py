"""A Service whose addresses change all the time, as long as the API server takes changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from itertools import count
from threading import Event, Thread
from types import TracebackType

from tests.controlplane.load import Truth
from tests.controlplane.objects import endpoint_slice, service
from tests.controlplane.plane import ControlPlane

EVERY_SECONDS = 0.05


class Changes:
    """The headless Service `moving` of the namespace `shop`, two endpoints of which get new addresses, both at once, until it is left.

    `expected`: what its names are. A change that the API server did not confirm may have happened or not.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self.done = 0
        self._plane = plane
        self._numbers = count()
        self._all, self._first = Truth(), Truth()
        self.expected = {"moving.shop.svc.cluster.local": self._all, "h0.moving.shop.svc.cluster.local": self._first}
        self._over = Event()
        self._thread = Thread(target=self._change_forever, daemon=True)
        plane.put(service("shop", "moving", "None"))
        self.change()

    def __enter__(self) -> Changes:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def change(self) -> None:
        """One change; returns when the API server has it."""
        number = next(self._numbers)
        self.become([f"10.{200 + half}.{number >> 8 & 255}.{number & 255}" for half in range(2)])

    def become(self, addresses: list[str]) -> None:
        """Gives it these addresses."""
        with self.becoming(addresses):
            self._plane.put(endpoint_slice("shop", "moving-1", "moving", addresses, hostnames=True))
        self.done += 1

    @contextmanager
    def becoming(self, addresses: list[str]) -> Iterator[None]:
        """Around something that gives it these addresses."""
        with self._all.becoming(*addresses), self._first.becoming(addresses[0]):
            yield

    def _change_forever(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            try:
                self.change()
            except (OSError, HTTPException, AssertionError, ValueError):
                continue  # it is away
