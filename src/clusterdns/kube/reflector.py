"""One kind of objects as a stream of events, whatever the API server does: it lists, follows, and lists again when it must.

    Relisting, Upsert..., Listed, then Upsert | Delete | Flaw...     and Troubled when nothing works for a while

Between `Relisting` and `Listed` all objects are told once more; what was known and is not told is gone.
Knows the protocol of lists and watches. Time, chance and the transport are parameters. Must not know what becomes of the events.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Protocol

import msgspec

from clusterdns.kube.api import Refused, Unreachable
from clusterdns.kube.decode import Bookmark, Decoder, Delete, Flaw, Status, Unreadable, Upsert, list_version
from clusterdns.kube.resources import Resource
from clusterdns.kube.status import Seen

PAGE = 500
# Watches end after a time of our choice, each after another one.
LEAST_WATCH, MOST_WATCH = 300, 600
FIRST_PAUSE = 0.05
# Nobody listens: asking again is cheap, and who asks soon is back soon.
UNREACHABLE_PAUSE = 1.0
# Somebody listens and says no: asking again and again makes it worse.
REFUSED_PAUSE = 8.0
LONGEST_RETRY_AFTER = 60.0
# An API server that has just started does not know its own rules yet; it takes it 0.1 s.
FORBIDDEN_PASSES = 5.0
# To these a watch from a version is refused for the version's sake: it is too old, of the future, or none.
BAD_VERSION = (400, 410, 422, 500, 504)
# A stream that lasted was no failure, however it ended.
LASTING = 5.0


class Relisting(msgspec.Struct, frozen=True, gc=False):
    """A list begins."""


class Listed(msgspec.Struct, frozen=True, gc=False):
    """All has been told: what was known before and has not been told since `Relisting` is gone."""


class Troubled(msgspec.Struct, frozen=True, gc=False):
    """Nothing new can be learnt, and why; the empty text: all is well again."""

    why: str


Event = Relisting | Upsert | Delete | Flaw | Listed | Troubled


class Body(Protocol):
    """An answer that goes on."""

    def read(self) -> bytes:
        """What has come; empty at the end. Raises `Unreachable`."""

    def close(self) -> None:
        """Lets go of it."""


class Transport(Protocol):
    """The API server as a reflector sees it."""

    @property
    def closed(self) -> bool:
        """Whether to stop."""

    def get(self, path: str) -> bytes:
        """A whole answer. Raises `Unreachable`, `Refused`."""

    def stream(self, path: str) -> Body:
        """An answer that goes on. Raises `Unreachable`, `Refused`."""

    def rest(self, seconds: float) -> None:
        """Waits."""


class Reflector:
    """Follows one kind until the transport is closed."""

    def __init__(
        self,
        resource: Resource,
        decoder: Decoder,
        transport: Transport,
        seen: Seen,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._resource = resource
        self._decoder = decoder
        self._transport = transport
        self._seen = seen
        self._clock = clock
        self._chance = chance
        self._streams = True
        self._limit = f"limit={PAGE}"
        self._cuts = 0
        self._refusals = 0

    def events(self) -> Generator[Sequence[Event], None, None]:
        """All events, those that came together at once; some of these portions are empty."""
        while not self._transport.closed:
            pause = FIRST_PAUSE * self._chance(0.0, 1.0)
            try:
                yield from self._resume() if self._seen.version else self._list()
            except Refused as refused:
                if refused.status.code == 404 and self._resource.optional and not self._seen.listed:
                    yield self._none()
                told = bool(self._seen.version)
                pause = self._pause_after_refusal(refused)
                # Where only the version was refused there is nothing wrong: it is listed again.
                if bool(self._seen.version) == told:
                    yield from self._trouble(_why(refused, self._resource), passing=refused.status.code == 403)
            except Unreadable as problem:
                self._seen.flaws += 1
                self._seen.version = ""
                pause = self._pause_after_refusal(Refused(Status()))
                yield from self._trouble(str(problem), passing=False)
            except Unreachable as problem:
                self._seen.hindrance = str(problem)
                pause = self._backed_off(self._cuts, UNREACHABLE_PAUSE)
                self._cuts += 1
                if self._cuts > 1 and not self._transport.closed:
                    yield from self._trouble(str(problem), passing=False)
            if self._transport.closed:
                return
            self._transport.rest(pause)

    def _list(self) -> Iterator[Sequence[Event]]:
        """Tells all there is, and follows what becomes of it: as one stream from servers that can, in pages from others."""
        if self._streams:
            try:
                stream = self._transport.stream(self._watch_path("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"))
            except Refused as refused:
                if refused.status.code not in (400, 422):
                    raise
            else:
                # Whoever reads too slowly is cut off: then in pages, each of which waits to be asked for.
                self._streams = False
                yield from self._follow(stream, initial=True)
                return
        yield from self._list_pages()

    def _list_pages(self) -> Iterator[Sequence[Event]]:
        """Tells all there is, page by page, so that neither side holds all of it."""
        path = f"{self._resource.path}?{self._limit}{self._resource.selectors}"
        body = self._transport.get(path)
        yield self._relisting()
        while True:
            page = self._decoder.page(body)
            self._seen.heard = self._clock()
            self._seen.events += len(page.events)
            self._seen.flaws += sum(type(event) is Flaw for event in page.events)
            yield page.events
            if not page.next:
                break
            try:
                body = self._transport.get(f"{path}&continue={page.next}")
            except Refused as refused:
                # The pages took longer than old versions are kept. The rest could be had, but of another version, with holes in between.
                if refused.status.code == 410:
                    self._limit = ""
                raise
        self._limit = f"limit={PAGE}"
        self._streams = True
        yield self._listed(page.version)
        yield from self._follow(self._transport.stream(self._watch_path(f"&resourceVersion={page.version}")), initial=False)

    def _resume(self) -> Iterator[Sequence[Event]]:
        """Goes on after the last version told; not when the server is older than that, as after a restore of its etcd.

        A watch from a version of the future says nothing, for ever, and leaves out what happens until then.
        """
        now = list_version(self._transport.get(f"{self._resource.path}?limit=1"))
        if _is_older(now, self._seen.version):
            self._seen.version = ""
            return
        stream = self._transport.stream(self._watch_path(f"&resourceVersion={self._seen.version}"))
        yield from self._follow(stream, initial=False)

    def _follow(self, stream: Body, initial: bool) -> Iterator[Sequence[Event]]:
        """The events of a stream until it ends. What it tells `initial`ly is in no order of versions: only its end mark is one."""
        opened = self._clock()
        parts: list[bytes] = []
        try:
            yield self._relisting() if initial else self._well()
            while data := stream.read():
                end = data.rfind(b"\n")
                if end < 0:
                    parts.append(data)
                    continue
                events, initial, problem = self._read(_lines(b"".join((*parts, data[:end]))), initial)
                parts = [data[end + 1 :]]
                if events:
                    yield events
                if problem:
                    raise problem
            if initial:
                raise Unreachable("the stream ended before all had been told")
        finally:
            stream.close()
            if self._clock() - opened >= LASTING:
                self._cuts = self._refusals = 0

    def _read(self, lines: Sequence[bytes], initial: bool) -> tuple[list[Event], bool, Refused | Unreadable | None]:
        """The events of these lines, whether what there was at the beginning goes on behind them, and what ends the stream."""
        seen = self._seen
        seen.heard = self._clock()
        events: list[Event] = []
        for line in filter(None, lines):
            try:
                version, event = self._decoder.line(line)
            except Unreadable as problem:
                return events, initial, problem
            match event:
                case Upsert() | Delete():
                    events.append(event)
                case Flaw():
                    seen.flaws += 1
                    events.append(event)
                case Bookmark():
                    if initial and event.ends_initial:
                        initial = False
                        self._streams = True
                        events += self._listed(version)
                case Status():
                    return events, initial, Refused(event)
            seen.events += 1
            if not initial and version:
                seen.version = version
        return events, initial, None

    def _listed(self, version: str) -> Sequence[Event]:
        """The end of a list, made at a version."""
        self._seen.version = version
        self._seen.listed = True
        self._seen.heard = self._clock()
        return (Listed(), *self._well())

    def _none(self) -> Sequence[Event]:
        """The cluster does not know the kind, and so has none of it: nobody is to wait for it. What was told once stays, whatever comes."""
        self._seen.listed = True
        return (Relisting(), Listed())

    def _relisting(self) -> Sequence[Event]:
        """The beginning of a list."""
        self._seen.relists += 1
        return (Relisting(),)

    def _trouble(self, why: str, passing: bool) -> Iterator[Sequence[Event]]:
        """Tells of a failure, once; of one that passes by itself only when it does not."""
        seen = self._seen
        seen.hindrance = why
        seen.failing_since = seen.failing_since or self._clock()
        if why != seen.trouble and not (passing and self._clock() - seen.failing_since < FORBIDDEN_PASSES):
            seen.trouble = why
            yield (Troubled(f"{self._resource.plural}: {why}"),)

    def _well(self) -> Sequence[Event]:
        """Tells that a failure is over, if there was one that had been told."""
        told, self._seen.trouble, self._seen.hindrance = self._seen.trouble, "", ""
        self._seen.failing_since = 0.0
        return (Troubled(""),) if told else ()

    def _watch_path(self, parameters: str) -> str:
        seconds = int(self._chance(LEAST_WATCH, MOST_WATCH))
        mode = f"watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}"
        return f"{self._resource.path}?{mode}{self._resource.selectors}{parameters}"

    def _pause_after_refusal(self, refused: Refused) -> float:
        """How long to wait. Where only the version was refused, a list is the remedy, at once."""
        if self._seen.version and refused.status.code in BAD_VERSION:
            self._seen.version = ""
            return FIRST_PAUSE * self._chance(0.0, 1.0)
        pause = self._backed_off(self._refusals, REFUSED_PAUSE)
        self._refusals += 1
        asked = min(refused.retry_after, LONGEST_RETRY_AFTER)
        return max(pause, asked * self._chance(1.0, 1.25))

    def _backed_off(self, failures: int, most: float) -> float:
        """A pause that is twice as long each time, up to `most`, and never as long as everybody else's."""
        return min(FIRST_PAUSE * 2.0 ** min(failures, 16), most) * self._chance(0.5, 1.0)


def _lines(text: bytes) -> Sequence[bytes]:
    """The lines of a text without its last newline. Mostly it is one, which `in` is far quicker to tell than `split`."""
    return text.split(b"\n") if b"\n" in text else (text,)


def _is_older(now: str, told: str) -> bool:
    """Whether a server that is at `now` cannot have told of `told`. Versions that are no numbers cannot be compared."""
    return now.isdecimal() and told.isdecimal() and int(now) < int(told)


def _why(refused: Refused, resource: Resource) -> str:
    """A refusal in words for those who can do something about it."""
    match refused.status.code:
        case 401:
            return f"the API server does not accept our credentials: {refused}"
        case 403:
            return f"{refused}; the ClusterRole of this server's account needs the rule {resource.rule}"
        case 404 if resource.optional:
            return f"the cluster has none: there is no CRD for {resource.path}; what is installed later is found"
        case 404:
            return f"the API server has nothing at {resource.path}"
        case code:
            return f"the API server answers {code or 'nonsense'}: {refused}"
