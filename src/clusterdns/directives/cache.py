"""`cache`: answer from earlier answers, for as long as they may be used."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from clusterdns.corefile.tree import Line, Token
from clusterdns.digests import sha256
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, choice, duration, integer, options, reached_zones, zones
from clusterdns.names import ROOT
from clusterdns.plan.ops import CacheClass, CacheOp, Prefetch, ServeStale
from clusterdns.scalars import NO_TIME, Duration, bounded, parse_integer

CAPACITY = 9984
LEAST_CAPACITY = 1024
SUCCESS_TTL = 3600
DENIAL_TTL = 1800
LEAST_TTL = 5
MOST_TTL = 2**31 - 1  # RFC 2181 8
PREFETCH_DURATION = Duration.parse("1m")
PREFETCH_PERCENTAGE = 10
STALE_WINDOW = Duration.parse("1h")
MOST_RECHECK = Duration.parse("5m")  # RFC 8767 5
MOST_SERVFAIL = Duration.parse("5m")  # RFC 2308 7.1
SECOND = Duration.parse("1s")

OPTIONS = ("success", "denial", "prefetch", "serve_stale", "serve_stale_policy", "servfail", "disable", "keepttl")


def compile_cache(lines: Sequence[Line], block: BlockContext) -> None:
    """`cache [TTL] [ZONES...] { success CAPACITY [TTL] [MINTTL] denial ... prefetch ... serve_stale ... servfail ... disable ... }`"""
    line = lines[0]
    most, names = _split_ttl(line, block)
    op = CacheOp(
        id="",
        zones=list(reached_zones(line, names, block, "a TTL is a number of seconds without a unit")),
        success=CacheClass(CAPACITY, most or SUCCESS_TTL, LEAST_TTL),
        denial=CacheClass(CAPACITY, most or DENIAL_TTL, LEAST_TTL),
        servfail=LEAST_TTL,
        prefetch=None,
        serve_stale=None,
        keepttl=False,
        disable_success=[],
        disable_denial=[],
        span=0,
    )
    policies: list[Line] = []
    stale = False
    for option in options(line, block, OPTIONS):
        stale = stale or option.name.text == "serve_stale"
        if option.name.text == "serve_stale_policy":
            policies.append(option)
        else:
            op = _with_option(op, option, block)
    op = _with_policy(op, policies, stale, block)
    # What a cache holds is right as long as it is kept by the same rules.
    identity = f"cache/{block.identity}/{sha256(msgspec.json.encode(op)).hexdigest()[:12]}"
    block.emit(msgspec.structs.replace(op, id=identity, span=block.span(line)))


def _split_ttl(line: Line, block: BlockContext) -> tuple[int | None, tuple[Token, ...]]:
    """The TTL, if the first word is a number, and the zones."""
    try:
        ttl = parse_integer(line.args[0].text)
    except (IndexError, ValueError):
        return None, line.args
    return _ttl(line.args[0], ttl, block), line.args[1:]


def _ttl(token: Token, ttl: int, block: BlockContext) -> int | None:
    """A longest time: 0 is none, as in CoreDNS."""
    if ttl > 0:
        return min(ttl, MOST_TTL)
    hint = "remove `cache`, or write how many seconds an answer may be kept, like 30"
    block.error(token, f"a TTL of {ttl} keeps nothing", hint, code="bad-value")
    return None


def _with_option(op: CacheOp, option: Line, block: BlockContext) -> CacheOp:
    """The op with one more option taken in; one that is wrong is reported and changes nothing."""
    replace = msgspec.structs.replace
    match option.name.text:
        case "success":
            return replace(op, success=_class(op.success, option, block))
        case "denial":
            return replace(op, denial=_class(op.denial, option, block))
        case "prefetch":
            return replace(op, prefetch=_prefetch(option, block))
        case "serve_stale":
            return replace(op, serve_stale=_serve_stale(option, block))
        case "servfail":
            words = arguments(option, block, "servfail DURATION")
            kept = duration(words[0], block, NO_TIME, MOST_SERVFAIL) if words else None
            return op if kept is None else replace(op, servfail=kept.whole_seconds)
        case "disable":
            return _with_disabled(op, option, block)
        case _:
            arguments(option, block, "keepttl")
            return replace(op, keepttl=True)


def _class(old: CacheClass, option: Line, block: BlockContext) -> CacheClass:
    """`success CAPACITY [TTL] [MINTTL]`, and the same for denial."""
    name = option.name.text
    words = arguments(option, block, f"{name} CAPACITY [TTL] [MINTTL]")
    numbers = [integer(word, block) for word in words or ()]
    if not words or None in numbers:
        return old
    capacity, most, least, *_ = (*numbers, None, None)
    assert capacity is not None
    if capacity < LEAST_CAPACITY:
        block.warn(words[0], f"a cache holds at least {LEAST_CAPACITY} answers", f"write: {name} {LEAST_CAPACITY}", code="raised")
    most = old.max_ttl if most is None else _ttl(words[1], most, block) or old.max_ttl
    if least is not None and least < 0:
        block.error(words[2], f"{least} is out of range: at least 0", code="bad-value")
    return CacheClass(
        capacity=min(max(capacity, LEAST_CAPACITY), MOST_TTL),
        max_ttl=most,
        min_ttl=old.min_ttl if least is None else min(max(least, 0), MOST_TTL),
    )


def _prefetch(option: Line, block: BlockContext) -> Prefetch | None:
    """`prefetch AMOUNT [DURATION] [PERCENTAGE%]`; an amount of 0 is no prefetch."""
    words = arguments(option, block, "prefetch AMOUNT [DURATION] [PERCENTAGE%]")
    if not words:
        return None
    amount = integer(words[0], block, least=0)
    gap = duration(words[1], block, least=NO_TIME) if len(words) > 1 else PREFETCH_DURATION
    percentage = _percentage(words[2], block) if len(words) > 2 else PREFETCH_PERCENTAGE
    if not amount or gap is None or percentage is None:
        return None
    return Prefetch(min(amount, MOST_TTL), gap.whole_seconds, percentage)


def _percentage(token: Token, block: BlockContext) -> int | None:
    """`20%`"""
    try:
        if token.text.endswith("%"):
            return bounded(parse_integer(token.text[:-1]), 10, 90)
    except ValueError as problem:
        block.error(token, str(problem), "write a percentage from 10% to 90%", code="bad-value")
        return None
    block.error(token, f"`{token.text}` is no percentage", f"write: {token.text}%", code="bad-value")
    return None


def _serve_stale(option: Line, block: BlockContext) -> ServeStale | None:
    """`serve_stale [DURATION] [immediate [TTL [RECHECK]] | verify [TIMEOUT [TTL [RECHECK]]]]`; a duration of 0 is none."""
    immediate, verify = "serve_stale [DURATION] [immediate] [TTL] [RECHECK]", "serve_stale [DURATION] [verify] [TIMEOUT] [TTL] [RECHECK]"
    verified = len(option.args) > 1 and option.args[1].text.lower() == "verify"
    words = arguments(option, block, *((verify, (immediate,)) if verified else (immediate, (verify,))))
    if words is None:
        return None
    if len(words) > 1 and words[1].text.lower() not in ("immediate", "verify"):
        choice(words[1], block, ("immediate", "verify"))
        return None
    rest = words[2:]
    window = duration(words[0], block, least=NO_TIME) if words else STALE_WINDOW
    timeout = duration(rest[0], block, least=NO_TIME) if verified and rest else NO_TIME
    ttl, recheck, *_ = (*rest[1 if verified else 0 :], None, None)
    seconds = _stale_ttl(ttl, block) if ttl else 0
    pause = duration(recheck, block, NO_TIME, MOST_RECHECK) if recheck else NO_TIME
    if not window or timeout is None or seconds is None or pause is None or window == NO_TIME:
        return None
    return ServeStale(
        window=window.whole_seconds,
        mode="verify" if verified else "immediate",
        timeout_ms=timeout.whole_milliseconds,
        ttl=seconds,
        recheck=pause.whole_seconds,
        prefer_positive=False,
    )


def _stale_ttl(token: Token, block: BlockContext) -> int | None:
    """The TTL of stale answers: a duration, but DNS knows whole seconds only."""
    ttl = duration(token, block, NO_TIME, Duration((2**32 - 1) * SECOND.nanoseconds))
    if ttl is not None and ttl.nanoseconds % SECOND.nanoseconds:
        block.error(token, f"a TTL of {ttl} is no whole number of seconds", f"write: {ttl.whole_seconds}s", code="bad-value")
        return None
    return None if ttl is None else ttl.whole_seconds


def _with_policy(op: CacheOp, policies: Sequence[Line], stale: bool, block: BlockContext) -> CacheOp:
    """`serve_stale_policy prefer_positive`, once, and beside `serve_stale`."""
    for option in policies:
        for word in arguments(option, block, "serve_stale_policy prefer_positive") or ():
            if word.text.lower() != "prefer_positive":
                choice(word, block, ("prefer_positive",))
    for option in policies[1:]:
        block.error(option, "`serve_stale_policy` can be used only once", f"it stands at {policies[0].place} already", code="used-twice")
    if policies and not stale:
        block.error(policies[0], "`serve_stale_policy` needs `serve_stale`", "add a line: serve_stale", code="conflict")
    if not policies or op.serve_stale is None:
        return op
    return msgspec.structs.replace(op, serve_stale=msgspec.structs.replace(op.serve_stale, prefer_positive=True))


def _with_disabled(op: CacheOp, option: Line, block: BlockContext) -> CacheOp:
    """`disable success|denial [ZONES...]`; of several lines for one kind the last counts."""
    words = arguments(option, block, "disable success|denial [ZONES...]")
    if not words or choice(words[0], block, ("success", "denial")) is None:
        return op
    names = list(zones(words[1:], block)) if words[1:] else [ROOT]
    if words[0].text == "success":
        return msgspec.structs.replace(op, disable_success=names)
    return msgspec.structs.replace(op, disable_denial=names)


DIRECTIVE = Directive(name="cache", compile=compile_cache, once=True)
