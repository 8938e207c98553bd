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
