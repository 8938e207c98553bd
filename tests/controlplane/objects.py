"""Objects as somebody would write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]


def namespace(name: str, **labels: str) -> Object:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def service(space: str, name: str, cluster_ip: str = "", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    """A Service with one port; without an address the API server gives it one."""
    fields = {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}], **spec}
    if cluster_ip:
        fields |= {"clusterIP": cluster_ip, "clusterIPs": [cluster_ip]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space, "labels": labels or {}}, "spec": fields}


def service_import(space: str, name: str, ips: list[str] | None) -> Object:
    """A Service of several clusters, headless where there are no addresses."""
    spec = {"type": "ClusterSetIP", "ips": ips} if ips is not None else {"type": "Headless"}
    return {
        "apiVersion": "multicluster.x-k8s.io/v1alpha1",
        "kind": "ServiceImport",
        "metadata": {"name": name, "namespace": space},
        "spec": spec | {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}]},
    }


def imported(space: str, owner: str, cluster: str, addresses: Iterable[str]) -> Object:
    """A slice of a Service of several clusters."""
    thing = endpoint_slice(space, f"{owner}-{cluster}", None, addresses)
    labels = {"multicluster.kubernetes.io/service-name": owner, "multicluster.kubernetes.io/source-cluster": cluster}
    return thing | {"metadata": thing["metadata"] | {"labels": labels}}


def service_import_crd() -> Object:
    """What makes an API server know ServiceImports, with as much of a schema as it takes."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "serviceimports", "singular": "serviceimport", "kind": "ServiceImport", "listKind": "ServiceImportList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "serviceimports.multicluster.x-k8s.io",
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/community/pull/2337"},
        },
        "spec": {"group": "multicluster.x-k8s.io", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def endpoint_slice(space: str, name: str, owner: str | None, addresses: Iterable[str], hostnames: bool = False) -> Object:
    """A slice of ready endpoints; an address with `!` is not ready."""
    endpoints = [
        {"addresses": [text.strip("!")], "conditions": {"ready": "!" not in text}} | ({"hostname": f"h{index}"} if hostnames else {})
        for index, text in enumerate(addresses)
    ]
    labels = {"kubernetes.io/service-name": owner} if owner else {}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": space, "labels": labels},
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }
