"""The plan: what the engine shall do, as an immutable document.

Python compiles a Corefile to a `Plan`; the engine (Rust, `crates/core/src/plan.rs`) reads it as JSON and refuses fields
that it does not know. A plan names resources (listeners, zones) by identity: a new plan keeps those that it still names.
Knows DNS and the ops. Must not know the Corefile's grammar, Kubernetes, sockets or files.
"""

from __future__ import annotations

from typing import Literal

import msgspec

VERSION = 1


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


How = Literal["exact", "prefix", "suffix", "substring", "regex"]


class NameMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names whose text (lower case, a dot at the end) is, begins with, ends with or has `text`, or matches it as a regular expression."""

    how: How
    text: str


class AnswerRewrite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names in answers in which `pattern` is found become `to`: owners (`name`), or names in the data of records (`value`)."""

    part: Literal["name", "value"]
    pattern: str
    to: str


class NameRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="name", forbid_unknown_fields=True):
    """What matches `name` becomes `to`, in which `{1}` is what the first group of a regular expression has found.

    In the answer `answers` apply, the last one first; with `auto` the new name, and names below it, become the old one again, owners and
    data alike; for `suffix` all names with the new end get the old one.
    """

    name: NameMatch
    to: str
    auto: bool
    answers: list[AnswerRewrite]


class TypeRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="type", forbid_unknown_fields=True, rename={"from_": "from"}):
    """Another type is asked for."""

    from_: int
    to: int


class ClassRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="class", forbid_unknown_fields=True, rename={"from_": "from"}):
    """Another class is asked for."""

    from_: int
    to: int


class OptionOctets(msgspec.Struct, frozen=True, tag_field="kind", tag="octets", forbid_unknown_fields=True):
    """An option's data, hexadecimal."""

    hex: str


Variable = Literal["qname", "qtype", "client_ip", "client_port", "protocol", "server_ip", "server_port"]


class OptionVariable(msgspec.Struct, frozen=True, tag_field="kind", tag="variable", forbid_unknown_fields=True):
    """What is known of the query: names and protocol as text, numbers and addresses in network order."""

    variable: Variable


class OptionLabel(msgspec.Struct, frozen=True, tag_field="kind", tag="label", forbid_unknown_fields=True):
    """The value of a label of the block's metadata. Where it has none the rule does not apply."""

    label: str


class OptionSubnet(msgspec.Struct, frozen=True, tag_field="kind", tag="subnet", forbid_unknown_fields=True):
    """The client's network (RFC 7871 6), of so many bits."""

    ipv4: int
    ipv6: int


class OptionRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="option", forbid_unknown_fields=True):
    """An EDNS option of the question (RFC 6891 6.1.2): `set`, `append` if it is not there, `replace` if it is, or `unset`.

    `revert`: in the answer it is what it was before. `echo`: where nobody said any options in the answer, the client is told it.
    """

    action: Literal["set", "append", "replace", "unset"]
    code: int
    data: OptionOctets | OptionVariable | OptionLabel | OptionSubnet
    revert: bool
    echo: bool


class TtlRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="ttl", forbid_unknown_fields=True):
    """The TTLs in the answer to a question for `name` are at least and at most these seconds."""

    name: NameMatch
    least: int
    most: int


class RcodeRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="rcode", forbid_unknown_fields=True, rename={"from_": "from"}):
    """Another response code is told in answers to questions for `name`."""

    name: NameMatch
    from_: int
    to: int


class CnameRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="cname", forbid_unknown_fields=True):
    """A CNAME record in the answer whose target matches `name` leads to `to`, which is asked of the whole server."""

    name: NameMatch
    to: str


Rewrite = NameRewrite | TypeRewrite | ClassRewrite | OptionRewrite | TtlRewrite | RcodeRewrite | CnameRewrite


class RewriteRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. If it applies and says `stop`, no rule behind it does."""

    change: Rewrite
    stop: bool
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


class ConstantTerm(msgspec.Struct, frozen=True, tag_field="term", tag="constant", forbid_unknown_fields=True):
    """A text, number or truth that is written in the template; None is nothing."""

    value: str | int | bool | None


class DataTerm(msgspec.Struct, frozen=True, tag_field="term", tag="data", forbid_unknown_fields=True):
    """All that is known of the query."""


class DotTerm(msgspec.Struct, frozen=True, tag_field="term", tag="dot", forbid_unknown_fields=True):
    """What `with` or `range` has at hand."""


class VariableTerm(msgspec.Struct, frozen=True, tag_field="term", tag="variable", forbid_unknown_fields=True):
    """What was put into a slot."""

    slot: int


class SetTerm(msgspec.Struct, frozen=True, tag_field="term", tag="set", forbid_unknown_fields=True):
    """Puts a value into a slot; it is that value."""

    slot: int
    value: Term


class FieldTerm(msgspec.Struct, frozen=True, tag_field="term", tag="field", forbid_unknown_fields=True):
    """A part of a value by its name."""

    of: Term
    name: str


class LabelTerm(msgspec.Struct, frozen=True, tag_field="term", tag="label", forbid_unknown_fields=True):
    """The value of a label of the block's metadata, a text; empty where there is none."""

    label: str


class CallTerm(msgspec.Struct, frozen=True, tag_field="term", tag="call", forbid_unknown_fields=True):
    """A function of values."""

    function: TemplateFunction
    arguments: list[Term]


TemplateFunction = Literal[
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "index", "slice", "len", "print", "printf", "println", "parseInt"
]
Term = ConstantTerm | DataTerm | DotTerm | VariableTerm | SetTerm | FieldTerm | LabelTerm | CallTerm


class TextPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="text", forbid_unknown_fields=True):
    """A text as it is."""

    text: str


class PrintPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="print", forbid_unknown_fields=True):
    """A value as text."""

    value: Term


class DoPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="do", forbid_unknown_fields=True):
    """A value that is not printed."""

    value: Term


class IfBranch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part for a value that is not empty."""

    value: Term
    then: list[Piece]


class IfPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="if", forbid_unknown_fields=True):
    """The first of the branches whose value is not empty, or another part."""

    branches: list[IfBranch]
    otherwise: list[Piece]


class WithPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="with", forbid_unknown_fields=True):
    """A part for a value that is not empty, with the value at hand; or another part."""

    value: Term
    then: list[Piece]
    otherwise: list[Piece]


class RangePiece(msgspec.Struct, frozen=True, tag_field="piece", tag="range", forbid_unknown_fields=True):
    """A part for each item of a value, with the item at hand; another part if there is none. Slots get the item and its key."""

    value: Term
    key: int | None
    item: int | None
    then: list[Piece]
    otherwise: list[Piece]


class BreakPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="break", forbid_unknown_fields=True):
    """Ends the innermost range."""


class ContinuePiece(msgspec.Struct, frozen=True, tag_field="piece", tag="continue", forbid_unknown_fields=True):
    """Goes on with the next item of the innermost range."""


Piece = TextPiece | PrintPiece | DoPiece | IfPiece | WithPiece | RangePiece | BreakPiece | ContinuePiece


class RecordTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text of a record, made for each query. `source` is how Go prints the template, for metrics."""

    source: str
    pieces: list[Piece]


class ExtendedError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More about why an answer is what it is (RFC 8914)."""

    code: int
    text: str


class TemplateVariable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that is computed for each query, once; later expressions and the records may use it. `text`: as written, for explain."""

    name: str
    text: str
    expression: Expression


class TemplateRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is said to questions of a class and type for names under `zones` that one of `patterns` matches (none: all names).

    When a pattern has the name, `variables` are set in their order, and all of `conditions` have to be true. Names that no pattern
    matches, or for which a condition is false, go to the next rule where `fallthrough` has a zone for them; others are SERVFAIL.
    """

    qclass: int
    qtype: int
    zones: list[str]
    patterns: list[str]
    answer: list[RecordTemplate]
    authority: list[RecordTemplate]
    additional: list[RecordTemplate]
    rcode: int
    extended_error: ExtendedError | None
    fallthrough: list[str]
    span: int
    variables: list[TemplateVariable] = []
    conditions: list[Condition] = []


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


class Constant(msgspec.Struct, frozen=True, tag_field="is", tag="constant", forbid_unknown_fields=True):
    """True or false, a number, or a text."""

    value: bool | int | str


FactName = Literal[
    "bufsize", "class", "client_ip", "do", "id", "name", "opcode", "port", "proto", "server_ip", "server_port", "size", "type"
]


class Fact(msgspec.Struct, frozen=True, tag_field="is", tag="fact", forbid_unknown_fields=True):
    """Something about the query: `do` is true or false; `bufsize`, `id`, `opcode` and `size` are numbers; the others are texts."""

    name: FactName


class LabelValue(msgspec.Struct, frozen=True, tag_field="is", tag="label", forbid_unknown_fields=True):
    """The value of a label of the block's metadata, a text; empty where there is none."""

    label: str


class InNetwork(msgspec.Struct, frozen=True, tag_field="is", tag="in_network", forbid_unknown_fields=True):
    """Whether a text is an address in a network (`10.0.0.0/8`). A text that is no address fails, and with it the whole expression."""

    address: Expression
    network: str


class Not(msgspec.Struct, frozen=True, tag_field="is", tag="not", forbid_unknown_fields=True):
    """The contrary."""

    of: Expression


class AllOf(msgspec.Struct, frozen=True, tag_field="is", tag="all", forbid_unknown_fields=True):
    """Whether all are true; the first that is not decides."""

    of: list[Expression]


class AnyOf(msgspec.Struct, frozen=True, tag_field="is", tag="any", forbid_unknown_fields=True):
    """Whether one is true; the first that is decides."""

    of: list[Expression]


Comparison = Literal["==", "!=", "<", "<=", ">", ">=", "startsWith", "endsWith", "contains"]


class Compare(msgspec.Struct, frozen=True, tag_field="is", tag="compare", forbid_unknown_fields=True):
    """Two values of one type. Numbers and texts have an order; only texts begin with, end with and contain others."""

    by: Comparison
    left: Expression
    right: Expression


class OneOf(msgspec.Struct, frozen=True, tag_field="is", tag="one_of", forbid_unknown_fields=True):
    """Whether a value is equal to one of some others, all of one type."""

    value: Expression
    among: list[Expression]


class Matches(msgspec.Struct, frozen=True, tag_field="is", tag="matches", forbid_unknown_fields=True):
    """Whether a pattern occurs in a text."""

    text: Expression
    pattern: str


class Choice(msgspec.Struct, frozen=True, tag_field="is", tag="choice", forbid_unknown_fields=True):
    """One of two values of one type."""

    condition: Expression
    then: Expression
    otherwise: Expression


ExpressionFunction = Literal[
    "+",
    "-",
    "*",
    "%",
    "in",
    "index",
    "slice",
    "incidr",
    "group",
    "abs",
    "hasPrefix",
    "hasSuffix",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "len",
    "lower",
    "max",
    "min",
    "repeat",
    "replace",
    "split",
    "string",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "upper",
]


class Call(msgspec.Struct, frozen=True, tag_field="is", tag="call", forbid_unknown_fields=True):
    """What a function gives for its arguments. What it cannot compute fails, and with it the whole expression.

    `+` adds numbers, or joins texts. `index` and `slice` are `list[1]` and `list[1:2]`. `incidr` has a network that is not known before
    a query comes. `group` is what a group of a template's pattern has matched, by number or name; empty where there is none.
    """

    function: ExpressionFunction
    arguments: list[Expression]


class ListOf(msgspec.Struct, frozen=True, tag_field="is", tag="list", forbid_unknown_fields=True):
    """A list of values of one type."""

    of: list[Expression]


class Each(msgspec.Struct, frozen=True, tag_field="is", tag="each", forbid_unknown_fields=True):
    """What comes of asking `then` of each item of a list; in it `Item` is the item."""

    by: Literal["all", "any", "none", "one", "count", "filter", "map"]
    list: Expression
    then: Expression


class Item(msgspec.Struct, frozen=True, tag_field="is", tag="item", forbid_unknown_fields=True):
    """The item of the innermost `Each`."""


class VariableValue(msgspec.Struct, frozen=True, tag_field="is", tag="variable", forbid_unknown_fields=True):
    """A variable of a template, which has been set before."""

    name: str


Expression = (
    Constant
    | Fact
    | LabelValue
    | InNetwork
    | Not
    | AllOf
    | AnyOf
    | Compare
    | OneOf
    | Matches
    | Choice
    | Call
    | ListOf
    | Each
    | Item
    | VariableValue
)


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An expression that is true or false of a query. `text`: as it was written, for explain."""

    text: str
    expression: Expression


class TextLabel(msgspec.Struct, frozen=True, tag_field="is", tag="text", forbid_unknown_fields=True):
    """A label that is always the same."""

    text: str


class UpstreamLabel(msgspec.Struct, frozen=True, tag_field="is", tag="upstream", forbid_unknown_fields=True):
    """The address and port of the upstream that was asked last."""


class AddressLabel(msgspec.Struct, frozen=True, tag_field="is", tag="address", forbid_unknown_fields=True):
    """What a local zone knows of the client's address: the value at this place (`zones.AddressLabels`)."""

    zone: str
    at: int


LabelSource = TextLabel | UpstreamLabel | AddressLabel


class NamePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One label of a name, or, with `rest`, all that are left of it. Its text without `prefix` is the value of `label` (empty: of none).

    `words`: what it may be (empty: anything). `prefixed`: it has to begin with `prefix`.
    """

    label: str = ""
    words: list[str] = []
    prefix: str = ""
    prefixed: bool = False
    rest: bool = False


class NameGrammar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Labels that are parts of the name that is asked for, if it is under one of `origins`.

    The first of `shapes` that it has decides: its parts are counted leftwards from the origin. Labels that other shapes have are
    empty then. A name without any of the shapes has the label `error` only, with this `message`.
    """

    origins: list[str]
    shapes: list[list[NamePart]]
    error: str
    message: str


class Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the block can tell of a query, by label, for logs and conditions. Only names under `zones` have labels, upstreams excepted."""

    zones: list[str]
    labels: dict[str, LabelSource]
    names: list[NameGrammar]


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
