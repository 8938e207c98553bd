"""Questions that are asked all the time, each of which has to be answered rightly, also where what is right changes."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from types import TracebackType

import dns.message
import dns.rcode

PATIENCE = 2.0
LATE = 10.0
"""Seconds that an answer may be behind the API server: as long as it is away, starts and is found again."""


@dataclass
class State:
    """What a name's addresses were: not before `since`, and not after `until`, both by the monotonic clock."""

    addresses: frozenset[str]
    since: float
    until: float = float("inf")


class Truth:
    """The addresses of a name, as they change. None: the name does not exist."""

    def __init__(self, *addresses: str) -> None:
        self._states = [State(frozenset(addresses), float("-inf"))]

    @contextmanager
    def becoming(self, *addresses: str) -> Iterator[None]:
        """Around a change: from its beginning on the new addresses may be answered, and when it is done the old ones are history.

        A change that raises may have happened or not: until another one is done, both are right.
        """
        before = len(self._states)
        self._states.append(State(frozenset(addresses), monotonic()))
        yield
        now = monotonic()
        for state in self._states[:before]:
            state.until = min(state.until, now)

    def place(self, said: frozenset[str], least: int, asked: float, answered: float, late: float) -> int | None:
        """Which of its states an answer tells, the `least` one or a later one; None: it was none of them at that time.

        An answer is of a time between `late` seconds before the question and its arrival.
        """
        for place, state in enumerate(self._states[least:], least):
            if state.addresses == said and state.since <= answered and state.until >= asked - late:
                return place
        return None


class Load:
    """Asks for these names in turn, as fast as they are answered, until it is left.

    What is answered must be true, all of it and nothing else, and must not go back to what was true before the last answer.
    """

    def __init__(self, port: int, expected: Mapping[str, Truth], late: float = LATE) -> None:
        self.asked = 0
        self.lost = 0
        self.wrong: Counter[str] = Counter()
        self._port = port
        self._expected = dict(expected)
        self._late = late
        self._places = dict.fromkeys(expected, 0)
        self._over = Event()
        self._thread = Thread(target=self._ask_forever, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _ask_forever(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.connect(("127.0.0.1", self._port))
            udp.settimeout(PATIENCE)
            while not self._over.is_set():
                for name in self._expected:
                    query = dns.message.make_query(name, "A", use_edns=0, payload=4096)
                    asked = monotonic()
                    udp.send(query.to_wire())
                    self.asked += 1
                    try:
                        octets = udp.recv(65535)
                    except TimeoutError:
                        self.lost += 1
                        continue
                    answered = monotonic()
                    if wrong := self.judge(name, query, dns.message.from_wire(octets), asked, answered):
                        self.wrong[f"{name}: {wrong}"] += 1

    def judge(self, name: str, query: dns.message.Message, reply: dns.message.Message, asked: float, answered: float) -> str:
        """What is wrong with an answer; empty: nothing."""
        said = [rdata.to_text() for rrset in reply.answer for rdata in rrset]
        shown = f"{dns.rcode.to_text(reply.rcode())} {sorted(said)}"
        if reply.id != query.id or len(set(said)) != len(said):
            return shown
        if reply.rcode() != (dns.rcode.NOERROR if said else dns.rcode.NXDOMAIN):
            return shown
        place = self._expected[name].place(frozenset(said), self._places[name], asked, answered, self._late)
        if place is None:
            return f"{shown} is not true, or not true any more"
        self._places[name] = place
        return ""
