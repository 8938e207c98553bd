"""Tree to plan: all problems of a Corefile, or what the engine shall do.

Pure and total: any tree gives a plan or at least one error; the outside world comes as a `Sources` value.
Must not know single directives, sockets or the engine.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from clusterdns.corefile.keys import InvalidKey, Key, parse_key
from clusterdns.corefile.problems import Place, Problem, Severity, has_errors
from clusterdns.corefile.syntax import Parsed
from clusterdns.corefile.tree import Line, ServerBlock, Token
from clusterdns.directives import FILTERS, SETTINGS, TABLE, in_order, is_directive, load_directive
from clusterdns.directives.block import BlockContext, Feed, Plugin, ReloadOptions, ResolvedHost, Spans, WatchedFile
from clusterdns.directives.labels import Labels, mentioned_in
from clusterdns.directives.options import suggestion
from clusterdns.listeners import Listeners, Served, http_listeners
from clusterdns.names import is_preferred
from clusterdns.plan import VERSION, Plan
from clusterdns.scalars import NO_TIME, Duration
from clusterdns.sources import Sources

Item = TypeVar("Item")


class Compilation(msgspec.Struct, frozen=True):
    """What became of a Corefile. There is a plan if there is no error among the problems, which are in the order of the files."""

    plan: Plan | None
    problems: tuple[Problem, ...]
    feeds: tuple[Feed, ...] = ()
    reload: ReloadOptions | None = None
    debug: bool = False
    watched: tuple[WatchedFile, ...] = ()
    hosts: tuple[ResolvedHost, ...] = ()
    plugins: tuple[Plugin, ...] = ()
    served: tuple[Served, ...] = ()
    lameduck: Duration = NO_TIME


def compile_plan(parsed: Parsed, sources: Sources, *, default_port: int = 53) -> Compilation:
    """All problems at once, those of the syntax included, or a plan."""
    spans = Spans()
    problems = list(parsed.problems)
    if not parsed.tree.blocks:
        problems += _nothing_to_serve(parsed)
    directory = posixpath.dirname(next(iter(parsed.files), ""))
    identities = _identities(parsed.tree.blocks)
    mentioned = mentioned_in(parsed.tree)
    blocks = [
        _compile_block(block, identity, mentioned, sources, directory, default_port, spans, problems)
        for block, identity in zip(parsed.tree.blocks, identities, strict=True)
    ]
    listeners = Listeners(problems)
    plan_blocks = [block for compiled in blocks for block in listeners.serve(compiled.keys, compiled.context, compiled.filtered)]
    listeners.check()
    http = http_listeners([compiled.context for compiled in blocks], problems)
    ordered = _in_file_order(problems, parsed.files)
    if has_errors(ordered):
        return Compilation(None, ordered)
    contexts = [compiled.context for compiled in blocks]
    return Compilation(
        plan=Plan(
            version=VERSION,
            listeners=list(listeners.by_id.values()),
            zones=list(_unique(zone for context in contexts for zone in context.zone_ids)),
            blocks=plan_blocks,
            spans=spans.table(),
            http=http,
        ),
        problems=ordered,
        feeds=_feeds_of(contexts),
        reload=_reload_of(blocks),
        debug=any(context.debug for context in contexts),
        watched=_unique(file for context in contexts for file in context.watched),
        hosts=_unique(host for context in contexts for host in context.hosts),
        plugins=tuple({plugin.function: plugin for context in contexts for plugin in context.plugins}.values()),
        served=tuple(sorted(set(listeners.served))),
        lameduck=max((context.lameduck for context in contexts), default=NO_TIME),
    )


def _feeds_of(contexts: Iterable[BlockContext]) -> tuple[Feed, ...]:
    """Each feed once, as the first block that has it says."""
    feeds: dict[str, Feed] = {}
    for feed in (feed for context in contexts for feed in context.feeds):
        feeds.setdefault(feed.zone, feed)
    return tuple(feeds.values())


class _Compiled(msgspec.Struct, frozen=True):
    """A server block: its keys, each with the word that it comes from, and what its directives made.

    `filtered`: it takes some queries only and leaves the others to further blocks for the same zone.
    """

    keys: tuple[tuple[Key, Token], ...]
    context: BlockContext
    filtered: bool


def _nothing_to_serve(parsed: Parsed) -> Iterator[Problem]:
    """CoreDNS serves its built-in Corefile then; whether to do that is for the caller to say."""
    for file in parsed.files[:1]:
        yield Problem(Severity.WARNING, "no-server-block", Place(file), "there is no server block", "write one, like .:53 { ... }")


def _identities(blocks: Sequence[ServerBlock]) -> Iterator[str]:
    """What tells each block from the others: its keys and filters, numbered where several have the same (they differ in `bind`)."""
    seen: Counter[str] = Counter()
    for block in blocks:
        words = " ".join((*(key.text for key in block.keys), *(line.text for line in block.lines if line.name.text in FILTERS)))
        seen[words] += 1
        yield words if seen[words] == 1 else f"{words} #{seen[words]}"


def _compile_block(
    block: ServerBlock,
    identity: str,
    mentioned: frozenset[str],
    sources: Sources,
    directory: str,
    default_port: int,
    spans: Spans,
    problems: list[Problem],
) -> _Compiled:
    """One server block, all of its directives in the order of the table."""
    keys = tuple((key, token) for token in block.keys for key in _parse_key(token, default_port, problems))
    zones = _unique(key.zone for key, _ in keys)
    schemes = frozenset(key.scheme for key, _ in keys)
    labels = Labels(mentioned)
    context = BlockContext(zones, sources, directory, identity, spans=spans, problems=problems, schemes=schemes, labels=labels)
    for key, token in keys:
        _warn_of_key(key, token, context)
    lines = _lines_by_directive(block.lines, context)
    names = in_order(lines)
    context.directives = tuple(name for name in names if name not in SETTINGS)
    for name in names:
        _compile_directive(name, lines[name], context)
    for place, message, hint in context.labels.empty():
        context.warn(place, message, hint, code="empty-label")
    return _Compiled(keys, context, filtered=not FILTERS.isdisjoint(lines))


def _parse_key(token: Token, default_port: int, problems: list[Problem]) -> tuple[Key, ...]:
    """What one key asks to serve; nothing if it is wrong."""
    try:
        return parse_key(token.text, default_port)
    except InvalidKey as problem:
        problems.append(Problem(Severity.ERROR, problem.code, token.place, str(problem), problem.hint))
        return ()


def _warn_of_key(key: Key, token: Token, context: BlockContext) -> None:
    """Report a key that can be served, but is probably not meant."""
    # Only `local` is likely to be a zone as well.
    if token.text in TABLE and token.text != "local":
        hint = "a directive must stand inside the braces of a block; look for a `}` above that closes too early"
        context.warn(token, f"the directive `{token.text}` is read as a zone here", hint, code="directive-as-zone")
    elif not is_preferred(key.zone):
        hint = "the schemes are dns, tls, https, https3, quic and grpc" if "://" in token.text else "letters, digits and hyphens are usual"
        context.warn(token, f"the zone `{key.zone}` does not follow the preferred syntax of RFC 1035", hint, code="odd-zone")


def _lines_by_directive(lines: Iterable[Line], context: BlockContext) -> Mapping[str, Sequence[Line]]:
    """The lines of each directive, in their order (rule G3); unknown ones are reported."""
    known: dict[str, list[Line]] = {}
    for line in lines:
        name = line.name.text
        if is_directive(name):
            known.setdefault(name, []).append(line)
        else:
            word = name.rstrip("{")
            here = [directive for directive, present in TABLE.items() if present]
            hint = f"write: {word} {{" if word != name and word in TABLE else suggestion(name, TABLE, told=here)
            context.error(line, f"unknown directive `{name}`", hint, code="unknown-directive")
    return known


def _compile_directive(name: str, lines: Sequence[Line], context: BlockContext) -> None:
    """All lines of one directive in this block."""
    directive = load_directive(name)
    if directive is None:
        for line in lines:
            hint = "CoreDNS has it, this version of clusterdns does not: remove the line or stay with CoreDNS for now"
            context.error(line, f"the directive `{name}` is not supported yet", hint, code="unsupported-directive")
        return
    if directive.once and len(lines) > 1:
        for line in lines[1:]:
            hint = f"it stands at {lines[0].place} already; put all of it there"
            context.error(line, f"`{name}` can be used only once in a server block", hint, code="used-twice")
        lines = lines[:1]
    directive.compile(lines, context)


def _reload_of(blocks: Sequence[_Compiled]) -> ReloadOptions | None:
    """How to reload: it is one process, so the last block that says it decides, as in CoreDNS."""
    return next((compiled.context.reload for compiled in reversed(blocks) if compiled.context.reload), None)


def _in_file_order(problems: Iterable[Problem], files: Sequence[str]) -> tuple[Problem, ...]:
    """The problems as a reader meets them; what a snippet repeats is told once."""
    order = {file: index for index, file in enumerate(files)}
    return tuple(sorted(_unique(problems), key=lambda p: (order.get(p.place.file, len(order)), p.place.line, p.place.column)))


def _unique(items: Iterable[Item]) -> tuple[Item, ...]:
    """Each item once, in the order of first appearance."""
    return tuple(dict.fromkeys(items))
