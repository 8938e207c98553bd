"""What fills a zone: a feed is polled when it is due, and gives a transaction when something has changed.

A directive whose zone has a feed has a row in `FEEDS`. Must not know single directives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Protocol

import msgspec

from clusterdns.control.origins import Origins
from clusterdns.corefile.problems import Problem
from clusterdns.directives import block
from clusterdns.metrics import Metrics
from clusterdns.zones import ZoneChange

FEEDS = {
    "kubernetes": "clusterdns.control.clusterfeed",
    "hosts": "clusterdns.control.hostsfeed",
}
"""Directives whose zones have feeds, and the modules (`FeedModule`) that make them."""


class Fed(msgspec.Struct, frozen=True):
    """A transaction, what was found to be wrong that had not been said before, lines for the log, and whether there is more at once."""

    change: ZoneChange | None
    problems: tuple[Problem, ...] = ()
    lines: tuple[str, ...] = ()
    more: bool = False


class Feed(Protocol):
    """What fills a zone of a directive. `patience`: for how many seconds a reload waits until it is `filled`.

    `hindrance`: why nothing at all can be had of some of its data; empty once all has been begun with.
    """

    directive: str
    zone: str
    filled: bool

    @property
    def patience(self) -> float:
        """See above."""

    @property
    def hindrance(self) -> str:
        """See above."""

    def start(self) -> None:
        """Begins to look."""

    def due(self) -> float:
        """When to poll, by the monotonic clock."""

    def poll(self, serial: int) -> Fed:
        """What has changed since the last time; `serial` for the zone if something has."""

    def taken_up(self, around: Surroundings) -> None:
        """A configuration that has this feed runs from now on, the first one or another: what is looked at once only is looked at again."""

    def undo(self) -> None:
        """The last transaction could not be applied: it is given again."""

    def close(self) -> None:
        """Ends looking, and lets go of the objects."""


class Surroundings(msgspec.Struct, frozen=True):
    """What feeds share with the server: its own addresses, the table of who made a record, how to be polled at once, and metrics.

    `own_addresses`: those at which it answers from a zone. `names`: what zones are called there (`zone_names`).
    """

    own_addresses: Callable[[str], Sequence[str]]
    origins: Origins
    wake: Callable[[], None]
    metrics: Metrics
    names: Mapping[str, str]


class NoFeedError(Exception):
    """There is nothing that could fill the zone; the message says why."""


class FeedModule(Protocol):
    """A module that makes the feeds of a directive. `OPTIONS`: the type of what the directive says about them."""

    OPTIONS: type[msgspec.Struct]

    def new_feed(self, wanted: block.Feed, around: Surroundings) -> Feed:
        """The feed that a directive wants. Raises `NoFeedError`."""


def zone_names(feeds: Iterable[block.Feed]) -> dict[str, str]:
    """What people call the zones, by identity: as the Corefile does, numbered from the second one on where several have the same name."""
    names: dict[str, str] = {}
    times: Counter[str] = Counter()
    for feed in feeds:
        times[feed.name] += 1
        names[feed.zone] = feed.name if times[feed.name] == 1 else f"{feed.name}#{times[feed.name]}"
    return names


def feed_module(directive: str) -> FeedModule:
    """The module that makes a directive's feeds. Only those that a Corefile uses are imported. Raises `KeyError`."""
    module: FeedModule = import_module(FEEDS[directive])
    return module
