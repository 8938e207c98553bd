"""What a plugin is made of: a function of yours that answers questions (`python MODULE:FUNCTION` in the Corefile).

It takes a `Query` and returns an `Answer`, an `Ask` (another question in place of this one), or `None` (the next directive's turn).
It may be `async`. What it raises is counted, logged and SERVFAIL for the client (or the next directive's turn); nothing of it is fatal.

    def answer(query: Query) -> Reply:
        return Answer([f"{query.name} 60 IN A 192.0.2.1"]) if query.type == "A" else None
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec


class Query(msgspec.Struct, frozen=True):
    """What is asked, and by whom.

    `name`: absolute, lower case, as in a zone file (RFC 1035 5.1). `type`: `A`, `TYPE65280` where there is no name. `class_`: 1 is the
    Internet's. `client` and `port`: who asks. `transport`: `udp`, `tcp` or `tls`. `dnssec_ok`: the client wants DNSSEC records.
    """

    name: str
    type: str
    class_: int = msgspec.field(name="class", default=1)
    client: str = "127.0.0.1"
    port: int = 0
    transport: str = "udp"
    dnssec_ok: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Records as lines of a zone file (`www.example.org. 60 IN A 192.0.2.1`; without a TTL: 60 s) and a response code.

    `cache`: whether a `cache` of the block may keep it, for the lowest TTL of its records. Answers without records are kept when there is
    an SOA in `authority` that says for how long (RFC 2308 5).
    """

    records: Sequence[str] = ()
    rcode: str = "NOERROR"
    authority: Sequence[str] = ()
    additional: Sequence[str] = ()
    cache: bool = True


class Ask(msgspec.Struct, frozen=True):
    """Another question for the directives behind, instead of the client's; empty is as it was. The client sees its own name."""

    name: str = ""
    type: str = ""


Reply = Answer | Ask | None
Plugin = Callable[[Query], Reply | Awaitable[Reply]]
