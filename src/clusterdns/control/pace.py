"""When to make a transaction: at once when it is quiet, a hundred a second in a storm, and a huge Service not all the time.

Pure: the time comes as a value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from clusterdns.control.zones import Key

RATE = 100.0
BURST = 20.0
# A key of so many endpoints is recomputed alone, so that it can be told what it costs, and then it rests.
HEAVY = 1000
# A fifth of the time: one part at work, four at rest.
REST = 4.0
# More keys than these at once would make other changes wait.
MOST_KEYS = 256


class Pace:
    """Which of the touched keys are to be recomputed now."""

    def __init__(self) -> None:
        self._tokens = BURST
        self._filled_at = 0.0
        self._rests: dict[Key, float] = {}
        self._chosen: Key | None = None

    @property
    def measures(self) -> bool:
        """Whether the last choice was one heavy key, whose cost is to be told by `took`."""
        return self._chosen is not None

    def choose(self, dirty: Collection[Key], weight: Callable[[Key], int], now: float) -> Sequence[Key]:
        """The keys for a transaction; none if it is too early."""
        self._chosen = None
        if not dirty or self.next_transaction(now) > now:
            return ()
        if self._rests:
            self._rests = {key: until for key, until in self._rests.items() if until > now}
        chosen: list[Key] = []
        heavy: Key | None = None
        for key in dirty:
            if key in self._rests:
                continue
            if weight(key) >= HEAVY:
                heavy = heavy or key
            elif len(chosen) < MOST_KEYS:
                chosen.append(key)
        if not chosen and heavy is not None:
            chosen = [heavy]
            self._chosen = heavy
        if chosen:
            self._tokens -= 1
        return chosen

    def took(self, seconds: float, now: float) -> None:
        """What the last choice, one heavy key, has cost: it rests accordingly."""
        if self._chosen is not None:
            self._rests[self._chosen] = now + REST * seconds
            self._chosen = None

    def next_transaction(self, now: float) -> float:
        """When there may be another transaction."""
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * RATE)
        self._filled_at = now
        return now if self._tokens >= 1 else now + (1 - self._tokens) / RATE

    def next_time(self, dirty: Collection[Key], now: float) -> float:
        """When there is something to choose."""
        return max(self.next_transaction(now), min((self._rests.get(key, 0.0) for key in dirty), default=float("inf")))
