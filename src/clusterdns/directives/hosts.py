"""`hosts`: addresses and names from a hosts file, and from lines of the Corefile."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, duration, first_argument, integer, reached_zones, suggestion, zones
from clusterdns.hostsfile import HostsOptions, read_entries
from clusterdns.iana import TYPES
from clusterdns.names import ROOT
from clusterdns.plan.ops import RecordsOp
from clusterdns.scalars import NO_TIME, Duration

DEFAULT_FILE = "/etc/hosts"
DEFAULT_TTL = 3600
MOST_TTL = 65535
RELOAD = Duration.parse("5s")

OPTIONS = ("ttl", "no_reverse", "reload", "fallthrough", "fallthrough_unsupported")


def compile_hosts(lines: Sequence[Line], block: BlockContext) -> None:
    """`hosts [FILE [ZONES...]] { ADDRESS NAME... ttl SECONDS no_reverse reload DURATION fallthrough [ZONES...] ... }`"""
    line = lines[0]
    under = reached_zones(line, line.args[1:], block)
    path = block.path(line.args[0].text) if line.args else DEFAULT_FILE
    wanted = HostsOptions(path, bool(line.args), under, DEFAULT_TTL, reverse=True, reload_seconds=RELOAD.seconds)
    entries: list[Line] = []
    fallthrough: tuple[str, ...] = ()
    unsupported: Line | None = None
    for option in line.block or ():
        name = option.name.text
        if option.block is not None:
            block.error(option, f"`{name}` takes no block", "remove the braces and what is in them", code="unexpected-block")
        if name == "fallthrough":
            fallthrough = zones(option.args, block) if option.args else (ROOT,)
        elif name == "fallthrough_unsupported":
            arguments(option, block, name)
            unsupported = option
        elif name in OPTIONS:
            wanted = _with_option(wanted, option, block)
        elif fallthrough:
            message = f"unknown option `{name}` of `hosts`, and no entry may stand behind `fallthrough`"
            block.error(option, message, suggestion(name, OPTIONS), code="unknown-option")
        else:
            entries.append(option)
    if unsupported and not fallthrough:
        block.error(unsupported, "fallthrough_unsupported requires fallthrough", "write `fallthrough` too", code="conflict")
    _check_entries(entries, wanted, block)
    local, sources = [block.feed_zone("hosts", wanted)], [path]
    if entries:
        sources.append("inline")
        local.append(block.feed_zone("hosts", msgspec.structs.replace(wanted, entries=tuple(entry.text for entry in entries))))
    block.emit(
        RecordsOp(
            zones=local,
            under=list(under),
            types=[TYPES["A"], TYPES["AAAA"]],
            anywhere=[TYPES["PTR"]],
            fallthrough=list(fallthrough),
            fallthrough_types=unsupported is not None,
            name="hosts",
            span=block.span(line),
            sources=sources,
        )
    )


def _with_option(wanted: HostsOptions, option: Line, block: BlockContext) -> HostsOptions:
    """The options with one more line taken in; one that is wrong is reported and changes nothing."""
    replace = msgspec.structs.replace
    match option.name.text:
        case "ttl":
            token = first_argument(option, block, "ttl SECONDS")
            ttl = integer(token, block, 1, MOST_TTL) if token else None
            return replace(wanted, ttl=ttl) if ttl else wanted
        case "reload":
            words = arguments(option, block, "reload DURATION") or ()
            interval = next((duration(word, block, least=NO_TIME) for word in words), None)
            return replace(wanted, reload_seconds=interval.seconds) if interval is not None else wanted
        case _:
            for word in option.args:
                block.warn(word, f"`{word.text}` means nothing here", "write: no_reverse", code="ignored-word")
            return replace(wanted, reverse=False)


def _check_entries(entries: Sequence[Line], wanted: HostsOptions, block: BlockContext) -> None:
    """Lines that say nothing; what is neither an option nor an entry counts as one of those, as in CoreDNS."""
    for entry in entries:
        found = read_entries(wanted, (entry.text,))
        if found.first_flaw:
            hint = suggestion(entry.name.text, OPTIONS, told=()) or "write: ADDRESS NAME..."
            block.warn(entry, f"the entry is left out: {found.first_flaw.why}", hint, code="bad-entry")
        elif not found.entries:
            block.warn(entry, "none of the names is in the zones of `hosts`", f"these are {', '.join(wanted.zones)}", code="entry-outside")


DIRECTIVE = Directive(name="hosts", compile=compile_hosts, once=True)
