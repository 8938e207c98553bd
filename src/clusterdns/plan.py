"""The plan: what the engine shall do, as an immutable document.

Python compiles a Corefile to a `Plan`; the engine (Rust, `crates/core/src/plan.rs`) reads it as JSON and refuses fields
that it does not know. A plan names resources (listeners, zones) by identity: a new plan keeps those that it still names.
Knows DNS and the ops. Must not know the Corefile's grammar, Kubernetes, sockets or files.
"""

from __future__ import annotations

import msgspec

VERSION = 1


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an op comes from, for explain: `Corefile:5:3` and the line's words."""

    file: str
    line: int
    column: int
    text: str


class Listener(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A socket pair (UDP and TCP). An empty host means every address of the machine, both families.

    `server` is CoreDNS's label for it, `dns://:53`.
    """

    id: str
    host: str
    port: int
    server: str


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One name under which a zone's data is served. `reverse` origins answer PTR by address and hold only `exists` names."""

    name: str
    reverse: bool = False


class Soa(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SOA of each origin; `mname` and `rname` are relative to it. The serial is the zone's. Seconds (RFC 1035 3.3.13)."""

    mname: str
    rname: str
    refresh: int
    retry: int
    expire: int
    minimum: int
    ttl: int


class ZoneOp(msgspec.Struct, frozen=True, tag_field="op", tag="zone", forbid_unknown_fields=True):
    """Answer from a local zone.

    `primary` indexes the origin that PTR targets live under (-1: no forward origin). `fallthrough`: names below these zones
    that do not exist go to the next op (empty: none). A name that is absent is NXDOMAIN when the zone is complete,
    SERVFAIL while it is loading. `exists` are relative names that exist under reverse origins too.
    `soa_nodata`: an SOA question below the apex is NODATA whether the name exists or not.
    """

    zone: str
    origins: list[Origin]
    primary: int
    soa: Soa
    fallthrough: list[str]
    exists: list[str]
    soa_nodata: bool
    name: str
    span: int


class WhoamiOp(msgspec.Struct, frozen=True, tag_field="op", tag="whoami", forbid_unknown_fields=True):
    """Answer with the client's own address, port and transport, in the additional section."""

    span: int


class ShuffleOp(msgspec.Struct, frozen=True, tag_field="op", tag="shuffle", forbid_unknown_fields=True):
    """On the way out: put CNAME records first and the address and MX records in random order.

    `prefer`: CIDRs; addresses within the first that matches any come before the others, order kept.
    `weights`: owner name -> address -> weight; the first address is drawn by weight.
    """

    prefer: list[str]
    weights: dict[str, dict[str, int]]
    span: int


class ErrorsOp(msgspec.Struct, frozen=True, tag_field="op", tag="errors", forbid_unknown_fields=True):
    """Log why a query of this block could not be answered."""

    span: int


class DebugOp(msgspec.Struct, frozen=True, tag_field="op", tag="debug", forbid_unknown_fields=True):
    """Log at debug level for this block."""

    span: int


Op = ZoneOp | WhoamiOp | ShuffleOp | ErrorsOp | DebugOp


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One zone of a server block on some listeners. An empty program refuses. `span` is the key's place."""

    zone: str
    listeners: list[str]
    program: list[Op]
    span: int


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the engine needs to know. `zones` are the identities of the local zones; their data comes separately."""

    version: int
    listeners: list[Listener]
    zones: list[str]
    blocks: list[Block]
    spans: list[Span]


def encode_plan(plan: Plan) -> bytes:
    """The plan as the JSON that the engine and the golden files hold."""
    return msgspec.json.encode(plan)


def decode_plan(text: bytes) -> Plan:
    """A plan from its JSON. Raises `msgspec.ValidationError` with the path of what does not fit."""
    return msgspec.json.decode(text, type=Plan)
