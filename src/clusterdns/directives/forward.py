"""`forward`: ask other servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from clusterdns.corefile.problems import has_errors
from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, choice, duration, integer, options, rcode, zones
from clusterdns.directives.upstreams import SERVER_OPTIONS, ServerOptions, servers_of, upstreams_of, with_server_option
from clusterdns.names import ROOT, InvalidName, is_subdomain, normalise
from clusterdns.plan.labels import UpstreamLabel
from clusterdns.plan.ops import ForwardOp, HealthCheck
from clusterdns.scalars import MOST_IN_PLAN, NO_TIME, Duration

Policy = Literal["random", "round_robin", "sequential"]

LABEL = "forward/upstream"
"""Metadata: the upstream that was asked."""
TRIES_PER_UPSTREAM = 2
LEAST_CHECK = Duration.parse("10ms")
"""Shorter intervals count as this one: a server that is down is not to be flooded."""

POLICIES: dict[str, Policy] = {"random": "random", "round_robin": "round_robin", "sequential": "sequential"}

FLAGS = {
    "force_tcp": "force_tcp",
    "prefer_udp": "prefer_udp",
    "next_on_nodata": "next_on_nodata",
    "failfast_all_unhealthy_upstreams": "failfast_all_unhealthy",
}
NUMBERS = {"max_fails": "max_fails", "max_connect_attempts": "max_connect_attempts", "max_concurrent": "max_concurrent"}
DURATIONS = {"expire": "expire_ms", "max_age": "max_age_ms", "read_timeout": "read_timeout_ms"}
CODES = ("failover", "next")
OPTIONS = (
    *("except", *FLAGS, *NUMBERS, *DURATIONS, *CODES, "policy", "health_check"),
    *("max_idle_conns", "doh_method", *SERVER_OPTIONS),
)


def compile_forward(lines: Sequence[Line], block: BlockContext) -> None:
    """`forward FROM TO... { OPTION... }`, any number of times; the first line whose FROM matches is asked."""
    ops: list[ForwardOp] = []
    for number, line in enumerate(lines):
        if op := _compile_line(line, number, block):
            _warn_of_order(line, op, ops, block)
            ops.append(op if line is not lines[-1] else _without_next(line, op, block))
    block.labels.offer(LABEL, UpstreamLabel())
    for op in ops:
        block.emit(op)


def _compile_line(line: Line, number: int, block: BlockContext) -> ForwardOp | None:
    """One line with its options."""
    words = arguments(line, block, "forward FROM TO...")
    if not words:
        return None
    servers = servers_of(line, words[1:], block)
    problems = len(block.problems)
    chosen = tuple(options(line, block, OPTIONS))
    ways = ServerOptions()
    for option in chosen:
        if option.name.text in SERVER_OPTIONS:
            ways = with_server_option(ways, option, servers, block)
    # Names are looked up only where it is known how.
    upstreams = [] if has_errors(block.problems[problems:]) else upstreams_of(servers, ways, block)
    op = ForwardOp(
        id=f"forward/{block.identity}/{number}",
        from_zone=_from_zone(words[0], block),
        except_zones=[],
        upstreams=upstreams,
        policy="random",
        max_fails=2,
        expire_ms=10_000,
        max_age_ms=0,
        max_concurrent=0,
        force_tcp=False,
        prefer_udp=False,
        read_timeout_ms=2000,
        max_connect_attempts=TRIES_PER_UPSTREAM * len(upstreams),
        health_check=HealthCheck(interval_ms=500, domain=ROOT, recursion_desired=True),
        failover=[],
        next=[],
        next_on_nodata=False,
        failfast_all_unhealthy=False,
        span=block.span(line),
    )
    for option in chosen:
        if option.name.text not in SERVER_OPTIONS:
            op = _with_option(op, option, block)
    if 0 < op.max_age_ms < op.expire_ms:
        message = f"max_age ({Duration(op.max_age_ms * 10**6)}) must not be less than expire ({Duration(op.expire_ms * 10**6)})"
        block.error(line, message, "lower expire too: a connection ends at whichever comes first", code="conflict")
    return op


def _from_zone(token: Token, block: BlockContext) -> str:
    """The zone whose questions are forwarded. A CIDR that stands for several zones means the first, as in CoreDNS."""
    origins = zones([token], block)
    if not origins:
        return ROOT
    zone = origins[0]
    if origins[1:]:
        hint = f"write a line for each of {', '.join(origins)}" if len(origins) <= 8 else "write prefixes that end with a whole label"
        block.warn(token, f"`{token.text}` stands for {len(origins)} zones; only `{zone}` is forwarded", hint, code="several-zones")
    if not any(is_subdomain(zone, served) or is_subdomain(served, zone) for served in block.zones):
        hint = f"this block serves {', '.join(block.zones)}: add the zone to its keys"
        block.warn(token, f"no question for `{zone}` comes here", hint, code="unreachable-zone")
    return zone


def _with_option(op: ForwardOp, option: Line, block: BlockContext) -> ForwardOp:
    """The op with one more option taken in; one that is wrong is reported and changes nothing."""
    replace = msgspec.structs.replace
    match option.name.text:
        case "except":
            return replace(op, except_zones=[*op.except_zones, *_except(option, block)])
        case flag if flag in FLAGS:
            arguments(option, block, flag)
            return replace(op, **{FLAGS[flag]: True})
        case name if name in NUMBERS:
            words = arguments(option, block, f"{name} NUMBER")
            number = integer(words[0], block, 0, MOST_IN_PLAN) if words else None
            return op if number is None else replace(op, **{NUMBERS[name]: number})
        case name if name in DURATIONS:
            words = arguments(option, block, f"{name} DURATION")
            least = Duration(1) if name == "read_timeout" else NO_TIME
            length = duration(words[0], block, least=least) if words else None
            return op if length is None else replace(op, **{DURATIONS[name]: length.whole_milliseconds})
        case name if name in CODES:
            codes = _codes(option, block)
            return replace(op, failover=[*op.failover, *codes]) if name == "failover" else replace(op, next=[*op.next, *codes])
        case "policy":
            words = arguments(option, block, "policy random|round_robin|sequential")
            policy = choice(words[0], block, POLICIES) if words else None
            return replace(op, policy=POLICIES[policy]) if policy else op
        case "health_check":
            return replace(op, health_check=_health_check(op.health_check, option, block))
        case _:
            _look_at_what_changes_nothing(option, block)
            return op


def _except(option: Line, block: BlockContext) -> tuple[str, ...]:
    """The zones that are left to the next op."""
    words = arguments(option, block, "except ZONE...")
    return zones(words, block) if words else ()


def _codes(option: Line, block: BlockContext) -> list[int]:
    """Response codes by name."""
    codes: list[int] = []
    for token in arguments(option, block, f"{option.name.text} RCODE...") or ():
        code = rcode(token, block)
        if option.name.text == "failover" and code == 0:
            block.error(token, "NOERROR cannot be used in failover", "it is an answer: there is nothing to try again", code="bad-value")
        elif code is not None:
            codes.append(code)
    return codes


def _health_check(old: HealthCheck, option: Line, block: BlockContext) -> HealthCheck:
    """`health_check DURATION [no_rec] [domain FQDN]`"""
    syntax = "health_check DURATION [no_rec] [domain] [FQDN]"
    words = arguments(option, block, syntax)
    if not words:
        return old
    interval = duration(words[0], block, least=NO_TIME)
    domain, recursion = ROOT, old.recursion_desired
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word.text == "no_rec":
            recursion = False
        elif word.text != "domain":
            choice(word, block, ("no_rec", "domain"))
        elif not rest:
            block.error(word, "`domain` needs a name", "write: domain FQDN", code="argument-count")
        else:
            name = rest.pop(0)
            try:
                domain = normalise(name.text)
            except InvalidName as problem:
                block.error(name, f"`{name.text}` is no name: {problem}", code="bad-name")
    return old if interval is None else HealthCheck(max(interval, LEAST_CHECK).whole_milliseconds, domain, recursion)


def _look_at_what_changes_nothing(option: Line, block: BlockContext) -> None:
    """Options that CoreDNS takes, and that change nothing where nothing needs them."""
    match option.name.text:
        case "doh_method":
            for token in arguments(option, block, "doh_method GET|POST") or ():
                choice(token, block, ("GET", "POST"))
            why = "no upstream is asked over HTTPS"
        case _:
            for token in arguments(option, block, "max_idle_conns NUMBER") or ():
                integer(token, block, least=0)
            why = "connections are few: many questions share one"
    block.warn(option, f"`{option.name.text}` has no effect", f"{why}; remove the line", code="no-effect")


def _warn_of_order(line: Line, op: ForwardOp, before: Sequence[ForwardOp], block: BlockContext) -> None:
    """A line that is never reached, as one before it takes all of its questions."""
    for earlier in before:
        passes_on = earlier.except_zones or earlier.next or earlier.next_on_nodata
        if is_subdomain(op.from_zone, earlier.from_zone) and not passes_on:
            hint = "put the line with the longer zone first"
            block.warn(
                line, f"all questions for `{op.from_zone}` go to the line for `{earlier.from_zone}` before", hint, code="unreachable-line"
            )
            return


def _without_next(line: Line, op: ForwardOp, block: BlockContext) -> ForwardOp:
    """The last line has no other to pass a question on to: the reply stays, as in CoreDNS."""
    if not op.next and not op.next_on_nodata:
        return op
    block.warn(line, "`next` has no effect: there is no further `forward` in this block", "add one below", code="no-effect")
    return msgspec.structs.replace(op, next=[], next_on_nodata=False)


DIRECTIVE = Directive(name="forward", compile=compile_forward)
