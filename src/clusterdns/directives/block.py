"""What a directive is, and what it may say about the server block that it stands in.

A directive adds ops to the block's program, sets what is no op (addresses, reload), and reports problems. It never stops the
compiler: a wrong line is reported and the next one is looked at. Must not know single directives.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

import msgspec

from clusterdns.corefile.problems import Place, Problem, Severity
from clusterdns.corefile.tree import Line, Token
from clusterdns.digests import sha256
from clusterdns.directives.labels import Labels
from clusterdns.plan.expressions import Condition
from clusterdns.plan.listeners import HttpListener, Span, Timeouts, TlsServer
from clusterdns.plan.ops import Op
from clusterdns.scalars import NO_TIME, Duration
from clusterdns.sources import Sources


class Feed(msgspec.Struct, frozen=True):
    """What fills a local zone with data, for which directive; the options are for whoever does it, opaque to the compiler.

    `name`: what the Corefile calls the zone, where it does; several may have the same.
    """

    directive: str
    zone: str
    options: msgspec.Struct
    name: str = ""


class ReloadOptions(msgspec.Struct, frozen=True):
    """How often the Corefile is read again, give or take up to half of the jitter."""

    interval: Duration
    jitter: Duration


class WatchedFile(msgspec.Struct, frozen=True):
    """A file that the plan was made from, and how often to look whether it has changed."""

    path: str
    interval: Duration


class ResolvedHost(msgspec.Struct, frozen=True):
    """A host name that the plan was made from, and the addresses that it had, in an order that does not depend on who was asked."""

    name: str
    addresses: tuple[str, ...]


class Plugin(msgspec.Struct, frozen=True):
    """A function of somebody's that the block asks. `function`: what the plan calls it; `target`: `MODULE:FUNCTION`, or an installed name.

    With `arguments` the target is called with them, and gives the function. `concurrency` calls run at a time; `path`: where modules are
    looked for first.
    """

    function: str
    target: str
    arguments: dict[str, str]
    concurrency: int
    path: str


class Spans:
    """The plan's side table of places: each is kept once and named by its index."""

    def __init__(self) -> None:
        self._index: dict[Span, int] = {}

    def index(self, place: Place, text: str) -> int:
        """The index of this place."""
        return self._index.setdefault(Span(place.file, place.line, place.column, text), len(self._index))

    def table(self) -> list[Span]:
        """All of them, in the order of their indexes."""
        return list(self._index)


class BlockContext(msgspec.Struct):
    """One server block while it is compiled.

    `zones`: the normalised zones of all its keys, origins of reverse zones included. `directory`: of the Corefile.
    `schemes`: of its keys. `root`: the folder of relative files, empty for the server's own.
    `identity`: what tells this block from all others, the same after a reload as long as its keys are.
    `view`: its name, empty for none; `when`: what has to be true of a query that comes here. `labels`: of its metadata.
    `directives`: those of the block that see queries, in the order in which they do.
    """

    zones: tuple[str, ...]
    sources: Sources
    directory: str
    identity: str = ""
    directives: tuple[str, ...] = ()
    spans: Spans = msgspec.field(default_factory=Spans)
    program: list[Op] = []
    problems: list[Problem] = []
    feeds: list[Feed] = []
    zone_ids: list[str] = []
    watched: list[WatchedFile] = []
    hosts: list[ResolvedHost] = []
    plugins: list[Plugin] = []
    root: str = ""
    schemes: frozenset[str] = frozenset()
    bind: tuple[str, ...] | None = None
    reload: ReloadOptions | None = None
    http: list[tuple[HttpListener, Place]] = []
    timeouts: Timeouts = msgspec.field(default_factory=Timeouts)
    tls: TlsServer | None = None
    lameduck: Duration = NO_TIME
    debug: bool = False
    view: str = ""
    when: list[Condition] = []
    labels: Labels = msgspec.field(default_factory=Labels)

    def emit(self, op: Op) -> None:
        """Add an op to the program: it comes after those of the directives that the table has before this one."""
        self.program.append(op)

    def serve_http(self, listener: HttpListener, at: Line) -> None:
        """Serve something over HTTP besides; the line that wants it is where a conflict with another is told."""
        self.http.append((listener, at.place))

    def feed_zone(self, directive: str, options: msgspec.Struct, name: str = "") -> str:
        """Use a local zone that a feed fills, and give its identity: equal options are the same zone, whatever its name."""
        zone = f"{directive}/{sha256(msgspec.json.encode(options)).hexdigest()[:12]}"
        self.zone_ids.append(zone)
        self.feeds.append(Feed(directive, zone, options, name))
        return zone

    def path(self, text: str) -> str:
        """Where a file is that a directive names (`root`)."""
        return posixpath.join(self.root, text)

    def span(self, of: Line | Token) -> int:
        """The index of this line's (or word's) place in the plan."""
        return self.spans.index(of.place, of.text)

    def error(self, at: Place | Line | Token, message: str, hint: str = "", code: str = "wrong-option") -> None:
        """Report what keeps the Corefile from being used."""
        self._report(Severity.ERROR, at, message, hint, code)

    def warn(self, at: Place | Line | Token, message: str, hint: str = "", code: str = "doubtful-option") -> None:
        """Report what is probably not meant."""
        self._report(Severity.WARNING, at, message, hint, code)

    def _report(self, severity: Severity, at: Place | Line | Token, message: str, hint: str, code: str) -> None:
        place = at if isinstance(at, Place) else at.place
        self.problems.append(Problem(severity, code, place, message, hint))


class Directive(msgspec.Struct, frozen=True):
    """A directive: its name, whether a block may have it once only, and what turns its lines into ops and settings.

    `behind`: for one that another package brings, the directive of ours behind which its ops run.
    """

    name: str
    compile: Callable[[Sequence[Line], BlockContext], None]
    once: bool = False
    behind: str = ""
