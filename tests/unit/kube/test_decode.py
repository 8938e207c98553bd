"""Lines and pages of the API as views and marks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clusterdns.cluster import Endpoint, EndpointSlice, Ref, Service
from clusterdns.kube.decode import Bookmark, Decoder, Delete, Flaw, Status, Unreadable, Upsert, list_version, status_of
from clusterdns.records.options import ClusterOptions

SERVICE = {"metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7"}, "spec": {"clusterIP": "10.96.0.1"}}
VIEW = Service("shop", "web", cluster_ips=("10.96.0.1",))


def line(type_: str, thing: Any) -> bytes:
    return json.dumps({"type": type_, "object": thing}).encode()


@pytest.mark.parametrize("type_", ["ADDED", "MODIFIED"])
def test_what_is_there_is_an_upsert_with_its_version(type_: str) -> None:
    assert Decoder("Service").line(line(type_, SERVICE)) == ("7", Upsert(VIEW))


def test_what_is_gone_is_a_ref() -> None:
    assert Decoder("Service").line(line("DELETED", SERVICE)) == ("7", Delete(Ref("Service", "shop", "web")))


def test_a_bookmark_has_a_version_and_perhaps_the_end_mark() -> None:
    empty: dict[str, Any] = {
        "kind": "EndpointSlice",
        "metadata": {"resourceVersion": "9"},
        "addressType": "",
        "endpoints": None,
        "ports": None,
    }
    assert Decoder("EndpointSlice").line(line("BOOKMARK", empty)) == ("9", Bookmark(ends_initial=False))
    empty["metadata"] = {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}
    assert Decoder("EndpointSlice").line(line("BOOKMARK", empty)) == ("9", Bookmark(ends_initial=True))


@pytest.mark.parametrize("kind", ["Service", "Pod", "EndpointSlice", "Namespace"])
def test_an_error_is_a_status_for_every_kind(kind: str) -> None:
    error = {"kind": "Status", "metadata": {}, "status": "Failure", "message": "too old", "reason": "Expired", "code": 410}
    found = Decoder(kind).line(line("ERROR", error))[1]
    assert isinstance(found, Status)
    assert (found.code, found.reason) == (410, "Expired")


def test_an_object_that_makes_no_sense_is_a_flaw_with_its_name() -> None:
    found = Decoder("Service").line(line("ADDED", SERVICE | {"spec": {"ports": [{"port": "eighty"}]}}))
    assert found[0] == "7"
    assert isinstance(found[1], Flaw)
    assert found[1].ref == Ref("Service", "shop", "web")
    assert "$.object.spec.ports[0].port" in found[1].message


def test_an_object_that_makes_no_sense_can_be_deleted() -> None:
    found = Decoder("Service").line(line("DELETED", SERVICE | {"spec": 7}))
    assert found == ("7", Delete(Ref("Service", "shop", "web")))


def test_one_flaw_does_not_spoil_a_page() -> None:
    body = {"metadata": {"resourceVersion": "9", "continue": "abc"}, "items": [SERVICE, {"metadata": {"name": "x"}, "spec": []}, 7, {}]}
    page = Decoder("Service").page(json.dumps(body).encode())
    assert [type(event) for event in page.events] == [Upsert, Flaw, Flaw, Flaw]
    assert (page.version, page.next) == ("9", "abc")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"items":[]}', b'{"metadata":{},"items":{}}'])
def test_a_page_that_is_none_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        Decoder("Service").page(body)


@pytest.mark.parametrize("body", [b"x", b"{}", b'{"type":"ADDED"}', b'{"type":"NEW","object":{"metadata":{}}}', b'{"type":7,"object":{}}'])
def test_a_line_that_is_none_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        Decoder("Service").line(body)


def test_an_empty_list_may_be_null() -> None:
    assert Decoder("Service").page(b'{"metadata":{"resourceVersion":"9"},"items":null}').events == ()


def test_pods_and_zones_are_kept_only_where_records_are_made_of_them() -> None:
    endpoint = {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "web-0"}, "zone": "z1", "hostname": "h"}
    thing = {"metadata": {"name": "web-x", "namespace": "shop"}, "addressType": "IPv4", "endpoints": [endpoint]}

    def kept(options: ClusterOptions) -> Endpoint:
        found = Decoder("EndpointSlice", options).line(line("ADDED", thing))[1]
        assert isinstance(found, Upsert)
        assert isinstance(found.view, EndpointSlice)
        return found.view.endpoints[0]

    assert kept(ClusterOptions()) == Endpoint("10.0.0.1", "h")
    assert kept(ClusterOptions(endpoint_pod_names=True)) == Endpoint("10.0.0.1", "h", pod="web-0")
    assert kept(ClusterOptions(zonal=True)) == Endpoint("10.0.0.1", "h", zone="z1")


def test_when_a_change_began_is_told() -> None:
    thing = {"metadata": {"name": "x", "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2026-11-23T02:27:38Z"}}}
    found = Decoder("EndpointSlice").line(line("MODIFIED", thing))[1]
    assert isinstance(found, Upsert)
    assert found.triggered == "2026-11-23T02:27:38Z"


def test_a_refusal_may_be_the_words_of_a_proxy() -> None:
    assert status_of(b"<html>502 Bad Gateway</html>") == Status()
    assert status_of(b'{"code":429,"details":{"retryAfterSeconds":3}}').retry_after == 3.0


def test_a_list_tells_its_version_whatever_is_in_it() -> None:
    assert list_version(b'{"metadata":{"resourceVersion":"803"},"items":[7]}') == "803"
    with pytest.raises(Unreadable):
        list_version(b"nothing")
