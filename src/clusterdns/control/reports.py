"""What is told of objects that are broken: each once, until it is mended, and not without end.

Knows which words have been told of which object. Must not know what is wrong with objects, or how it is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from clusterdns.cluster import Ref
from clusterdns.records.oddities import Oddity

# A cluster full of nonsense does not fill the log, nor the memory.
MOST_TOLD = 1000
LONGEST = 200


class Reports:
    """Lines about objects. `which`: what is wrong with them, in words. `metric`: where to see of how many."""

    def __init__(self, which: str, metric: str, most: int = MOST_TOLD) -> None:
        self._which = which
        self._metric = metric
        self._most = most
        self._told: dict[Ref | str, frozenset[str]] = {}
        self._count = 0
        self._is_full = False

    def __len__(self) -> int:
        """How much is remembered."""
        return self._count

    def tell(self, thing: Ref | str, ways: Iterable[str], words: str) -> tuple[str, ...]:
        """The line to be said of an object, if it is broken in a way that it was not before. What has no name stands for its kind."""
        told = self._told.get(thing, frozenset())
        new = frozenset(ways) - told
        if not new:
            return ()
        if self._count + len(new) > self._most:
            return self._tell_that_no_more_is()
        self._told[thing] = told | new
        self._count += len(new)
        return (f"{thing}: {words}",)

    def mended(self, thing: Ref) -> None:
        """An object is in order, or gone: if it is broken once more, it is told of once more."""
        self._count -= len(self._told.pop(thing, ()))
        # Not at each one that comes and goes at the limit.
        if self._count <= self._most // 2:
            self._is_full = False

    def refs(self, kind: str) -> Iterator[Ref]:
        """The objects of a kind that have been told of, and are still broken as far as is known."""
        return (thing for thing in self._told if isinstance(thing, Ref) and thing.kind == kind)

    def _tell_that_no_more_is(self) -> tuple[str, ...]:
        if self._is_full:
            return ()
        self._is_full = True
        told = f"{len(self._told)} of the objects that {self._which} have been told of"
        return (f"{told}, and no more are until some are mended or gone: see {self._metric}",)


def describe(oddities: Iterable[Oddity]) -> tuple[frozenset[str], str]:
    """What one object holds that DNS cannot say: the fields, in a list all the same one, and the first of each in words."""
    by_field: dict[str, list[Oddity]] = {}
    for oddity in oddities:
        by_field.setdefault(_INDEX.sub("[]", oddity.field), []).append(oddity)
    return frozenset(by_field), "; ".join(_words(*alike) for alike in by_field.values())


def _words(first: Oddity, *more: Oddity) -> str:
    """What a field holds, of any length, in few words."""
    message = first.message if len(first.message) <= LONGEST else f"{first.message[:LONGEST]}..."
    return f"{first.field}: {message}" + (f" (and {len(more)} more like it)" if more else "")


_INDEX = re.compile(r"\[\d+\]")
