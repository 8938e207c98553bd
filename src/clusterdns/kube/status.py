"""What a reflector has seen, as plain values: for the log now, for metrics whenever they are asked for."""

from __future__ import annotations

import msgspec


class Seen(msgspec.Struct):
    """One kind's state. Times are of the reflector's clock.

    `listed`: all has been told once. `heard`: when something was last told. `flaws`: objects, lines and pages that made no sense.
    `failing_since`: of an outage, 0 for none. `lag`: how many seconds the last change took from its beginning to us; None while none
    has said when it began, as many kinds never do. `hindrance`: why the last attempt failed, `trouble`: what has been told of that; empty
    while all is well.
    """

    kind: str
    listed: bool = False
    version: str = ""
    heard: float = 0.0
    events: int = 0
    relists: int = 0
    flaws: int = 0
    lag: float | None = None
    failing_since: float = 0.0
    hindrance: str = ""
    trouble: str = ""

    def age(self, now: float) -> float:
        """For how many seconds nothing has been told."""
        return now - self.heard
