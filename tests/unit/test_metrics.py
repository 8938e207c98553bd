"""Metrics as text, read by Prometheus's own parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from clusterdns.metrics import Metrics

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(metrics: Metrics) -> Samples:
    """All samples of a text, by name and labels."""
    families = text_string_to_metric_families(metrics.text())
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples}


def test_what_has_no_labels_is_there_from_the_start_and_what_has_is_not() -> None:
    metrics = Metrics()
    metrics.counter("a_total", "a")
    metrics.counter("b_total", "b", "x")
    metrics.histogram("c_seconds", "c", (1, 2))
    metrics.gauge("d", "never set")
    assert {name for name, _ in samples(metrics)} == {"a_total", "c_seconds_bucket", "c_seconds_sum", "c_seconds_count"}


def test_the_text_is_as_coredns_writes_it() -> None:
    metrics = Metrics()
    requests = metrics.counter("requests_total", "Requests.\nAll.", "method", "code")
    requests.add("GET", "200")
    requests.add("GET", "200", by=2)
    metrics.gauge("load", "Load.").set(0.5)
    assert metrics.text() == (
        "# HELP load Load.\n# TYPE load gauge\nload 0.5\n"
        '# HELP requests_total Requests.\\nAll.\n# TYPE requests_total counter\nrequests_total{code="200",method="GET"} 3\n'
    )


@given(st.lists(st.floats(0, 10), max_size=20))
def test_buckets_hold_what_is_not_above_their_bound(values: list[float]) -> None:
    metrics = Metrics()
    durations = metrics.histogram("d_seconds", "d", (0.5, 1, 2.5), "to")
    for value in values:
        durations.observe(value, "x")
    found = samples(metrics)
    if not values:
        assert found == {}
        return
    for bound in ("0.5", "1", "2.5", "+Inf"):
        assert found["d_seconds_bucket", (("le", bound), ("to", "x"))] == sum(value <= float(bound) for value in values)
    assert found["d_seconds_count", (("to", "x"),)] == len(values)
    assert found["d_seconds_sum", (("to", "x"),)] == pytest.approx(sum(values))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))
def test_a_label_may_have_any_value(value: str) -> None:
    metrics = Metrics()
    metrics.gauge("g", "g", "label").set(1, value)
    assert samples(metrics) == {("g", (("label", value),)): 1}


def test_changes_are_noticed_and_the_same_is_no_change() -> None:
    metrics = Metrics()
    gauge = metrics.gauge("g", "g")
    gauge.set(1)
    metrics.text()
    gauge.set(1)
    assert not metrics.changed
    gauge.set(2)
    assert metrics.changed
    metrics.text()
    gauge.clear()
    assert metrics.changed
    assert samples(metrics) == {}


def test_a_name_is_one_family() -> None:
    metrics = Metrics()
    first = metrics.counter("a_total", "a", "x")
    assert metrics.counter("a_total", "again", "x") is first
    with pytest.raises(ValueError, match="a_total is there already"):
        metrics.counter("a_total", "a", "y")
    with pytest.raises(ValueError, match="a_total is there already"):
        metrics.gauge("a_total", "a", "x")
