"""A cluster of any size, as the API server would list it: the same numbers give the same objects, byte for byte.

Each object has all that the API server and its controllers write (uid, managedFields, annotations, owner references, target pods),
because reading past them is part of the work. Knows the API's shapes. Must not know what DNS makes of them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

Object = dict[str, Any]

SERVICES_PER_NAMESPACE = 100
NODES = 100
ZONES = 3
TIME = "2026-11-23T02:27:38Z"
NAMESPACE_OF_IDS = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


class Size(NamedTuple):
    """How many Services and endpoints."""

    services: int
    endpoints: int

    def __str__(self) -> str:
        return f"{self.services:,} Services, {self.endpoints:,} endpoints"


class Shape(NamedTuple):
    """What a Service is like: whether it has an address of its own, its pods' names are hostnames, and its share of the endpoints."""

    headless: bool
    hostnames: bool
    share: int
    ports: tuple[tuple[str, int], ...]


WEB = (("http", 80), ("metrics", 9090))
# Each tenth Service is the same again; the shares sum up to 10.
SHAPES = (
    *[Shape(False, False, 1, WEB)] * 5,
    Shape(True, False, 1, (("grpc", 50051),)),
    Shape(True, False, 1, (("grpc", 50051),)),
    Shape(True, True, 1, (("peer", 7000), ("client", 9042))),
    Shape(False, False, 2, WEB),
    Shape(False, False, 0, WEB),
)
CLUSTER_IP, HEADLESS, STATEFUL = 0, 5, 7


def write_manifests(path: Path, size: Size) -> None:
    """A `kind: List` of Namespaces, Services and EndpointSlices, one object a line."""
    with path.open("w") as file:
        file.write('{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":""},"items":[\n')
        for index, item in enumerate(objects(size)):
            file.write((",\n" if index else "") + json.dumps(item, separators=(",", ":")))
        file.write("\n]}\n")


def objects(size: Size) -> Iterator[Object]:
    """All objects; those of one kind together, as lists give them."""
    services = range(size.services)
    for number in range((size.services + SERVICES_PER_NAMESPACE - 1) // SERVICES_PER_NAMESPACE):
        yield namespace(number)
    for number in services:
        yield service(number)
    first = 0
    for number in services:
        count = size.endpoints // size.services * SHAPES[number % len(SHAPES)].share
        yield endpoint_slice(number, first, count)
        first += count


def service_name(number: int) -> tuple[str, str]:
    """Namespace and name of a Service."""
    return f"team-{number // SERVICES_PER_NAMESPACE:03d}", f"service-{number:05d}"


def cluster_ip(number: int) -> str:
    """The address of a Service."""
    return f"10.{96 + (number + 256 >> 16)}.{(number + 256) >> 8 & 255}.{(number + 256) & 255}"


def pod_ip(number: int) -> str:
    """The address of a pod."""
    return f"10.{128 + (number + 256 >> 16)}.{(number + 256) >> 8 & 255}.{(number + 256) & 255}"


def namespace(number: int) -> Object:
    """A Namespace."""
    name = f"team-{number:03d}"
    labels = {"kubernetes.io/metadata.name": name, "team": name}
    fields: Object = {"f:metadata": {"f:labels": {".": {}, **{f"f:{label}": {} for label in labels}}}}
    return {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": metadata(name, None, number, labels) | {"managedFields": [managed("kubectl-create", "v1", fields)]},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def service(number: int) -> Object:
    """A Service."""
    shape = SHAPES[number % len(SHAPES)]
    space, name = service_name(number)
    address = "None" if shape.headless else cluster_ip(number)
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm"}
    port_fields: Object = {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {}}
    port_keys = {f'k:{{"port":{port},"protocol":"TCP"}}': port_fields for _, port in shape.ports}
    fields: Object = {
        "f:metadata": {"f:labels": {".": {}, **{f"f:{label}": {} for label in labels}}},
        "f:spec": {
            "f:clusterIP": {},
            "f:internalTrafficPolicy": {},
            "f:ports": {".": {}, **port_keys},
            "f:selector": {},
            "f:sessionAffinity": {},
            "f:type": {},
        },
    }
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": metadata(name, space, number, labels) | {"managedFields": [managed("helm", "v1", fields)]},
        "spec": {
            "ports": [{"name": port_name, "protocol": "TCP", "port": port, "targetPort": port_name} for port_name, port in shape.ports],
            "selector": {"app.kubernetes.io/name": name},
            "clusterIP": address,
            "clusterIPs": [address],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": {}},
    }


def endpoint_slice(number: int, first: int, count: int) -> Object:
    """The slice of a Service, with endpoints from pod `first` on."""
    shape = SHAPES[number % len(SHAPES)]
    space, service_of = service_name(number)
    name = f"{service_of}-{identity('suffix', number)[:5]}"
    labels = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io", "kubernetes.io/service-name": service_of}
    if shape.headless:
        labels["service.kubernetes.io/headless"] = ""
    owner = identity(service_of, number)
    fields: Object = {
        "f:addressType": {},
        "f:endpoints": {},
        "f:metadata": {
            "f:annotations": {".": {}, "f:endpoints.kubernetes.io/last-change-trigger-time": {}},
            "f:generateName": {},
            "f:labels": {".": {}, **{f"f:{label}": {} for label in labels}},
            "f:ownerReferences": {".": {}, f'k:{{"uid":"{owner}"}}': {}},
        },
        "f:ports": {},
    }
    return {
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "metadata": metadata(name, space, number, labels)
        | {
            "generateName": f"{service_of}-",
            "generation": 6,
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": TIME},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Service", "name": service_of, "uid": owner, "controller": True, "blockOwnerDeletion": True}
            ],
            "managedFields": [managed("kube-controller-manager", "discovery.k8s.io/v1", fields)],
        },
        "addressType": "IPv4",
        "endpoints": [endpoint(shape, space, service_of, index, first + index) for index in range(count)] or None,
        "ports": [{"name": port_name, "protocol": "TCP", "port": port} for port_name, port in shape.ports] if count else None,
    }


def endpoint(shape: Shape, space: str, service_of: str, index: int, number: int) -> Object:
    """A pod that is ready, as its slice shows it."""
    pod = f"{service_of}-{index}" if shape.hostnames else f"{service_of}-{identity('replicas', number)[:9]}-{identity('pod', number)[:5]}"
    return {
        "addresses": [pod_ip(number)],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        **({"hostname": pod} if shape.hostnames else {}),
        "targetRef": {"kind": "Pod", "namespace": space, "name": pod, "uid": identity("pod", number)},
        "nodeName": f"node-{number % NODES:03d}.compute.internal",
        "zone": f"eu-central-1{'abc'[number % ZONES]}",
    }


def metadata(name: str, space: str | None, number: int, labels: dict[str, str]) -> Object:
    """What every object has."""
    where = {} if space is None else {"namespace": space}
    version = {"uid": identity(name, number), "resourceVersion": str(1000 + number), "creationTimestamp": TIME}
    return {"name": name, **where, **version, "labels": labels}


def managed(who: str, version: str, fields: Object) -> Object:
    """An entry of managedFields."""
    return {"manager": who, "operation": "Update", "apiVersion": version, "time": TIME, "fieldsType": "FieldsV1", "fieldsV1": fields}


def identity(kind: str, number: int) -> str:
    """A uid that is always the same."""
    return str(uuid.uuid5(NAMESPACE_OF_IDS, f"{kind}/{number}"))
