"""The addresses of host names that a Corefile has, as `forward` needs them at the start and at a reload.

Asks the system, or servers that the Corefile says. What asks may wait, so whoever reads a Corefile does it by way of `Lookups`, which gives
up in time. Must not know the Corefile, nor what the names are for.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from queue import Empty, SimpleQueue
from random import SystemRandom
from threading import Thread
from time import monotonic

from clusterdns.control.queries import IN, query_on_wire
from clusterdns.iana import RCODES, TYPES
from clusterdns.scalars import Endpoint
from clusterdns.sources import Resolve, UnresolvedError

PATIENCE = 5.0
"""Seconds that all names of a Corefile take together at most: nothing else is looked after meanwhile."""
TRY = 1.0
"""Seconds that a server is waited for before it is asked again."""
TRIES = 2

RESPONSE = 0x80
"""The first bit of a message's third octet."""
MOST_DATAGRAM = 65535
POINTER = 0xC0

ADDRESSES: dict[int, Callable[[bytes], IPv4Address | IPv6Address]] = {TYPES["A"]: IPv4Address, TYPES["AAAA"]: IPv6Address}
"""The types of records that hold addresses: those of IPv4 come first."""
SYSTEM_SAYS = {
    socket.EAI_NONAME: "there is no such name",
    socket.EAI_NODATA: "there is no such name",
    socket.EAI_AGAIN: "no name server of the system answers",
}


class Lookups:
    """The lookups for one reading of a Corefile. Each name is asked for once, and for all of them together there are so many `seconds`."""

    def __init__(self, resolve: Resolve, seconds: float = PATIENCE, clock: Callable[[], float] = monotonic) -> None:
        self._resolve = resolve
        self._seconds = seconds
        self._clock = clock
        self._until: float | None = None
        self._known: dict[tuple[str, tuple[Endpoint, ...]], Sequence[str] | UnresolvedError] = {}

    def resolve(self, name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
        """The addresses of a name; raises `UnresolvedError`."""
        asked = name, tuple(servers)
        if asked not in self._known:
            self._known[asked] = self._ask(*asked)
        known = self._known[asked]
        if isinstance(known, UnresolvedError):
            raise known
        return known

    def _ask(self, name: str, servers: tuple[Endpoint, ...]) -> Sequence[str] | UnresolvedError:
        """What comes of it in time. The system cannot be told how long it may take, so a thread of its own waits for it."""
        if self._until is None:
            self._until = self._clock() + self._seconds
        came: SimpleQueue[Sequence[str] | UnresolvedError] = SimpleQueue()

        def ask() -> None:
            try:
                came.put(self._resolve(name, servers))
            except UnresolvedError as why:
                came.put(why)
            except Exception as why:
                came.put(UnresolvedError(f"{type(why).__name__}: {why}"))

        Thread(target=ask, name="lookup", daemon=True).start()
        try:
            return came.get(timeout=max(0.0, self._until - self._clock()))
        except Empty:
            return UnresolvedError(f"it took longer than the {self._seconds:g}s that there are for all names of a Corefile")


def look_up(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
    """The addresses of a name, of both families. Asks the servers in turn until one knows some, or the system where there are none.

    May take long. Raises `UnresolvedError`.
    """
    if not servers:
        return _ask_system(name)
    whys: list[str] = []
    for server in servers:
        try:
            if found := _ask_server(name, server):
                return found
            whys.append(f"{server} knows no address of it")
        except UnresolvedError as why:
            whys.append(f"{server} {why}")
        except OSError as why:
            whys.append(f"{server}: {why.strerror or why}")
    raise UnresolvedError("; ".join(whys))


def _ask_system(name: str) -> Sequence[str]:
    """What the system says, from its files and name servers, what this machine reaches best first (RFC 6724)."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except socket.gaierror as why:
        raise UnresolvedError(SYSTEM_SAYS.get(why.errno or 0, why.strerror or str(why))) from None
    return [str(place[0]) for _, _, _, _, place in found]


def _ask_server(name: str, server: Endpoint) -> list[str]:
    """What a server says, over UDP; of a reply that is cut off, what is there. Raises `OSError`, and `UnresolvedError` about the server."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    ids = SystemRandom().sample(range(0x10000), len(ADDRESSES))
    queries = {id: query_on_wire(id, f"{name.removesuffix('.')}.", rtype) for id, rtype in zip(ids, ADDRESSES, strict=True)}
    replies: dict[int, bytes] = {}
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.connect((server.host, server.port))
        for _ in range(TRIES):
            for id in queries.keys() - replies.keys():
                asking.send(queries[id])
            until = monotonic() + TRY
            while len(replies) < len(queries) and (rest := until - monotonic()) > 0:
                asking.settimeout(rest)
                try:
                    reply = asking.recv(MOST_DATAGRAM)
                except TimeoutError:
                    break
                if (id := int.from_bytes(reply[:2])) in queries and _is_reply(reply, queries[id]):
                    replies[id] = reply
    found = [address for id in ids if id in replies for address in addresses_in(replies[id])]
    if not found and len(replies) < len(queries):
        raise UnresolvedError("does not answer")
    if not found and (rcode := next((reply[3] & 0x0F for reply in replies.values() if reply[3] & 0x0F), 0)):
        raise UnresolvedError(f"says {next((text for text, number in RCODES.items() if number == rcode), rcode)}")
    return found


def _is_reply(reply: bytes, query: bytes) -> bool:
    """Whether it is about this query: a response with its question, in whatever case."""
    asked, about = query[4:6] + query[12:].lower(), reply[4:6] + reply[12 : len(query)].lower()
    return len(reply) >= len(query) and reply[2] >= RESPONSE and asked == about


def addresses_in(reply: bytes) -> list[str]:
    """The addresses in the answer section of a reply with one question, as far as it can be read."""
    found: list[str] = []
    try:
        at = _behind_name(reply, 12) + 4
        for _ in range(int.from_bytes(reply[6:8])):
            at = _behind_name(reply, at)
            rtype, rclass, _, length = struct.unpack_from("!2HIH", reply, at)
            data = reply[at + 10 : at + 10 + length]
            at += 10 + length
            if rclass == IN and rtype in ADDRESSES and len(data) == length:
                found.append(str(ADDRESSES[rtype](data)))
    except (IndexError, struct.error, ValueError):
        pass
    return found


def _behind_name(message: bytes, at: int) -> int:
    """Where a name ends. Raises `IndexError`."""
    while message[at]:
        if message[at] >= POINTER:
            return at + 2
        at += 1 + message[at]
    return at + 1
