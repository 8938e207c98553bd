"""The ops: what a query meets on its way through a block."""

from __future__ import annotations

from typing import Literal

import msgspec

from clusterdns.plan.rewrites import RewriteRule
from clusterdns.plan.templates import TemplateRule


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
    `soa_nodata`: an SOA question below the apex is NODATA whether the name exists or not. `bare_ports`: names of ports may be
    written without underscores.
    """

    zone: str
    origins: list[Origin]
    primary: int
    soa: Soa
    fallthrough: list[str]
    exists: list[str]
    soa_nodata: bool
    bare_ports: bool
    name: str
    span: int


class LookoutOp(msgspec.Struct, frozen=True, tag_field="op", tag="lookout", forbid_unknown_fields=True):
    """Take note of one question, which whoever steers the engine chooses. `id` is the lookout's identity."""

    id: str
    span: int


class BufsizeOp(msgspec.Struct, frozen=True, tag_field="op", tag="bufsize", forbid_unknown_fields=True):
    """A client that takes larger UDP messages than `size` octets is treated as one that takes so many (RFC 6891 6.2.3)."""

    size: int
    span: int


class RecordsOp(msgspec.Struct, frozen=True, tag_field="op", tag="records", forbid_unknown_fields=True, omit_defaults=True):
    """Answer with what `zones` hold under exactly the name and type, or under a `*` in the place of its first label; one after the other.

    Names in these zones are relative to the root. Names under `under` are looked up for `types`, and all names for the types `anywhere`,
    which are left to the next op when nothing is found. A name with records of any of `types` has no data of other types, but where
    `fallthrough_types` and `fallthrough` apply, these go to the next op. `fallthrough`: names below these zones that hold nothing go to
    the next op (empty: none); the others are SERVFAIL, as there is no SOA to deny them with. Answers are cached like those of others.
    `sources`: for people, where each of the zones gets its data from; empty where that goes without saying.
    """

    zones: list[str]
    under: list[str]
    types: list[int]
    anywhere: list[int]
    fallthrough: list[str]
    fallthrough_types: bool
    name: str
    span: int
    sources: list[str] = []


class Flags(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Flags of a message's header (RFC 1035 4.1.1) that are set or cleared; None: left as they are."""

    aa: bool | None
    ra: bool | None
    rd: bool | None


class HeaderOp(msgspec.Struct, frozen=True, tag_field="op", tag="header", forbid_unknown_fields=True):
    """Change flags of questions on the way in (upstreams see them), and of answers on the way out."""

    query: Flags
    response: Flags
    span: int


class MinimalOp(msgspec.Struct, frozen=True, tag_field="op", tag="minimal", forbid_unknown_fields=True):
    """On the way out: leave out the authority and additional sections of answers that are no denial, failure or delegation."""

    span: int


class RewriteOp(msgspec.Struct, frozen=True, tag_field="op", tag="rewrite", forbid_unknown_fields=True):
    """Change questions by rules, in their order, each on what the ones before have made of it; and the answers, in the other order."""

    rules: list[RewriteRule]
    span: int


class Dns64Op(msgspec.Struct, frozen=True, tag_field="op", tag="dns64", forbid_unknown_fields=True):
    """On the way out: where a question for AAAA found no address, ask for A, and put the addresses behind `prefix` (RFC 6147, 6052).

    `translate_all`: even where it found some. `allow_ipv4`: for clients that ask over IPv4 too.
    """

    prefix: str
    translate_all: bool
    allow_ipv4: bool
    span: int


AclAction = Literal["allow", "block", "filter", "drop"]


class AclRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of questions of these `types` (none: all) from clients in these `networks`, CIDRs (none: all).

    `block` is REFUSED, `filter` an empty answer, both with an extended error (RFC 8914); `drop` is silence.
    """

    action: AclAction
    types: list[int]
    networks: list[str]
    span: int


class AclList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules about names under `zones`. The first one that is about the type and the client decides."""

    zones: list[str]
    rules: list[AclRule]


class AclOp(msgspec.Struct, frozen=True, tag_field="op", tag="acl", forbid_unknown_fields=True):
    """Refuse questions, or say nothing to them. The first list that has a rule for a question decides; none: the next op."""

    lists: list[AclList]
    span: int


class Counter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A counter of an op, as metrics show it: the family, what it counts, and its labels.

    `place` are the labels that the place of the op gives: the listener, the block's zone, the block's view.
    """

    name: str
    help: str
    place: list[Literal["server", "zone", "view"]]
    labels: dict[str, str]


class FixedReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said to questions of a type and class (none: any of them).

    Records are lines of a zone file. The owner `@` is the name that was asked; other owners at the end of that name have its letter case.
    """

    qtype: int | None
    qclass: int | None
    rcode: int
    answer: list[str]
    authority: list[str]


class FixedNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which names have `replies`; the first that is for the question is given, and counted if there is a `counter`.

    `name`: this one; `below`: those under it; `label`: those that begin with its labels and have more; `all`: any.
    """

    which: Literal["all", "name", "below", "label"]
    name: str
    replies: list[FixedReply]
    counter: Counter | None = None


class FixedOp(msgspec.Struct, frozen=True, tag_field="op", tag="fixed", forbid_unknown_fields=True):
    """Answer questions for some names with the same records always; others go to the next op. `name` is the directive."""

    names: list[FixedNames]
    name: str
    span: int


class TemplateOp(msgspec.Struct, frozen=True, tag_field="op", tag="template", forbid_unknown_fields=True):
    """Answer with records made from the question, by the first rule that is about it; others go to the next op.

    What records of type CNAME lead to is asked of the listener's blocks, for questions for addresses.
    """

    rules: list[TemplateRule]
    span: int


class NsidOp(msgspec.Struct, frozen=True, tag_field="op", tag="nsid", forbid_unknown_fields=True):
    """Tell clients that ask for it which server this is: `data` (RFC 5001)."""

    data: str
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


class Consolidation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Count failures whose reason has this `pattern`, and tell how many there were `period_ms` after the first of them.

    `period`: the same time in words. `show_first`: the first one has its own line, too, and no other is told of if it stays alone.
    """

    pattern: str
    period_ms: int
    period: str
    level: Literal["debug", "info", "warning", "error"]
    show_first: bool


class ErrorsOp(msgspec.Struct, frozen=True, tag_field="op", tag="errors", forbid_unknown_fields=True, omit_defaults=True):
    """Log why a query of this block could not be answered. The first of `consolidate` whose pattern fits counts it instead.

    `id` is the identity of the counts: a new plan that names it goes on counting.
    """

    span: int
    id: str = ""
    consolidate: list[Consolidation] = []


class DebugOp(msgspec.Struct, frozen=True, tag_field="op", tag="debug", forbid_unknown_fields=True):
    """Log at debug level for this block."""

    span: int


class CacheClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many answers of one kind (success or denial) a cache holds, and for how many seconds each: at most, at least."""

    capacity: int
    max_ttl: int
    min_ttl: int


class Prefetch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Renew what was asked for `amount` times with gaps of at most `duration` seconds, in the last `percentage` of its time."""

    amount: int
    duration: int
    percentage: int


class ServeStale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Use answers for `window` seconds after their time, with the TTL `ttl`; the same one is renewed once in `recheck` seconds.

    `immediate` answers first and asks then; `verify` asks first and answers from the cache when nothing good came within
    `timeout_ms` (0: as long as it takes). `prefer_positive`: a stale success comes before a denial that is fresh.
    """

    window: int
    mode: Literal["immediate", "verify"]
    timeout_ms: int
    ttl: int
    recheck: int
    prefer_positive: bool


class CacheOp(msgspec.Struct, frozen=True, tag_field="op", tag="cache", forbid_unknown_fields=True):
    """Answer from earlier answers to names under `zones`, and keep what the ops behind this one say.

    `id` is the cache's identity: a new plan that names it keeps its contents. `servfail`: seconds for failures (0: not kept).
    `keepttl`: TTLs do not sink. `disable_success` and `disable_denial`: zones whose answers of that kind are not kept.
    """

    id: str
    zones: list[str]
    success: CacheClass
    denial: CacheClass
    servfail: int
    prefetch: Prefetch | None
    serve_stale: ServeStale | None
    keepttl: bool
    disable_success: list[str]
    disable_denial: list[str]
    span: int


class TlsClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a server is asked over TLS.

    `server_name`: the host name or IP address that its certificate must be for. The others are paths of PEM files, that the engine
    reads: `ca` has the authorities to trust (empty: those of the system), `cert` and `key` prove who asks (empty: nobody does).
    """

    server_name: str
    ca: str
    cert: str
    key: str


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server to ask: `192.0.2.1:53`, `[2001:db8::1]:53`; in the clear where `tls` is None.

    `source`: the address of this machine that it is asked from, of the same family; None: the one that the system chooses.
    """

    address: str
    tls: TlsClient | None
    source: str | None


class HealthCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a server that failed is probed until it answers: NS of `domain`, every `interval_ms`."""

    interval_ms: int
    domain: str
    recursion_desired: bool


class ForwardOp(msgspec.Struct, frozen=True, tag_field="op", tag="forward", forbid_unknown_fields=True):
    """Ask one of `upstreams` about names under `from_zone` that are not under `except_zones`.

    A server counts as down after `max_fails` failed tries (0: never). Connections end after `expire_ms` without use and, if it is
    not 0, after `max_age_ms`. `max_concurrent` queries wait at a time, further ones are refused (0: no limit). A query goes the
    way that it came (UDP, TCP) unless `force_tcp` or `prefer_udp`. `max_connect_attempts` bounds the tries (0: only by time).
    `failover` and `next` are response codes for which the next upstream, or the next op, is asked; `next_on_nodata`: the latter
    for an empty answer too. `failfast_all_unhealthy`: SERVFAIL at once while all are down.
    """

    id: str
    from_zone: str
    except_zones: list[str]
    upstreams: list[Upstream]
    policy: Literal["random", "round_robin", "sequential"]
    max_fails: int
    expire_ms: int
    max_age_ms: int
    max_concurrent: int
    force_tcp: bool
    prefer_udp: bool
    read_timeout_ms: int
    max_connect_attempts: int
    health_check: HealthCheck
    failover: list[int]
    next: list[int]
    next_on_nodata: bool
    failfast_all_unhealthy: bool
    span: int


class AskOp(msgspec.Struct, frozen=True, tag_field="op", tag="ask", forbid_unknown_fields=True):
    """Ask `function`, which whoever steers the engine knows, about names under `zones`; a query waits up to `timeout_ms` for it.

    `on_failure`: what becomes of the query when there is no good answer in time: SERVFAIL, or the next op is asked.
    """

    function: str
    zones: list[str]
    timeout_ms: int
    on_failure: Literal["servfail", "next"]
    span: int


class CancelOp(msgspec.Struct, frozen=True, tag_field="op", tag="cancel", forbid_unknown_fields=True):
    """Give a query up that waits longer than `timeout_ms`, counted from here; what is asked for it in between too."""

    timeout_ms: int
    span: int


LogClass = Literal["success", "denial", "error"]


class LogRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged of queries for names under `zone`: those whose answers are of one of the `classes`.

    `format` is the line, as texts and values in turn, a text first: `["", "name", " ", "rcode", ""]`. The value "" is one that
    nobody knows.
    """

    zone: str
    format: list[str]
    classes: list[LogClass]


class LogOp(msgspec.Struct, frozen=True, tag_field="op", tag="log", forbid_unknown_fields=True):
    """Log the queries of this block. The first rule whose zone has the name decides."""

    rules: list[LogRule]
    span: int


class CountOp(msgspec.Struct, frozen=True, tag_field="op", tag="count", forbid_unknown_fields=True):
    """Count the queries of this block, and their answers under `directive`, the first one behind (empty: there is none).

    `directives` are all of the block that see queries; metrics show them as enabled for `zone`, the block's first.
    """

    directive: str
    directives: list[str]
    zone: str
    span: int


Op = (
    ZoneOp
    | RecordsOp
    | CacheOp
    | ForwardOp
    | LogOp
    | AskOp
    | CancelOp
    | LookoutOp
    | BufsizeOp
    | AclOp
    | FixedOp
    | TemplateOp
    | NsidOp
    | HeaderOp
    | RewriteOp
    | MinimalOp
    | Dns64Op
    | WhoamiOp
    | ShuffleOp
    | ErrorsOp
    | DebugOp
    | CountOp
)
