"""Ports that are nobody else's while a scenario plays: many play at the same time, in several processes."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator

FIRST, LAST = 20_000, 27_999
"""Below the ports that Linux gives to clients, so that no query goes out from a port which a server is about to bind."""


class Ports:
    """Free ports, each reserved until `close`."""

    def __init__(self) -> None:
        self._reservations: list[socket.socket] = []

    def take(self) -> int:
        """A port that is free for UDP and TCP on every address, and reserved for us."""
        for port in _candidates():
            if (reservation := _reserve(port)) is None:
                continue
            if _is_free(port):
                self._reservations.append(reservation)
                return port
            reservation.close()
        raise AssertionError(f"no port between {FIRST} and {LAST} is free")

    def close(self) -> None:
        """The ports may be others'."""
        for reservation in self._reservations:
            reservation.close()


_turn = itertools.count(os.getpid() * 37)


def _candidates() -> Iterator[int]:
    """Every port once. Processes begin at different ones, and a port that was used comes last: its connections may linger."""
    for _ in range(FIRST, LAST + 1):
        yield FIRST + next(_turn) % (LAST + 1 - FIRST)


def _reserve(port: int) -> socket.socket | None:
    """A name that one process of the machine can have: checking and binding a port are two steps, and others check too."""
    reservation = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        reservation.bind(f"\0clusterdns-behaviour-{port}")
    except OSError:
        reservation.close()
        return None
    return reservation


def _is_free(port: int) -> bool:
    """Whether it can be bound now."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True
