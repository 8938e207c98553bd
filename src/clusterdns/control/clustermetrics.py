"""What is counted of following an API server: requests, how soon a change is answered, how old data is. CoreDNS's names where it has one.

Knows the names of metrics. Must not know threads or HTTP: what they have seen comes as values.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from clusterdns.kube.api import Exchange
from clusterdns.kube.status import Seen
from clusterdns.metrics import Metrics

PREFIX = "coredns_kubernetes_rest_client"
REQUEST_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# From a millisecond to about nine minutes, as in CoreDNS.
PROGRAMMING_BOUNDS = tuple(0.001 * 2**power for power in range(20))
OWN = ("zone", "kind")


class ClusterMetrics:
    """The metrics of one zone's feed. `clock` gives seconds since 1970."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self._zone = ""
        self._clock = clock
        self._began = clock()
        self._shown: dict[str, tuple[int, int, int]] = {}
        self._requests = metrics.counter(f"{PREFIX}_requests_total", "Requests to the API server.", "code", "method", "host")
        self._latency = metrics.histogram(
            f"{PREFIX}_request_duration_seconds", "Until the head of an answer came.", REQUEST_BOUNDS, "verb", "host"
        )
        self._limited = metrics.histogram(
            f"{PREFIX}_rate_limiter_duration_seconds", "For how long `apiserver_qps` held up a request.", REQUEST_BOUNDS, "verb", "host"
        )
        self._programming = metrics.histogram(
            "coredns_kubernetes_dns_programming_duration_seconds",
            "From a change in the cluster until it was answered.",
            PROGRAMMING_BOUNDS,
            "service_kind",
        )
        self._counts = (
            metrics.counter("clusterdns_kubernetes_events_total", "Events that the API server told, lists included.", *OWN),
            metrics.counter("clusterdns_kubernetes_lists_total", "How often all objects were listed.", *OWN),
            metrics.counter("clusterdns_kubernetes_decode_errors_total", "Objects, lines and pages that made no sense.", *OWN),
        )
        self._heard = metrics.gauge("clusterdns_kubernetes_last_heard_timestamp_seconds", "When something was last told.", *OWN)
        self._lag = metrics.gauge("clusterdns_kubernetes_watch_lag_seconds", "How old the last change was when it came.", *OWN)
        self._odd = metrics.gauge("clusterdns_kubernetes_odd_objects", "Objects that hold something that DNS cannot say.", *OWN)
        self._listed = metrics.gauge("clusterdns_kubernetes_listed", "Whether all objects have been told once.", *OWN)
        self._failing = metrics.gauge("clusterdns_kubernetes_failing", "Whether the API server cannot be followed now.", *OWN)

    def call(self, zone: str) -> None:
        """The zone is in use, and called so, from now on. Before that nothing is shown of it: another one may have the name."""
        if zone != self._zone:
            self.close()
            self._zone = zone

    def programmed(self, triggered: str, service_kind: str) -> None:
        """A change of a Service's endpoints is answered from now on; `triggered`: when it began. What began before us is not ours."""
        began = seconds_of(triggered)
        if began >= self._began:
            self._programming.observe(max(0.0, self._clock() - began), service_kind)

    def asked(self, exchanges: Iterable[Exchange]) -> None:
        """Requests that have come to an end."""
        for exchange in exchanges:
            self._requests.add(exchange.code, "GET", exchange.host)
            self._latency.observe(exchange.seconds, "GET", exchange.host)
            if exchange.waited is not None:
                self._limited.observe(exchange.waited, "GET", exchange.host)

    def show(self, kinds: Iterable[Seen], odd: Mapping[str, int], now: float) -> None:
        """What has been seen of each kind, `now` by its clock, and how many objects of it are `odd`."""
        for seen in kinds if self._zone else ():
            labels = (self._zone, seen.kind)
            counts = (seen.events, seen.relists, seen.flaws)
            for family, count, before in zip(self._counts, counts, self._shown.get(seen.kind, (0, 0, 0)), strict=True):
                family.add(*labels, by=count - before)
            self._shown[seen.kind] = counts
            if seen.heard:
                self._heard.set(self._clock() - seen.age(now), *labels)
            if seen.lag is not None:
                self._lag.set(seen.lag, *labels)
            self._odd.set(odd.get(seen.kind, 0), *labels)
            self._listed.set(int(seen.listed), *labels)
            self._failing.set(int(bool(seen.hindrance)), *labels)

    def close(self) -> None:
        """Nothing is followed any more: what is as it is now ends, what was counted stays."""
        for kind in self._shown:
            for gauge in (self._heard, self._lag, self._odd, self._listed, self._failing):
                gauge.remove(self._zone, kind)


def seconds_of(timestamp: str) -> float:
    """A time of the API in seconds since 1970; 0 for what is no time."""
    try:
        return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, TypeError):
        return 0.0
