"""The options of `kubernetes` that decide which records there are."""

from __future__ import annotations

from typing import Literal

import msgspec

PodMode = Literal["disabled", "insecure", "verified"]


class ApiOptions(msgspec.Struct, frozen=True):
    """How to reach the API server. Nothing given: as pods do. `tls` is certificate, key, CA; `qps` and `inflight` 0: no limit."""

    endpoint: str = ""
    tls: tuple[str, ...] = ()
    kubeconfig: str = ""
    context: str = ""
    qps: float = 0.0
    burst: int = 0
    inflight: int = 0
    startup_seconds: float = 5.0


class ClusterOptions(msgspec.Struct, frozen=True):
    """The words of the Corefile, as values. Equal options give equal records from equal objects.

    `labels` and `namespace_labels` are label selectors in their canonical text (`selectors.format_selector`), empty for all objects;
    whoever reads the objects applies them, as the API server does (N2, N3). `client_labels` is the metadata that tells of the pod behind
    a client's address (`labels.py`); the zone keeps what it says. `manifests` are files and directories to read objects from; without
    any the objects are the API server's. `multicluster`: the zone is that of several clusters, and its Services are ServiceImports.
    """

    pods: PodMode = "disabled"
    ttl: int = 5
    namespaces: tuple[str, ...] = ()
    namespace_labels: str = ""
    labels: str = ""
    endpoint_pod_names: bool = False
    ignore_empty_service: bool = False
    noendpoints: bool = False
    zonal: bool = False
    multicluster: bool = False
    client_labels: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    api: ApiOptions = ApiOptions()
