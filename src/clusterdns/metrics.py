"""Counters, gauges and histograms of Python's side, as text of Prometheus's exposition format 0.0.4.

The engine counts for itself; what is told here it shows behind its own. For one thread. Must not know who counts what.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TypeVar

Labels = tuple[str, ...]


class Metrics:
    """Families by name. `changed`: something has changed since `text` was made last."""

    def __init__(self) -> None:
        self.changed = True
        self._families: dict[str, _Family] = {}

    def counter(self, name: str, help: str, *labels: str) -> Counter:
        """The counter of this name; it is made if there is none yet. `labels` are the names of its labels."""
        return self._family(Counter(self, name, help, labels))

    def gauge(self, name: str, help: str, *labels: str) -> Gauge:
        """The gauge of this name; it is made if there is none yet."""
        return self._family(Gauge(self, name, help, labels))

    def histogram(self, name: str, help: str, bounds: Sequence[float], *labels: str) -> Histogram:
        """The histogram of this name; it is made if there is none yet. `bounds` are those of its buckets, ascending."""
        return self._family(Histogram(self, name, help, labels, tuple(bounds)))

    def text(self) -> str:
        """All families that have samples, in the order of their names."""
        self.changed = False
        return "".join(family.text() for _, family in sorted(self._families.items()))

    def _family(self, wanted: _AnyFamily) -> _AnyFamily:
        family = self._families.setdefault(wanted.name, wanted)
        if type(family) is not type(wanted) or family.label_names != wanted.label_names:
            raise ValueError(f"{wanted.name} is there already, as something else")
        return family


class _Family(ABC):
    """What all families have. A family without labels has one sample from the start."""

    kind = ""

    def __init__(self, all_of_them: Metrics, name: str, help: str, label_names: Sequence[str]) -> None:
        self.name = name
        self.label_names = tuple(label_names)
        self._all = all_of_them
        self._help = help

    def text(self) -> str:
        """Its lines; none if there is no sample."""
        samples = "".join(f"{self.name}{end} {value}\n" for end, value in self._samples())
        help = self._help.replace("\\", "\\\\").replace("\n", "\\n")
        return f"# HELP {self.name} {help}\n# TYPE {self.name} {self.kind}\n{samples}" if samples else ""

    @abstractmethod
    def _samples(self) -> Iterator[tuple[str, str]]:
        """The end of the name with the labels, and the value, of each sample."""

    def _braced(self, values: Labels, more: str = "") -> str:
        """The labels of a sample in the order of their names, as CoreDNS has them; `more` stands behind them."""
        pairs = [f'{name}="{_escaped(value)}"' for name, value in sorted(zip(self.label_names, values, strict=True))]
        inside = ",".join([*pairs, more] if more else pairs)
        return f"{{{inside}}}" if inside else ""

    def _known(self, values: Labels) -> Labels:
        assert len(values) == len(self.label_names), f"{self.name} has the labels {self.label_names}"
        return values

    def _changes(self) -> None:
        self._all.changed = True


_AnyFamily = TypeVar("_AnyFamily", bound=_Family)


class Counter(_Family):
    """What only rises."""

    kind = "counter"

    def __init__(self, all_of_them: Metrics, name: str, help: str, label_names: Sequence[str]) -> None:
        super().__init__(all_of_them, name, help, label_names)
        self._values: dict[Labels, float] = {} if label_names else {(): 0}

    def add(self, *labels: str, by: float = 1) -> None:
        """Adds to the sample with these values of the labels."""
        known = self._known(labels)
        self._values[known] = self._values.get(known, 0) + by
        self._changes()

    def _samples(self) -> Iterator[tuple[str, str]]:
        return ((self._braced(labels), _number(value)) for labels, value in sorted(self._values.items()))


class Gauge(_Family):
    """What is as it is now. One that was never set has no samples."""

    kind = "gauge"

    def __init__(self, all_of_them: Metrics, name: str, help: str, label_names: Sequence[str]) -> None:
        super().__init__(all_of_them, name, help, label_names)
        self._values: dict[Labels, float] = {}

    def set(self, value: float, *labels: str) -> None:
        """Sets the sample with these values of the labels."""
        if self._values.get(self._known(labels)) != value:
            self._values[labels] = value
            self._changes()

    def add(self, by: float, *labels: str) -> None:
        """Adds to the sample with these values of the labels, or takes away from it."""
        self.set(self._values.get(self._known(labels), 0) + by, *labels)

    def remove(self, *labels: str) -> None:
        """Removes the sample with these values of the labels, if there is one."""
        if self._values.pop(self._known(labels), None) is not None:
            self._changes()

    def clear(self) -> None:
        """Removes all samples."""
        self._values.clear()
        self._changes()

    def _samples(self) -> Iterator[tuple[str, str]]:
        return ((self._braced(labels), _number(value)) for labels, value in sorted(self._values.items()))


class Histogram(_Family):
    """Values in buckets."""

    kind = "histogram"

    def __init__(self, all_of_them: Metrics, name: str, help: str, label_names: Sequence[str], bounds: tuple[float, ...]) -> None:
        super().__init__(all_of_them, name, help, label_names)
        self._bounds = bounds
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}
        if not label_names:
            self._begin(())

    def observe(self, value: float, *labels: str) -> None:
        """Counts a value in the sample with these values of the labels."""
        known = self._known(labels)
        if known not in self._counts:
            self._begin(known)
        self._counts[known][sum(value > bound for bound in self._bounds)] += 1
        self._sums[known] += value
        self._changes()

    def _begin(self, labels: Labels) -> None:
        self._counts[labels], self._sums[labels] = [0] * (len(self._bounds) + 1), 0.0

    def _samples(self) -> Iterator[tuple[str, str]]:
        for labels, counts in sorted(self._counts.items()):
            for bound, below in zip((*map(_number, self._bounds), "+Inf"), accumulate(counts), strict=True):
                le = f'le="{bound}"'
                yield f"_bucket{self._braced(labels, le)}", str(below)
            yield f"_sum{self._braced(labels)}", _number(self._sums[labels])
            yield f"_count{self._braced(labels)}", str(sum(counts))


def _number(value: float) -> str:
    """A number in its shortest form."""
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(value: str) -> str:
    """A label's value as it stands between quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
