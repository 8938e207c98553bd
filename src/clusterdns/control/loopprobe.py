"""`loop`: asks this server something that nobody else would ask, and sees whether the question comes back.

Whoever forwards to somebody who forwards to them gets the same question again and again. A probe is sent for each block with `loop`, from
a thread of its own, until it is answered once or half a minute is over. Must not know the Corefile, nor what becomes of a loop.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from random import SystemRandom
from threading import Event
from time import monotonic
from typing import Protocol

import msgspec

from clusterdns.control.queries import query_on_wire
from clusterdns.engine import EngineError
from clusterdns.iana import TYPES
from clusterdns.names import MOST_NAME, ROOT
from clusterdns.plan import Plan
from clusterdns.plan.ops import LookoutOp
from clusterdns.scalars import Endpoint

SECONDS = 30.0
PATIENCE = 2.0
"""How long a probe's reply is waited for."""
PAUSE = 1.0
LOOK = 0.01
"""How often is looked whether the question has come back; a loop turns a few times meanwhile."""
MOST_SEEN = 2
"""As in CoreDNS: once may be a detour."""

HINFO = TYPES["HINFO"]


class Probed(msgspec.Struct, frozen=True):
    """A block that is probed: its lookout, its first zone, and where it listens; an empty host is every address."""

    lookout: str
    zone: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """Where it listens, in CoreDNS's words: `:53`."""
        return str(Endpoint(self.host, self.port))


class Lookouts(Protocol):
    """The part of the engine that sees the question come."""

    def look_out(self, lookout: str, name: str, rtype: int) -> None:
        """Counts questions of a name and type from now on. Raises `EngineError`."""

    def sightings(self, lookout: str) -> tuple[int, str]:
        """How often they came, and from where the last one."""


def probed_blocks(plan: Plan) -> Iterator[Probed]:
    """The blocks with `loop`: each with its first zone, and the first of its addresses that takes plain DNS. Others cannot be probed."""
    listeners = {listener.id: listener for listener in plan.listeners}
    seen: set[str] = set()
    for block in plan.blocks:
        for op in block.program:
            if isinstance(op, LookoutOp) and op.id not in seen:
                seen.add(op.id)
                plain = (listeners[id] for id in block.listeners if listeners[id].server.startswith("dns://"))
                if (listener := next(plain, None)) and listener.port:
                    yield Probed(op.id, block.zone, listener.host, listener.port)


def find_loop(probed: Probed, lookouts: Lookouts, ended: Event) -> str:
    """Probes a block; gives CoreDNS's words for the loop that was found, or nothing. To be ended by `ended`."""
    name = probe_name(probed.zone)
    until = monotonic() + SECONDS
    try:
        while name and monotonic() < until and not ended.is_set():
            lookouts.look_out(probed.lookout, name, HINFO)
            answered = _exchange(probed, name, lambda: _has_come_back(probed, lookouts) or ended.is_set())
            if _has_come_back(probed, lookouts):
                return _words(probed, name, lookouts.sightings(probed.lookout)[1])
            if answered:
                break
            ended.wait(PAUSE)
        if not ended.is_set():
            lookouts.look_out(probed.lookout, ROOT, 0)
    except EngineError:
        pass  # another plan runs, without this block
    return ""


def probe_name(zone: str) -> str:
    """A name below the zone that nobody else asks for; none where the zone leaves no room for it."""
    first, second = (SystemRandom().getrandbits(62) for _ in range(2))
    name = f"{first}.{second}.{'' if zone == ROOT else zone}"
    return name if len(name) < MOST_NAME else ""


def _has_come_back(probed: Probed, lookouts: Lookouts) -> bool:
    """Whether the question came by more often than without a loop."""
    return lookouts.sightings(probed.lookout)[0] > MOST_SEEN


def _words(probed: Probed, name: str, source: str) -> str:
    """What CoreDNS says."""
    return (
        f'plugin/loop: Loop ({source} -> {probed.address}) detected for zone "{probed.zone}", '
        f'see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO {name}"'
    )


def _exchange(probed: Probed, name: str, is_enough: Callable[[], bool]) -> bool:
    """Sends the question once; whether it was answered before enough was seen, and in time."""
    id = SystemRandom().getrandbits(16)
    host = probed.host or "127.0.0.1"
    query = query_on_wire(id, name, HINFO)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(LOOK)
        until = monotonic() + PATIENCE
        try:
            connection.connect((host, probed.port))
            connection.send(query)
            while monotonic() < until and not is_enough():
                try:
                    if connection.recv(65535)[:2] == query[:2]:
                        return True
                except TimeoutError:
                    pass
        except OSError:
            pass
    return False
