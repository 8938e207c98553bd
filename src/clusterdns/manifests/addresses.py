"""Addresses for objects that have none: chosen by the object's name, so that they stay the same from one reading to the next."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from clusterdns.digests import sha256
from clusterdns.records.oddities import canonical_address

SERVICES = {"IPv4": "10.96.0.0/16", "IPv6": "fd00:96::/112"}
PODS = {"IPv4": "10.244.0.0/16", "IPv6": "fd00:244::/112"}

# The low addresses are left to those that are chosen by hand, as the API server does.
FIRST, LAST = 256, 65534


class Pool:
    """Addresses of one network that are still free."""

    def __init__(self, network: str, taken: Iterable[str] = ()) -> None:
        self._network = ip_network(network)
        self._taken = {offset for text in taken if (offset := self._offset(text)) is not None}

    def address(self, name: str) -> str | None:
        """The address for this name, or the next free one; None when all are taken. Ask for names in a fixed order."""
        count = LAST - FIRST + 1
        if len(self._taken) == count:
            return None
        offset = FIRST + int.from_bytes(sha256(name.encode()).digest()[:8]) % count
        while offset in self._taken:
            offset = offset + 1 if offset < LAST else FIRST
        self._taken.add(offset)
        return str(self._network[offset])

    def _offset(self, text: str) -> int | None:
        """Where in the part of the network that is given out an address lies."""
        if canonical_address(text) is None:
            return None
        offset = int(ip_address(text)) - int(self._network[0])
        return offset if FIRST <= offset <= LAST and ip_address(text) in self._network else None


def family_of(address: str) -> str:
    """The family of an address, IPv4 or IPv6; an empty text for what is no address."""
    canonical = canonical_address(address)
    return "" if canonical is None else "IPv6" if ":" in canonical else "IPv4"
