"""A Corefile on its way to a plan: read, checked, compared with what runs, and kept for bad days."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.control.feeds import feed_module
from clusterdns.control.lookup import Lookups
from clusterdns.corefile.problems import Problem, Severity, has_errors
from clusterdns.corefile.syntax import parse_corefile, tree_hash
from clusterdns.digests import sha256
from clusterdns.directives.block import Feed, Plugin, ReloadOptions, ResolvedHost
from clusterdns.listeners import Served
from clusterdns.plan import Plan
from clusterdns.scalars import NO_TIME, Duration
from clusterdns.sources import Sources

LAST_GOOD = "last-good.json"


class Watched(msgspec.Struct, frozen=True):
    """A file that a plan was made from, how often to look at it, and what it held then (nothing: it could not be read)."""

    path: str
    interval: Duration
    digest: bytes


class Configuration(msgspec.Struct, frozen=True):
    """What a Corefile became. `plan` is None when it has errors; `texts` are the files that were read, by path.

    `parsed`: the files could be read and are a Corefile, whatever is wrong with its directives. `hosts`: the names that were looked up.
    """

    plan: Plan | None
    problems: tuple[Problem, ...]
    texts: Mapping[str, str]
    hash: str
    feeds: tuple[Feed, ...]
    reload: ReloadOptions | None
    served: tuple[Served, ...]
    parsed: bool = True
    lameduck: Duration = NO_TIME
    watched: tuple[Watched, ...] = ()
    plugins: tuple[Plugin, ...] = ()
    hosts: tuple[ResolvedHost, ...] = ()

    def means_the_same(self, other: Configuration) -> bool:
        """Whether both were made from the same words, files and addresses."""
        return (self.hash, self.watched, self.hosts) == (other.hash, other.watched, other.hosts)


class KeptFeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feed as it is kept on disk."""

    directive: str
    zone: str
    options: msgspec.Raw
    name: str = ""


class LastGood(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration that ran last, as it is kept on disk: enough to start without the Corefile."""

    plan: Plan
    hash: str
    feeds: list[KeptFeed]
    reload: tuple[int, int] | None
    served: list[tuple[str, str]]
    lameduck: int = 0
    plugins: tuple[Plugin, ...] = ()
    hosts: tuple[ResolvedHost, ...] = ()


def read_configuration(path: str, sources: Sources, default_port: int) -> Configuration:
    """Reads and compiles a Corefile. Never raises: what is wrong is among the problems."""
    digests: dict[str, bytes] = {}

    def read(path: str) -> str:
        digests[path] = b""
        text = sources.read(path)
        digests[path] = _digest(text)
        return text

    def digest(path: str) -> bytes:
        # What the engine reads by itself was not read yet.
        return digests[path] if path in digests else digest_of(path, sources)

    parsed = parse_corefile(path, sources)
    lookups = Lookups(sources.resolve)
    compiled: Compilation = compile_plan(parsed, replace(sources, read=read, resolve=lookups.resolve), default_port=default_port)
    # A file that somebody is about to write is empty for a moment: serving nothing is never what is meant.
    problems = tuple(replace(it, severity=Severity.ERROR) if it.code == "no-server-block" else it for it in compiled.problems)
    return Configuration(
        plan=None if has_errors(problems) else compiled.plan,
        problems=problems,
        texts=parsed.texts,
        hash=tree_hash(parsed.tree),
        feeds=compiled.feeds,
        reload=compiled.reload,
        served=compiled.served,
        parsed=not has_errors(parsed.problems),
        lameduck=compiled.lameduck,
        plugins=compiled.plugins,
        hosts=compiled.hosts,
        watched=tuple(Watched(file.path, file.interval, digest(file.path)) for file in compiled.watched),
    )


def says_what_runs(path: str, running: Configuration, sources: Sources) -> bool:
    """Whether a Corefile and the files that its plan was made from say what they said: compiling it would tell no more.

    No name is looked up for it: an answer that changes with each question must not change who is asked.
    """
    parsed = parse_corefile(path, sources)
    same = not has_errors(parsed.problems) and tree_hash(parsed.tree) == running.hash
    return same and not any(has_changed(file, sources) for file in running.watched)


def has_changed(watched: Watched, sources: Sources) -> bool:
    """Whether the file holds something else now."""
    return digest_of(watched.path, sources) != watched.digest


def digest_of(path: str, sources: Sources) -> bytes:
    """What tells a file's text from others; nothing: it cannot be read."""
    try:
        return _digest(sources.read(path))
    except (OSError, UnicodeDecodeError):
        return b""


def _digest(text: str) -> bytes:
    """What tells a text from others, in a few octets: the files may be large."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def keep_last_good(directory: str, configuration: Configuration) -> None:
    """Writes it whole or not at all. Raises `OSError`."""
    if configuration.plan is None:
        raise ValueError("a configuration without a plan is not good")
    reload = configuration.reload
    good = LastGood(
        plan=configuration.plan,
        hash=configuration.hash,
        feeds=[
            KeptFeed(feed.directive, feed.zone, msgspec.Raw(msgspec.json.encode(feed.options)), feed.name) for feed in configuration.feeds
        ],
        reload=(reload.interval.nanoseconds, reload.jitter.nanoseconds) if reload else None,
        served=[(served.zone, served.server) for served in configuration.served],
        lameduck=configuration.lameduck.nanoseconds,
        plugins=configuration.plugins,
        hosts=configuration.hosts,
    )
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, LAST_GOOD)
    with open(f"{path}.new", "wb") as file:
        file.write(msgspec.json.encode(good))
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def read_last_good(directory: str) -> Configuration | None:
    """What `keep_last_good` wrote; None when there is nothing usable."""
    try:
        with open(os.path.join(directory, LAST_GOOD), "rb") as file:
            good = msgspec.json.decode(file.read(), type=LastGood)
        feeds = tuple(Feed(kept.directive, kept.zone, _options(kept), kept.name) for kept in good.feeds)
    except (OSError, msgspec.MsgspecError, KeyError):
        return None
    return Configuration(
        plan=good.plan,
        problems=(),
        texts={},
        hash=good.hash,
        feeds=feeds,
        reload=ReloadOptions(Duration(good.reload[0]), Duration(good.reload[1])) if good.reload else None,
        served=tuple(Served(zone, server) for zone, server in good.served),
        lameduck=Duration(good.lameduck),
        plugins=good.plugins,
        hosts=good.hosts,
    )


def _options(kept: KeptFeed) -> msgspec.Struct:
    """The options of a feed, of the type that its directive has."""
    return msgspec.json.decode(kept.options, type=feed_module(kept.directive).OPTIONS)
