"""Nonsense from the API server: in every field that is read, in lines, and in what order things are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterdns.cluster import IMPORT_NAME, SERVICE_NAME, SOURCE_CLUSTER, Ref
from clusterdns.control.apifeed import ApiFeed
from clusterdns.control.origins import Origins
from clusterdns.kube.decode import Bookmark, Decoder, Delete, Flaw, Status, Unreadable, Upsert
from clusterdns.kube.reflector import Event, Listed, Relisting
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import encode_change

KINDS = ("Namespace", "Service", "EndpointSlice", "Pod")
OPTIONS = ClusterOptions(pods="verified", zonal=True, endpoint_pod_names=True)
SHARED_KINDS = ("Namespace", "ServiceImport", "EndpointSlice", "Pod")
SHARED = ClusterOptions(pods="verified", multicluster=True, endpoint_pod_names=True)
ALL = [*((kind, OPTIONS) for kind in KINDS), *((kind, SHARED) for kind in SHARED_KINDS)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(
    ("", "shop", "cart", "Cart", "x" * 300, "a.b", "*", "\x00", "10.0.0.1", "fd00::1", "::ffff:1.2.3.4", "None", "TCP", "-1", "é")
)
NUMBERS = st.sampled_from((0, -1, 80, 65536, 2**31, 2**63, 1.5))
LEAF = WORDS | NUMBERS | JSON


def either(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What should be there, most of the time."""
    return st.one_of(strategy, strategy, strategy, LEAF)


def fields(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with some of these fields."""
    return either(st.fixed_dictionaries({}, optional={name: either(strategy) for name, strategy in strategies.items()}))


LABEL_NAMES = (SERVICE_NAME, IMPORT_NAME, SOURCE_CLUSTER, "app")
LABELS = st.dictionaries(st.sampled_from(LABEL_NAMES), either(WORDS), max_size=3)
ANNOTATION_NAMES = ("endpoints.kubernetes.io/last-change-trigger-time", "k8s.io/initial-events-end", "app")
TIMES = st.sampled_from(("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456789Z", "2026-01-01", "9999-12-31T23:59:59-23:59", "-1", "now"))
ANNOTATIONS = st.dictionaries(st.sampled_from(ANNOTATION_NAMES), either(TIMES | WORDS), max_size=2)
METADATA = fields(
    name=WORDS, namespace=WORDS, labels=LABELS, resourceVersion=st.just("7"), deletionTimestamp=WORDS, annotations=ANNOTATIONS
)
PORTS = st.lists(fields(name=WORDS, port=NUMBERS, protocol=WORDS), max_size=3)
SPEC = fields(
    type=WORDS, clusterIP=WORDS, clusterIPs=st.lists(WORDS, max_size=2), ports=PORTS, externalName=WORDS, ips=st.lists(WORDS, max_size=2)
)
ENDPOINT = fields(
    addresses=st.lists(WORDS, max_size=2),
    conditions=fields(ready=st.booleans()),
    hostname=WORDS,
    targetRef=fields(name=WORDS),
    zone=WORDS,
)
OBJECT = st.fixed_dictionaries(
    {"metadata": METADATA},
    optional={
        "spec": SPEC,
        "addressType": WORDS,
        "endpoints": either(st.lists(ENDPOINT, max_size=3)),
        "ports": either(PORTS),
        "status": fields(phase=WORDS, podIP=WORDS),
    },
)


@pytest.mark.parametrize(("kind", "options"), ALL)
@given(thing=OBJECT | JSON, type_=st.sampled_from(("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "NEW", 7)))
def test_a_line_is_an_event_or_unreadable_and_nothing_else(kind: str, options: ClusterOptions, thing: Any, type_: Any) -> None:
    line = json.dumps({"type": type_, "object": thing}).encode()
    try:
        version, event = Decoder(kind, options).line(line)
    except Unreadable:
        return
    assert isinstance(version, str)
    assert isinstance(event, Upsert | Delete | Flaw | Bookmark | Status)


@given(line=st.binary(max_size=64))
def test_bytes_that_are_no_line_are_unreadable(line: bytes) -> None:
    with pytest.raises(Unreadable):
        Decoder("Service").line(line)


@pytest.mark.parametrize(("kind", "options"), ALL)
@given(things=st.lists(OBJECT | JSON, max_size=4))
def test_a_page_has_an_event_for_each_item(kind: str, options: ClusterOptions, things: list[Any]) -> None:
    page = Decoder(kind, options).page(json.dumps({"metadata": {"resourceVersion": "1"}, "items": things}).encode())
    assert len(page.events) == len(things)


@pytest.mark.parametrize(("kinds", "options"), [(KINDS, OPTIONS), (SHARED_KINDS, SHARED)], ids=["own", "shared"])
@settings(max_examples=200)
@given(objects=st.lists(st.tuples(st.integers(0, 3), OBJECT), max_size=8))
def test_nonsense_in_every_field_stops_nothing(kinds: Sequence[str], options: ClusterOptions, objects: list[tuple[int, Any]]) -> None:
    """The sound Service beside it is served, whatever comes before it, and can be taken away again."""
    feed = ApiFeed("zone", options, ["10.0.0.1"], Origins(), lambda: None, lambda: 100.0)
    for kind in kinds:
        feed._inbox.put(kind, (Relisting(), Listed()))
    feed.poll(1)
    for which, thing in objects:
        feed._inbox.put(kinds[which], [_event(kinds[which], options, thing)])
    sound = {"metadata": {"name": "sound", "namespace": "sound"}, "spec": {"clusterIP": "10.96.9.9", "ips": ["10.112.9.9"]}}
    feed._inbox.put("Namespace", [_event("Namespace", options, {"metadata": {"name": "sound"}})])
    feed._inbox.put(kinds[1], [_event(kinds[1], options, sound)])
    change = feed.poll(2).change
    assert change is not None
    encode_change(change)
    assert "sound.sound.svc" in {owner.name for owner in change.owners if owner.data}
    feed._inbox.put(kinds[1], [Delete(Ref(kinds[1], "sound", "sound"))])
    change = feed.poll(3).change
    assert change is not None
    assert "sound.sound.svc" in {owner.name for owner in change.owners if not owner.data}


def _event(kind: str, options: ClusterOptions, thing: Any) -> Event:
    """What a reflector makes of a new object."""
    event = Decoder(kind, options).line(json.dumps({"type": "ADDED", "object": thing}).encode())[1]
    assert isinstance(event, Upsert | Flaw)
    return event
