"""The objects of manifests, with the fields that a controller needs and DNS does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from clusterdns.cluster import (
    Api,
    ApiEndpointSlice,
    ApiMetadata,
    ApiNamespace,
    ApiPod,
    ApiPodStatus,
    ApiPort,
    ApiService,
    ApiServiceImport,
    ApiServiceSpec,
    Ref,
)
from clusterdns.corefile.problems import Place, Problem, Severity
from clusterdns.manifests.documents import Document


class ServicePort(ApiPort, frozen=True):
    """A port of a Service, and the pods' port that it leads to: a number, or the name of a container's port."""

    target_port: int | str | None = None


class ServiceSpec(ApiServiceSpec, frozen=True):
    """`spec` of a Service."""

    ports: tuple[ServicePort, ...] | None = None
    selector: dict[str, str] | None = None
    ip_families: tuple[str, ...] | None = None
    ip_family_policy: str | None = None
    publish_not_ready_addresses: bool | None = None


class Service(ApiService, frozen=True):
    """A Service."""

    spec: ServiceSpec = ServiceSpec()

    @property
    def headless(self) -> bool:
        """Whether it has no address of its own, on purpose."""
        return (self.spec.cluster_ips or (self.spec.cluster_ip,))[0] == "None"


class ContainerPort(Api, frozen=True):
    """A port of a container."""

    container_port: int = 0
    name: str | None = None
    protocol: str | None = None


class Container(Api, frozen=True):
    """A container: its ports."""

    ports: tuple[ContainerPort, ...] | None = None


class PodSpec(Api, frozen=True):
    """`spec` of a Pod."""

    hostname: str | None = None
    subdomain: str | None = None
    containers: tuple[Container, ...] | None = None


class Condition(Api, frozen=True):
    """One of a pod's `conditions`."""

    type: str | None = None
    status: str | None = None


class PodStatus(ApiPodStatus, frozen=True):
    """`status` of a Pod."""

    conditions: tuple[Condition, ...] | None = None


class Pod(ApiPod, frozen=True):
    """A Pod."""

    spec: PodSpec = PodSpec()
    status: PodStatus | None = None


class LabelSelector(Api, frozen=True):
    """`selector` of a workload."""

    match_labels: dict[str, str] | None = None


class PodTemplate(Api, frozen=True):
    """What a workload makes its pods from."""

    metadata: ApiMetadata | None = None
    spec: PodSpec | None = None


class Ordinals(Api, frozen=True):
    """`ordinals` of a StatefulSet: where to begin to count."""

    start: int = 0


class WorkloadSpec(Api, frozen=True):
    """`spec` of a Deployment or a StatefulSet."""

    template: PodTemplate
    replicas: int | None = None
    selector: LabelSelector | None = None
    service_name: str | None = None
    ordinals: Ordinals | None = None


class Workload(Api, frozen=True):
    """A Deployment or a StatefulSet."""

    metadata: ApiMetadata
    spec: WorkloadSpec


Object = ApiNamespace | Service | ApiServiceImport | ApiEndpointSlice | Pod | Workload


@dataclass(frozen=True)
class Given:
    """An object as a manifest gives it, and where."""

    ref: Ref
    object: Object
    place: Place

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self.object.metadata.labels or {}


def given(document: Document) -> Given | Problem | None:
    """The object of a document; None for one of a kind that DNS has no use for."""
    value = document.value
    kind, version = (value.get("kind"), value.get("apiVersion")) if isinstance(value, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(version, str):
        return _problem(document.place, "not a Kubernetes object: it has no `kind`, or no `apiVersion`")
    found = _KINDS.get((version.rpartition("/")[0], kind))
    if found is None:
        return None
    try:
        parsed: Object = msgspec.convert(value, found)
    except (msgspec.ValidationError, RecursionError) as problem:
        return _problem(document.place, f"{kind}: {problem}")
    metadata = parsed.metadata
    if not metadata.name:
        return _problem(document.place, f"{kind}: it has no `metadata.name`")
    namespace = "" if found is ApiNamespace else metadata.namespace or "default"
    named = msgspec.structs.replace(parsed, metadata=msgspec.structs.replace(metadata, namespace=namespace))
    return Given(Ref(kind, namespace, metadata.name), named, document.place)


def _problem(place: Place, message: str) -> Problem:
    """What keeps an object from being used."""
    return Problem(Severity.WARNING, "bad-object", place, message, "it is left out until it is mended; the rest is served")


_KINDS: dict[tuple[str, str], Any] = {
    ("", "Namespace"): ApiNamespace,
    ("", "Service"): Service,
    ("", "Pod"): Pod,
    ("discovery.k8s.io", "EndpointSlice"): ApiEndpointSlice,
    ("multicluster.x-k8s.io", "ServiceImport"): ApiServiceImport,
    ("apps", "Deployment"): Workload,
    ("apps", "StatefulSet"): Workload,
}
