"""A zone's feed from the API server: threads follow one kind each; the deciding thread takes what they bring and makes transactions of it.

Threads and the deciding one meet in the `Inbox` only. Knows when to make a transaction (`Pace`). Must not know HTTP or the engine.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from threading import Semaphore, Thread

from clusterdns.cluster import EndpointSlice, Ref
from clusterdns.control.clustermetrics import ClusterMetrics, seconds_of
from clusterdns.control.feeds import Fed, Surroundings
from clusterdns.control.origins import Origins
from clusterdns.control.pace import Pace
from clusterdns.control.reports import Reports, describe
from clusterdns.control.zones import ClusterZone, Key, service_key
from clusterdns.kube.access import Finder
from clusterdns.kube.api import Api, watch_over
from clusterdns.kube.decode import Decoder, Delete, Flaw, Upsert
from clusterdns.kube.reflector import Event, Listed, Reflector, Relisting, Troubled
from clusterdns.kube.resources import Resource, watched
from clusterdns.kube.status import Seen
from clusterdns.metrics import Metrics
from clusterdns.records.options import ClusterOptions

PROBE_SECONDS = 2.5
# What a list brings is taken in portions, so that neither thread waits for the other at each object.
PORTION = 256
ROOM = 32
# Until all kinds are listed records would be made twice; but if a kind cannot be had, the others are served without it.
GATHER_SECONDS = 1.0
WAITING_SECONDS = 0.5
# What has been seen is shown so often, whether something comes or not.
SHOW_SECONDS = 5.0
# What the engine could not apply is tried again, but not all the time.
AGAIN_SECONDS = 1.0


class Inbox:
    """Events on their way to the deciding thread, which is woken by them. A sender waits while there is no room."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._portions: deque[tuple[str, Sequence[Event]]] = deque()
        self._room = Semaphore(ROOM)
        self._woken = False

    def put(self, kind: str, events: Sequence[Event]) -> None:
        """Sends events of a kind."""
        self._room.acquire()
        self._portions.append((kind, events))
        if not self._woken:
            self._woken = True
            self._wake()

    def take(self) -> Sequence[tuple[str, Sequence[Event]]]:
        """What has been sent, but no more than there is room for: what comes meanwhile may go on without end.

        That a wake is owed is noted last: a wake for what has been taken already is followed by no `take`, and so would be the last one.
        """
        taken: list[tuple[str, Sequence[Event]]] = []
        while self._portions and len(taken) < ROOM:
            taken.append(self._portions.popleft())
            self._room.release()
        self._woken = False
        return taken

    def __bool__(self) -> bool:
        return bool(self._portions)


class ApiFeed:
    """Follows the objects that a zone is made of. `wake` is called from its threads when there is something to ask it for."""

    directive = "kubernetes"

    def __init__(
        self,
        zone: str,
        options: ClusterOptions,
        own: Iterable[str],
        origins: Origins,
        wake: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
    ) -> None:
        self.zone = zone
        self._metrics = ClusterMetrics(metrics or Metrics())
        self._next_show = 0.0
        # When changes began that are not answered yet, by the key that they have touched.
        self._triggered: dict[Key, list[str]] = {}
        self.seen = {resource.kind: Seen(resource.kind) for resource in watched(options)}
        self._options = options
        self._cluster = ClusterZone(options, own, origins)
        self._clock = clock
        self._inbox = Inbox(wake)
        self._pace = Pace()
        self._unseen: dict[str, set[Ref]] = {}
        self._to_list = set(self.seen)
        self._lines: list[str] = []
        self._flawed = Reports("make no sense", "clusterdns_kubernetes_decode_errors_total")
        self._odd = Reports("hold what DNS cannot say", "clusterdns_kubernetes_odd_objects")
        self._began = clock()
        self._next_line = self._began + WAITING_SECONDS
        self._heavy_since: float | None = None
        self._not_before = 0.0
        self.filled = False
        api = options.api
        self.api = Api(Finder(api), api.qps, api.burst, api.inflight)

    @property
    def patience(self) -> float:
        """For how many seconds a reload waits until the zone is filled (`startup_timeout`)."""
        return self._options.api.startup_seconds

    @property
    def hindrance(self) -> str:
        """Why nothing at all can be had of some kinds; empty once each has been begun with."""
        unseen = [(resource, self.seen[resource.kind]) for resource in watched(self._options)]
        return "; ".join(
            f"{resource.plural}: {seen.hindrance or 'no answer yet'}" for resource, seen in unseen if not (seen.relists or seen.listed)
        )

    def start(self) -> None:
        """Starts the threads."""
        for resource in watched(self._options):
            Thread(target=self._follow_forever, args=(resource,), name=f"watch-{resource.plural}", daemon=True).start()
        Thread(target=watch_over, args=(self.api, PROBE_SECONDS), name="probe", daemon=True).start()

    def close(self) -> None:
        """Ends the threads; nothing is said any more."""
        self.api.close()
        self._cluster.close()
        self._metrics.close()

    def taken_up(self, around: Surroundings) -> None:
        """The API server is watched all the time; this server's own addresses, and what the zone is called, may be others now."""
        self._cluster.listen_on(around.own_addresses(self.zone))
        self._metrics.call(around.names[self.zone])
        self._next_show = self._clock()

    def undo(self) -> None:
        """The last transaction could not be applied: it is made once more, after a while."""
        self._cluster.undo()
        self._not_before = self._clock() + AGAIN_SECONDS

    def due(self) -> float:
        """When to poll, by the clock: what has come, what has been put off, and the lines of the start."""
        return max(self._not_before, self._due())

    def _due(self) -> float:
        if self._inbox:
            return self._pace.next_transaction(self._clock()) if self.filled else 0.0
        times = [self._next_show] if self.filled else [self._next_show, self._next_line]
        if self._cluster.dirty:
            times.append(self._pace.next_time(self._cluster.dirty, self._clock()) if self.filled else self._began + GATHER_SECONDS)
        return min(times, default=float("inf"))

    def poll(self, serial: int) -> Fed:
        """The next transaction, if it is time for one, and what there is to say."""
        now = self._clock()
        if self._heavy_since is not None:
            self._pace.took(now - self._heavy_since, now)
            self._heavy_since = None
        for kind, events in self._inbox.take():
            for event in events:
                self._take(kind, event)
        listed = not self._to_list
        self._tell_waiting(now, listed)
        if not self.filled:
            fed = self._fill(serial, now, listed)
        else:
            keys = self._pace.choose(self._cluster.dirty, self._cluster.weight, now)
            self._heavy_since = now if self._pace.measures else None
            change = self._cluster.change(serial, keys) if keys else None
            self._count_programmed(keys)
            fed = Fed(change, (), more=bool(keys) and self.due() <= now)
        if fed.change is not None:
            self._tell_oddities()
        if now >= self._next_show:
            self._next_show = now + SHOW_SECONDS
            self._metrics.asked(self.api.exchanges.popleft() for _ in range(len(self.api.exchanges)))
            self._metrics.show(self.seen.values(), self._cluster.odd, now)
        lines, self._lines = tuple(self._lines), []
        return Fed(fed.change, (), lines, fed.more)

    def _fill(self, serial: int, now: float, listed: bool) -> Fed:
        """The first transactions: in portions, so that there is never a second copy of everything; the last one completes the zone."""
        if not listed and now < self._began + GATHER_SECONDS:
            return Fed(None)
        keys = tuple(islice(self._cluster.dirty, PORTION))
        more = len(keys) < len(self._cluster.dirty)
        self.filled = listed and not more
        if self.filled:
            self._next_show = now
        return Fed(self._cluster.change(serial, keys, complete=self.filled), (), more=more)

    def _take(self, kind: str, event: Event) -> None:
        match event:
            case Upsert():
                if unseen := self._unseen.get(kind):
                    unseen.discard(event.view.ref)
                if self._flawed:
                    self._flawed.mended(event.view.ref)
                self._cluster.put(event.view)
                if event.triggered and self.filled:
                    # What is listed again may have changed long ago.
                    if kind not in self._unseen and (began := seconds_of(event.triggered)):
                        self.seen[kind].lag = max(0.0, time.time() - began)
                    if isinstance(event.view, EndpointSlice) and self._cluster.is_dirty(key := service_key(event.view)):
                        self._triggered.setdefault(key, []).append(event.triggered)
            case Delete():
                self._forget(event.ref)
            case Relisting():
                self._unseen[kind] = {*self._cluster.refs(kind), *self._flawed.refs(kind)}
            case Listed():
                for ref in self._unseen.pop(kind, ()):
                    self._forget(ref)
                self._to_list.discard(kind)
            case Flaw():
                if event.ref is not None:
                    self._cluster.remove(event.ref)
                    self._unseen.get(kind, set()).discard(event.ref)
                words = f"left out, as it makes no sense: {event.message}"
                self._warn(self._flawed.tell(event.ref or kind, (event.message,), words))
            case Troubled():
                level, words = ("WARNING", event.why) if event.why else ("INFO", f"{kind}: the API server is followed again")
                self._lines.append(f"[{level}] plugin/kubernetes: {words}")

    def _count_programmed(self, keys: Sequence[Key]) -> None:
        """Changes of these keys are answered from now on."""
        for key in keys:
            for triggered in self._triggered.pop(key, ()):
                if kind := self._cluster.service_kind(key):
                    self._metrics.programmed(triggered, kind)

    def _tell_waiting(self, now: float, listed: bool) -> None:
        """What CoreDNS says while it waits for the API server (B1)."""
        if self.filled or listed or now < self._next_line:
            return
        if now < self._began + self.patience:
            self._lines.append("[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server")
            self._next_line = min(now + WAITING_SECONDS, self._began + self.patience)
        else:
            self._lines.append("[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API")
            self._next_line = float("inf")

    def _forget(self, ref: Ref) -> None:
        """An object is gone."""
        self._cluster.remove(ref)
        self._flawed.mended(ref)

    def _tell_oddities(self) -> None:
        """What the objects of the last transaction hold that DNS cannot say."""
        for ref in self._cluster.mended:
            self._odd.mended(ref)
        for ref, oddities in self._cluster.oddities.items():
            self._warn(self._odd.tell(ref, *describe(oddities)))

    def _warn(self, lines: Iterable[str]) -> None:
        self._lines += (f"[WARNING] plugin/kubernetes: {line}" for line in lines)

    def _follow_forever(self, resource: Resource) -> None:
        """A thread's work: one kind. What a list brings is sent in portions, what happens later at once."""
        seen = self.seen[resource.kind]
        while not self.api.closed:
            portion: list[Event] = []
            listing = False
            try:
                for events in Reflector(resource, Decoder(resource.kind, self._options), self.api, seen).events():
                    portion += events
                    for event in events:
                        if isinstance(event, Relisting | Listed):
                            listing = isinstance(event, Relisting)
                    if portion and (not listing or len(portion) >= PORTION or isinstance(portion[-1], Troubled)):
                        self._inbox.put(resource.kind, portion)
                        portion = []
            except Exception as why:  # a mistake of ours must not stop the cluster's DNS: begin again
                seen.version = ""
                self._inbox.put(resource.kind, (Troubled(f"{resource.plural}: {type(why).__name__}: {why}; beginning again"),))
                self.api.rest(1.0)
