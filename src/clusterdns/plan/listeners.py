"""Where to listen, and how: for DNS, and for HTTP."""

from __future__ import annotations

from typing import Literal

import msgspec


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an op comes from, for explain: `Corefile:5:3` and the line's words."""

    file: str
    line: int
    column: int
    text: str


class Timeouts(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a client's connection may take, where that is not the engine's own measure (None), in milliseconds.

    `read_ms` for a message to arrive, `write_ms` for replies to be taken, `idle_ms` between two queries. After `most_queries` the
    connection is closed.
    """

    read_ms: int | None = None
    write_ms: int | None = None
    idle_ms: int | None = None
    most_queries: int | None = None


ClientAuth = Literal["nocert", "request", "require", "verify_if_given", "require_and_verify"]
VERIFYING: tuple[ClientAuth, ...] = ("verify_if_given", "require_and_verify")
"""Those for which a client's certificate must be of the authority."""


class TlsServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How connections are secured: paths of PEM files, that the engine reads.

    `cert` and `key` say who we are. `client_auth`: whether clients are asked for a certificate, must have one, and whether it is
    verified, by the authorities in `ca` (empty: those of the system).
    """

    cert: str
    key: str
    ca: str
    client_auth: ClientAuth


class Listener(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A socket pair (UDP and TCP); with `tls` one for secured connections alone.

    An empty host means every address of the machine, both families. `server` is CoreDNS's label for it, `dns://:53`.
    """

    id: str
    host: str
    port: int
    server: str
    timeouts: Timeouts = Timeouts()
    tls: TlsServer | None = None


class HttpListener(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that the process serves over HTTP, besides DNS. Several may share an address.

    `address` is `HOST:PORT`; an empty host means every address of the machine. `health` is there as long as the process is,
    `ready` once all `zones` are complete: for ever if `latched`. `metrics` tells what has been counted. Where the address cannot be
    had, a plan with a listener that is `required` is refused; others are left out, and the log says so. With `tls` it is HTTPS; those
    that share an address have the same.
    """

    address: str
    serves: Literal["health", "ready", "metrics"]
    required: bool
    zones: list[str]
    latched: bool
    tls: TlsServer | None = None
