"""Questions that the server asks by itself, as messages (RFC 1035 4.1)."""

from __future__ import annotations

import struct

from clusterdns.engine import name_on_wire

IN = 1
RECURSION_DESIRED = 0x0100


def query_on_wire(id: int, name: str, rtype: int) -> bytes:
    """A question of class IN about an absolute name, that wants recursion. Raises `ValueError` where that is no name."""
    return struct.pack("!6H", id, RECURSION_DESIRED, 1, 0, 0, 0) + name_on_wire(name) + struct.pack("!2H", rtype, IN)
