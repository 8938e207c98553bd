"""A reflector on a scripted API server, read step by step by the test itself; its pauses are written down and not waited for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clusterdns.kube.access import Access, NoCredentials
from clusterdns.kube.api import Api
from clusterdns.kube.decode import Decoder
from clusterdns.kube.reflector import Event, Listed, Reflector
from clusterdns.kube.resources import watched
from clusterdns.kube.status import Seen
from clusterdns.records.options import ClusterOptions
from tests.faults.apiserver import ApiServer


class Hurried(Api):
    """Requests without the pauses between them. `pauses`: those asked for; time goes on by them."""

    def __init__(self, find: Callable[[], Access]) -> None:
        super().__init__(find)
        self.pauses: list[float] = []
        self.on_rest: Callable[[], None] = lambda: None

    def rest(self, seconds: float) -> None:
        """Does not wait."""
        self.pauses.append(seconds)
        self.on_rest()

    def clock(self) -> float:
        """Time, as far as there is any."""
        return sum(self.pauses)


class Follower:
    """The events of one kind, taken one by one."""

    def __init__(self, server: ApiServer, plural: str, options: ClusterOptions, find: Callable[[], Access] | None = None) -> None:
        resource = next(resource for resource in watched(options) if resource.plural == plural)
        self.api = Hurried(find or (lambda: Access(server.url, NoCredentials())))
        self.seen = Seen(resource.kind)
        decoder = Decoder(resource.kind, options)
        reflector = Reflector(resource, decoder, self.api, self.seen, self.api.clock, lambda least, most: (least + most) / 2)
        self._portions = reflector.events()
        self._events: Iterator[Event] = itertools.chain.from_iterable(self._portions)

    def close(self) -> None:
        """Ends it."""
        self.api.close()
        self.api.hang_up()
        self._portions.close()

    def next(self, count: int = 1) -> list[Event]:
        """The next events."""
        return list(itertools.islice(self._events, count))

    def until(self, kind: type[Event] = Listed) -> list[Event]:
        """The events up to the next one of this kind."""
        events = []
        for event in self._events:
            events.append(event)
            if isinstance(event, kind):
                return events
        raise AssertionError(f"no {kind.__name__}: {events}")


@contextmanager
def following(plural: str = "services", options: ClusterOptions = ClusterOptions(pods="verified")) -> Iterator[tuple[ApiServer, Follower]]:  # noqa: B008
    """A server, and a follower of one kind that has not asked for anything yet."""
    with ApiServer() as server:
        follower = Follower(server, plural, options)
        try:
            yield server, follower
        finally:
            follower.close()
