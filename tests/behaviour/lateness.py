"""Whether this machine had time for us: what takes time in a play proves nothing while it had not."""

from __future__ import annotations

import asyncio
import os
from collections import deque

TICK = 0.02
LATE = 0.1
"""A pause (seconds) that is this much longer than it should be says that others have the processors."""
CROWDED = 3
"""So many tasks that want each processor are too many for any of them to be in time."""
KEPT = 1000


class Lateness:
    """Watches an event loop."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=KEPT)

    async def watch_forever(self) -> None:
        """Notice each time the loop is late."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            if loop.time() > due + LATE:
                self._times.append(loop.time())

    def since(self, time: float) -> bool:
        """Whether it was late after this time of the loop, or others than us are likely to have been."""
        return (bool(self._times) and self._times[-1] > time) or os.getloadavg()[0] > CROWDED * len(os.sched_getaffinity(0))
