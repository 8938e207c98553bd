"""What is counted of following an API server, as Prometheus reads it."""

from __future__ import annotations

from typing import Any

import pytest

from clusterdns.control.clustermetrics import ClusterMetrics, seconds_of
from clusterdns.kube.api import Exchange
from clusterdns.kube.status import Seen
from clusterdns.metrics import Metrics

NOW = 1_800_000_000.0
PROGRAMMING = "coredns_kubernetes_dns_programming_duration_seconds"
REQUESTS = "coredns_kubernetes_rest_client_requests_total"


def following() -> tuple[Metrics, ClusterMetrics]:
    """Metrics at a time that stands still; the zone is `cluster.local.`."""
    metrics = Metrics()
    following_ = ClusterMetrics(metrics, lambda: NOW)
    following_.call("cluster.local.")
    return metrics, following_


def samples(metrics: Metrics, family: str) -> list[str]:
    """The samples of a family; of a histogram only its sum and count."""
    return [line for line in metrics.text().splitlines() if line.startswith(family) and "_bucket" not in line]


def test_requests_are_counted_as_coredns_does() -> None:
    metrics, following_ = following()
    following_.asked([Exchange("200", "10.96.0.1:443", 0.02, None), Exchange("<error>", "10.96.0.1:443", 5.0, 0.5)])
    assert samples(metrics, REQUESTS) == [
        f'{REQUESTS}{{code="200",host="10.96.0.1:443",method="GET"}} 1',
        f'{REQUESTS}{{code="<error>",host="10.96.0.1:443",method="GET"}} 1',
    ]
    labels = '{host="10.96.0.1:443",verb="GET"}'
    duration = "coredns_kubernetes_rest_client_request_duration_seconds"
    assert samples(metrics, duration) == [f"{duration}_sum{labels} 5.02", f"{duration}_count{labels} 2"]
    limited = "coredns_kubernetes_rest_client_rate_limiter_duration_seconds"
    assert samples(metrics, limited) == [f"{limited}_sum{labels} 0.5", f"{limited}_count{labels} 1"]


@pytest.mark.parametrize(
    ("triggered", "counted"),
    [("2027-01-15T08:00:00Z", True), ("2027-01-15T07:59:59Z", False), ("2020-01-01T00:00:00Z", False), ("nonsense", False)],
)
def test_a_change_that_began_before_us_is_not_ours(triggered: str, counted: bool) -> None:
    metrics, following_ = following()
    following_.programmed(triggered, "cluster_ip")
    assert (f'{PROGRAMMING}_count{{service_kind="cluster_ip"}} 1' in samples(metrics, PROGRAMMING)) == counted


def test_the_buckets_are_those_of_coredns() -> None:
    metrics, following_ = following()
    following_.programmed("2027-01-15T08:00:00Z", "headless_with_selector")
    bounds = [line.split('le="')[1].split('"')[0] for line in metrics.text().splitlines() if f"{PROGRAMMING}_bucket" in line]
    assert (bounds[0], bounds[1], bounds[-2], bounds[-1], len(bounds)) == ("0.001", "0.002", "524.288", "+Inf", 21)


def test_each_kind_tells_what_was_seen_of_it() -> None:
    metrics, following_ = following()
    seen = Seen("Service", listed=True, heard=90.0, events=7, relists=1, flaws=2, lag=0.25)
    following_.show([seen, Seen("Pod", hindrance="gone")], {"Service": 4}, now=100.0)
    seen.events = 9
    following_.show([seen], {"Service": 3}, now=100.0)
    text = metrics.text()
    labels = '{kind="Service",zone="cluster.local."}'
    for line in (
        f"clusterdns_kubernetes_events_total{labels} 9",
        f"clusterdns_kubernetes_lists_total{labels} 1",
        f"clusterdns_kubernetes_decode_errors_total{labels} 2",
        f"clusterdns_kubernetes_odd_objects{labels} 3",
        'clusterdns_kubernetes_odd_objects{kind="Pod",zone="cluster.local."} 0',
        f"clusterdns_kubernetes_last_heard_timestamp_seconds{labels} {int(NOW - 10)}",
        f"clusterdns_kubernetes_watch_lag_seconds{labels} 0.25",
        f"clusterdns_kubernetes_listed{labels} 1",
        f"clusterdns_kubernetes_failing{labels} 0",
        'clusterdns_kubernetes_failing{kind="Pod",zone="cluster.local."} 1',
    ):
        assert line in text.splitlines()
    assert 'last_heard_timestamp_seconds{kind="Pod",zone="cluster.local."}' not in text


def test_how_old_a_change_was_is_not_shown_of_kinds_that_do_not_tell() -> None:
    metrics, following_ = following()
    following_.show([Seen("Service", listed=True), Seen("EndpointSlice", lag=0.0)], {}, now=100.0)
    lag = "clusterdns_kubernetes_watch_lag_seconds"
    assert samples(metrics, lag) == [f'{lag}{{kind="EndpointSlice",zone="cluster.local."}} 0']


def test_a_feed_that_ends_takes_its_state_along_and_not_its_counts() -> None:
    metrics, following_ = following()
    following_.show([Seen("Service", heard=1.0, events=3)], {}, now=2.0)
    following_.close()
    names = {line.split("{")[0] for line in metrics.text().splitlines() if line.startswith("clusterdns_")}
    assert names == {f"clusterdns_kubernetes_{name}_total" for name in ("events", "lists", "decode_errors")}


def test_a_zone_that_is_not_in_use_yet_shows_nothing_and_takes_nothing_away() -> None:
    """While a reload fills its zones, those of the running configuration have their names."""
    metrics, following_ = following()
    following_.show([Seen("Service", listed=True, events=3)], {}, now=2.0)
    shown = metrics.text()
    next_ = ClusterMetrics(metrics, lambda: NOW)
    next_.show([Seen("Service", events=2)], {}, now=2.0)
    next_.close()
    assert metrics.text() == shown
    following_.close()
    next_.call("cluster.local.")
    next_.show([Seen("Service", events=2)], {}, now=2.0)
    assert 'clusterdns_kubernetes_events_total{kind="Service",zone="cluster.local."} 5' in metrics.text()
    assert 'clusterdns_kubernetes_listed{kind="Service",zone="cluster.local."} 0' in metrics.text()


def test_a_zone_that_is_called_otherwise_takes_its_state_along() -> None:
    metrics, following_ = following()
    following_.show([Seen("Service", listed=True, events=3)], {}, now=2.0)
    following_.call("cluster.local.#2")
    following_.show([Seen("Service", listed=True, events=4)], {}, now=2.0)
    assert samples(metrics, "clusterdns_kubernetes_listed") == ['clusterdns_kubernetes_listed{kind="Service",zone="cluster.local.#2"} 1']
    assert samples(metrics, "clusterdns_kubernetes_events_total") == [
        'clusterdns_kubernetes_events_total{kind="Service",zone="cluster.local."} 3',
        'clusterdns_kubernetes_events_total{kind="Service",zone="cluster.local.#2"} 1',
    ]


@pytest.mark.parametrize("text", ["", "now", "-1", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(text: Any) -> None:
    assert seconds_of(text) == 0.0
