"""What fills a zone: a feed is polled when it is due, and gives a transaction when something has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from clusterdns.corefile.problems import Problem
from clusterdns.zones import ZoneChange


@dataclass(frozen=True)
class Fed:
    """A transaction, what was found to be wrong that had not been said before, lines for the log, and whether there is more at once."""

    change: ZoneChange | None
    problems: tuple[Problem, ...]
    lines: tuple[str, ...] = ()
    more: bool = False


class Feed(Protocol):
    """What fills a zone. `patience`: for how many seconds a reload waits until it is `filled`."""

    zone: str
    filled: bool

    @property
    def patience(self) -> float:
        """See above."""

    def start(self) -> None:
        """Begins to look."""

    def due(self) -> float:
        """When to poll, by the monotonic clock."""

    def poll(self, serial: int) -> Fed:
        """What has changed since the last time; `serial` for the zone if something has."""

    def undo(self) -> None:
        """The last transaction could not be applied: it is given again."""

    def close(self) -> None:
        """Ends looking, and lets go of the objects."""
