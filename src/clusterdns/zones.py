"""What a local zone holds: the three primitives, what is known of addresses, and the changes to them.

Owner names are text, relative to the zone's origin, lower case, without a trailing dot (`cart.shop.svc`, `` is the apex);
targets in rdata follow the zone file's rule: a trailing dot means absolute, none means relative (RFC 1035 5.1).
A `ZoneChange` crosses to the engine as MessagePack (`crates/core/src/zone/change.rs`), each struct an array.
Knows DNS. Must not know Kubernetes, the Corefile or the engine.
"""

from __future__ import annotations

import msgspec

ANY = 255


class RRset(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="rrset"):
    """Records of one type. `rdata` is text for A, AAAA, CNAME, NS, PTR and TXT (one string a record)."""

    rtype: int
    ttl: int
    rdata: tuple[str, ...]


class Port(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A port as SRV gives it: name and protocol in lower case. `number` -1: the port exists, but has no SRV record."""

    name: str
    protocol: str
    number: int


class Member(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One member: an IP address, or a name with trailing dot. An empty label stands for the address with dashes (`10-0-0-1`)."""

    address: str
    label: str


class Group(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Members that share ports. No ports at all: addresses are answered, SRV is not.

    `base`: the owner below which the members' names live, when it is another one (empty: this one); this one then derives no names
    and no PTR of them.
    """

    ports: tuple[Port, ...]
    members: tuple[Member, ...]
    base: str = ""


class MemberSet(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="members"):
    """A name with addresses, and names below it, from which A, AAAA, SRV with glue and PTR are derived.

    `addresses` and `ports` are the owner's own: SRV targets are the owner itself, PTR of such an address is the owner alone.
    `groups` hold the members: `LABEL.OWNER` answers each; when `listed`, the owner answers all of them.
    `_PORT._PROTOCOL.OWNER` answers what has this port. `alone`: no names below the owner and no PTR come from it.
    """

    ttl: int
    addresses: tuple[str, ...]
    ports: tuple[Port, ...]
    groups: tuple[Group, ...]
    listed: bool
    alone: bool = False


class Synthesis(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="synthesis"):
    """Below this name, which exists, `10-0-0-1` answers A 10.0.0.1 and `fd00--1` answers AAAA fd00::1."""

    ttl: int


class Exists(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="exists"):
    """The name exists and has no records: NODATA."""


Primitive = RRset | MemberSet | Synthesis | Exists


class Owner(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that one name holds; replaces what it held before, nothing in `data` removes it. A first label `*` is a wildcard (RFC 4592).

    `origin` is a number that explain gives back (which object made this). `absent`: types for which the name answers as
    if it did not exist; `ANY` in it: every type that it has no records of.
    """

    name: str
    origin: int
    data: tuple[Primitive, ...]
    absent: tuple[int, ...] = ()


class AddressLabels(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is known of whoever has an address, for metadata: values by their place; None where nothing is. No values: it is forgotten."""

    address: str
    values: tuple[str | None, ...]


class ZoneChange(msgspec.Struct, frozen=True, array_like=True):
    """A transaction: atomic per owner, and per address. `replace`: owners and addresses not named are removed (a relist).
    `complete`: all has been seen once.

    A relist may come in several changes: the first one `begins` it, and the last one replaces what none of them has named.
    """

    owners: tuple[Owner, ...]
    serial: int
    replace: bool = False
    complete: bool = True
    begins: bool = False
    addresses: tuple[AddressLabels, ...] = ()


def encode_change(change: ZoneChange) -> bytes:
    """The packed buffer that the engine applies."""
    return msgspec.msgpack.encode(change)
