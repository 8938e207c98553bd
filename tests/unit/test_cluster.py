"""Views of API objects, from the shapes that an API server was recorded to send."""

import json
import re
from typing import Any

import msgspec
import pytest

from clusterdns.cluster import (
    ApiPod,
    Endpoint,
    EndpointSlice,
    Namespace,
    Pod,
    Port,
    Ref,
    Service,
    decode_endpoint_slice,
    decode_namespace,
    decode_pod,
    decode_service,
    pod_view,
)


def encode(**parts: Any) -> bytes:
    return json.dumps({"metadata": {"name": "web", "namespace": "shop", "uid": "1", "managedFields": [{}]}, **parts}).encode()


def test_a_namespace_is_its_name() -> None:
    assert decode_namespace(b'{"metadata":{"name":"shop"},"status":{"phase":"Terminating"}}') == Namespace("shop")


def test_C1_a_dual_stack_service_has_all_its_addresses() -> None:
    spec = {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1", "fd00:96::1"], "type": "ClusterIP", "ports": None}
    assert decode_service(encode(spec=spec)) == Service("shop", "web", cluster_ips=("10.96.0.1", "fd00:96::1"))


@pytest.mark.parametrize(
    "spec", [{"clusterIP": "10.96.0.1"}, {"clusterIP": "10.96.0.1", "clusterIPs": None}, {"clusterIPs": ["10.96.0.1"]}]
)
def test_C1_a_single_stack_service_has_the_one_address(spec: dict[str, Any]) -> None:
    assert decode_service(encode(spec=spec)).cluster_ips == ("10.96.0.1",)


@pytest.mark.parametrize("spec", [{}, {"clusterIP": ""}, {"type": "ExternalName", "externalName": "x.example"}])
def test_a_service_without_address_has_an_empty_one(spec: dict[str, Any]) -> None:
    service = decode_service(encode(spec=spec))
    assert service.cluster_ips == ("",)
    assert not service.headless


def test_H8_headless_is_what_has_None_first() -> None:
    assert decode_service(encode(spec={"clusterIP": "None", "clusterIPs": ["None"]})).headless
    assert not decode_service(encode(spec={"clusterIPs": ["10.96.0.1", "None"]})).headless


def test_ports_keep_their_names_and_protocols() -> None:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "x"}, {"port": 80, "protocol": "TCP", "nodePort": 30080}]
    assert decode_service(encode(spec={"ports": ports})).ports == (Port("dns", "UDP", 53), Port("", "TCP", 80))


def test_what_changes_often_and_matters_to_no_answer_is_not_in_a_view() -> None:
    quiet = encode(spec={"clusterIP": "10.96.0.1"})
    noisy = encode(spec={"clusterIP": "10.96.0.1", "sessionAffinity": "None"}, status={"loadBalancer": {}}, extra=[1, {"a": None}])
    assert decode_service(quiet) == decode_service(noisy)


def slice_of(endpoints: Any, **parts: Any) -> EndpointSlice:
    metadata = {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web", "other": "x"}}
    return decode_endpoint_slice(json.dumps({"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, **parts}).encode())


@pytest.mark.parametrize(
    ("conditions", "ready"),
    [
        ({"ready": True}, True),
        ({"ready": False}, False),
        ({}, True),
        (None, True),
        ({"ready": None}, True),
        ({"serving": True}, True),
        ({"ready": False, "serving": True, "terminating": True}, False),
        ({"ready": True, "serving": False}, True),
    ],
)
def test_H2_ready_is_what_counts_and_not_given_means_ready(conditions: Any, ready: bool) -> None:
    assert slice_of([{"addresses": ["10.0.0.1"], "conditions": conditions}]).endpoints == ((Endpoint("10.0.0.1"),) if ready else ())


def test_an_endpoint_for_each_address() -> None:
    endpoint = {"addresses": ["10.0.0.1", "10.0.0.2"], "hostname": "m", "zone": "a", "targetRef": {"name": "m-0"}, "nodeName": "n"}
    assert slice_of([endpoint]).endpoints == (Endpoint("10.0.0.1", "m", "m-0", "a"), Endpoint("10.0.0.2", "m", "m-0", "a"))


@pytest.mark.parametrize("endpoints", [None, [], [{"addresses": None}], [{"addresses": []}], [{}]])
def test_null_and_empty_arrays_are_empty(endpoints: Any) -> None:
    view = slice_of(endpoints, ports=None)
    assert (view.endpoints, view.ports) == ((), ())


def test_H7_a_port_without_number_is_minus_one() -> None:
    ports = [{"name": "", "protocol": "TCP"}, {"name": "http", "port": 80, "protocol": "TCP"}]
    assert slice_of(None, ports=ports).ports == (Port("", "TCP", -1), Port("http", "TCP", 80))


def test_H8_a_slice_belongs_to_the_service_that_its_label_names() -> None:
    assert slice_of(None).service == "web"
    assert decode_endpoint_slice(b'{"metadata":{"name":"x","namespace":"y","labels":null}}').service == ""


@pytest.mark.parametrize(
    ("status", "ip"),
    [
        ({"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, "10.0.0.1"),
        ({"phase": "Pending", "podIP": "10.0.0.1"}, "10.0.0.1"),
        ({"phase": "Pending"}, ""),
        ({"phase": "Succeeded", "podIP": "10.0.0.1"}, ""),
        ({"phase": "Failed", "podIP": "10.0.0.1"}, ""),
        ({"phase": "Unknown", "podIP": "10.0.0.1"}, ""),
        (None, ""),
    ],
)
def test_D3_a_pod_has_its_first_address_until_it_is_finished(status: Any, ip: str) -> None:
    assert decode_pod(encode(status=status)) == Pod("shop", "web", ip)


def test_of_a_pod_that_may_ask_its_addresses_and_some_labels_are_kept() -> None:
    status = {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}, {}]}
    api = msgspec.json.decode(encode(metadata={"name": "web", "labels": {"b": "2", "a": "", "c": "3"}}, status=status), type=ApiPod)
    assert pod_view(api, labels=("b", "a", "none")) == Pod("", "web", "10.0.0.1", ("fd00::1",), (("a", ""), ("b", "2")))
    assert pod_view(api, labels=()) == Pod("", "web", "10.0.0.1", ("fd00::1",))
    assert pod_view(api) == Pod("", "web", "10.0.0.1")


def test_D3_a_pod_that_is_being_deleted_has_no_address() -> None:
    metadata = {"name": "web", "namespace": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert decode_pod(encode(metadata=metadata, status={"phase": "Running", "podIP": "10.0.0.1"})).ip == ""


def test_a_part_of_a_larger_body_is_decoded_as_it_is() -> None:
    class Items(msgspec.Struct):
        items: list[msgspec.Raw]

    body = msgspec.json.decode(b'{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}', type=Items)
    assert [decode_namespace(item) for item in body.items] == [Namespace("a"), Namespace("b")]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{", "truncated"),
        (b"[]", "object"),
        (b'{"metadata":{"name":1}}', "$.metadata.name"),
        (b'{"metadata":{"name":"a"},"spec":{"ports":[{"port":"80"}]}}', "$.spec.ports[0].port"),
    ],
)
def test_what_does_not_fit_is_an_error_with_its_path(body: bytes, path: str) -> None:
    with pytest.raises(msgspec.DecodeError, match=re.escape(path)):
        decode_service(body)


def test_a_view_knows_which_object_it_is_of() -> None:
    views = (Namespace("shop"), Service("shop", "web"), EndpointSlice("shop", "web-x", "web"), Pod("shop", "web-0"))
    assert [str(view.ref) for view in views] == ["Namespace shop", "Service shop/web", "EndpointSlice shop/web-x", "Pod shop/web-0"]
    assert views[1].ref == Ref("Service", "shop", "web")


def test_texts_that_repeat_are_kept_once() -> None:
    first, second = (slice_of([{"addresses": ["10.0.0.1"], "zone": "zone-a"}], ports=[{"name": "http", "port": 80}]) for _ in range(2))
    assert first.endpoints[0].zone is second.endpoints[0].zone
    assert first.ports is second.ports
    assert first.namespace is second.namespace
