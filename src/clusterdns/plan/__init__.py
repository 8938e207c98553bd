"""The plan: what the engine shall do, as an immutable document.

Python compiles a Corefile to a `Plan`; the engine (Rust, `crates/core/src/plan/`) reads it as JSON and refuses fields
that it does not know. A plan names resources (listeners, zones) by identity: a new plan keeps those that it still names.
Knows DNS and the ops. Must not know the Corefile's grammar, Kubernetes, sockets or files.
"""

from __future__ import annotations

import msgspec

from clusterdns.plan.expressions import Condition
from clusterdns.plan.labels import Metadata
from clusterdns.plan.listeners import HttpListener, Listener, Span
from clusterdns.plan.ops import Op

VERSION = 1


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One zone of a server block on some listeners. An empty program refuses. `span` is the key's place.

    Of several blocks for one zone on a listener the first takes a query for which all conditions in `when` are true. `view`: what
    these are called.
    """

    zone: str
    listeners: list[str]
    program: list[Op]
    span: int
    view: str = ""
    when: list[Condition] = []
    metadata: Metadata | None = None


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the engine needs to know. `zones` are the identities of the local zones; their data comes separately."""

    version: int
    listeners: list[Listener]
    zones: list[str]
    blocks: list[Block]
    spans: list[Span]
    http: list[HttpListener] = msgspec.field(default_factory=list)


def encode_plan(plan: Plan) -> bytes:
    """The plan as the JSON that the engine and the golden files hold."""
    return msgspec.json.encode(plan)


def decode_plan(text: bytes) -> Plan:
    """A plan from its JSON. Raises `msgspec.ValidationError` with the path of what does not fit."""
    return msgspec.json.decode(text, type=Plan)
