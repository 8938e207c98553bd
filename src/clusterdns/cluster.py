"""Views of API objects: only what DNS needs of them, flat and small.

A view is made from the API's JSON (`decode_service(body)`), or from an object in the API's shape (`service_view(api)`). What changes
often and matters to no answer (status, managed fields, node names) is not in it: two views are equal when DNS has nothing to do.
Knows the shapes of the Kubernetes API. Must not know DNS records, options, HTTP or files.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

SERVICE_NAME = "kubernetes.io/service-name"
IMPORT_NAME = "multicluster.kubernetes.io/service-name"
SOURCE_CLUSTER = "multicluster.kubernetes.io/source-cluster"


class Ref(NamedTuple):
    """Which object: its kind, namespace (empty for a Namespace) and name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Namespace(msgspec.Struct, frozen=True, gc=False):
    """A namespace: that it exists."""

    name: str

    @property
    def ref(self) -> Ref:
        """Which object this is."""
        return Ref("Namespace", "", self.name)


class Port(msgspec.Struct, frozen=True, gc=False):
    """A port as the object has it; `number` -1: a slice's port without a number (all ports)."""

    name: str
    protocol: str
    number: int


class Service(msgspec.Struct, frozen=True, gc=False):
    """A Service. `cluster_ips` holds addresses, or the word None, or an empty text while there is none yet."""

    namespace: str
    name: str
    type: str = "ClusterIP"
    cluster_ips: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    external_name: str = ""

    @property
    def ref(self) -> Ref:
        """Which object this is."""
        return Ref("Service", self.namespace, self.name)

    @property
    def headless(self) -> bool:
        """Whether it has no address of its own, on purpose."""
        return self.cluster_ips[:1] == ("None",)


class ServiceImport(msgspec.Struct, frozen=True, gc=False):
    """A Service of several clusters, as this one sees it. `ips` are addresses of its own; a headless one has none."""

    namespace: str
    name: str
    type: str = "ClusterSetIP"
    ips: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()

    @property
    def ref(self) -> Ref:
        """Which object this is."""
        return Ref("ServiceImport", self.namespace, self.name)

    @property
    def headless(self) -> bool:
        """Whether it has no address of its own, on purpose."""
        return self.type == "Headless"


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """One address of a ready endpoint; `pod` is its target's name. Empty texts stand for what is not given."""

    address: str
    hostname: str = ""
    pod: str = ""
    zone: str = ""


class EndpointSlice(msgspec.Struct, frozen=True, gc=False):
    """The ready endpoints of one slice. `service` is its label `kubernetes.io/service-name`, empty without it.

    Of a slice that comes from another cluster, `service` is what that one calls it (the label of the Multi-Cluster Services API), and
    `cluster` is where it comes from.
    """

    namespace: str
    name: str
    service: str
    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[Port, ...] = ()
    cluster: str = ""

    @property
    def ref(self) -> Ref:
        """Which object this is."""
        return Ref("EndpointSlice", self.namespace, self.name)


class Pod(msgspec.Struct, frozen=True, gc=False):
    """A pod. `ip` is its first address; empty before it has one, and from the moment it is leaving or finished.

    `others`, its further addresses, and `labels` are there as far as somebody wants them.
    """

    namespace: str
    name: str
    ip: str = ""
    others: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def ref(self) -> Ref:
        """Which object this is."""
        return Ref("Pod", self.namespace, self.name)


View = Namespace | Service | ServiceImport | EndpointSlice | Pod


def decode_namespace(body: bytes | msgspec.Raw) -> Namespace:
    """The view of a Namespace from its JSON. What does not fit raises `msgspec.DecodeError`, with its path; so do the other three."""
    return namespace_view(_NAMESPACE.decode(body))


def decode_service(body: bytes | msgspec.Raw) -> Service:
    """The view of a Service from its JSON."""
    return service_view(_SERVICE.decode(body))


def decode_endpoint_slice(body: bytes | msgspec.Raw) -> EndpointSlice:
    """The view of an EndpointSlice from its JSON."""
    return endpoint_slice_view(_ENDPOINT_SLICE.decode(body))


def decode_pod(body: bytes | msgspec.Raw) -> Pod:
    """The view of a Pod from its JSON."""
    return pod_view(_POD.decode(body))


class Api(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A part of an object as the API writes it: arrays and objects may be `null`, unknown fields are skipped."""


class ApiAnnotations(Api, frozen=True):
    """The `annotations` that somebody reads: a bookmark's end mark, and when the change began that made a slice what it is."""

    ends_initial: str = msgspec.field(name="k8s.io/initial-events-end", default="")
    triggered: str = msgspec.field(name="endpoints.kubernetes.io/last-change-trigger-time", default="")


class ApiMetadata(Api, frozen=True):
    """`metadata`. A bookmark's has no name."""

    name: str = ""
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: ApiAnnotations | None = None
    deletion_timestamp: str | None = None
    resource_version: str = ""


class ApiNamespace(Api, frozen=True):
    """A Namespace."""

    metadata: ApiMetadata


class ApiPort(Api, frozen=True):
    """A port of a Service or a slice. The API server fills in the protocol; hand-written objects may leave it out."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class ApiServiceSpec(Api, frozen=True):
    """`spec` of a Service."""

    type: str | None = None
    cluster_ip: str | None = msgspec.field(name="clusterIP", default=None)
    cluster_ips: tuple[str, ...] | None = msgspec.field(name="clusterIPs", default=None)
    ports: tuple[ApiPort, ...] | None = None
    external_name: str | None = None


class ApiService(Api, frozen=True):
    """A Service."""

    metadata: ApiMetadata
    spec: ApiServiceSpec = ApiServiceSpec()


class ApiServiceImportSpec(Api, frozen=True):
    """`spec` of a ServiceImport."""

    type: str | None = None
    ips: tuple[str, ...] | None = None
    ports: tuple[ApiPort, ...] | None = None


class ApiServiceImport(Api, frozen=True):
    """A ServiceImport."""

    metadata: ApiMetadata
    spec: ApiServiceImportSpec = ApiServiceImportSpec()


class ApiConditions(Api, frozen=True):
    """`conditions` of an endpoint; `ready` not given means ready."""

    ready: bool | None = None


class ApiTarget(Api, frozen=True):
    """`targetRef` of an endpoint."""

    name: str | None = None


class ApiEndpoint(Api, frozen=True):
    """An endpoint: addresses that share a hostname, a target and a zone."""

    addresses: tuple[str, ...] | None = None
    conditions: ApiConditions | None = None
    hostname: str | None = None
    target_ref: ApiTarget | None = None
    zone: str | None = None


class ApiEndpointSlice(Api, frozen=True):
    """An EndpointSlice."""

    metadata: ApiMetadata
    address_type: str = "IPv4"
    endpoints: tuple[ApiEndpoint, ...] | None = None
    ports: tuple[ApiPort, ...] | None = None


class ApiPodIp(Api, frozen=True):
    """One of `podIPs`."""

    ip: str | None = None


class ApiPodStatus(Api, frozen=True):
    """`status` of a Pod."""

    phase: str | None = None
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    pod_ips: tuple[ApiPodIp, ...] | None = msgspec.field(name="podIPs", default=None)


class ApiPod(Api, frozen=True):
    """A Pod."""

    metadata: ApiMetadata
    status: ApiPodStatus | None = None


_NAMESPACE = msgspec.json.Decoder(ApiNamespace)
_SERVICE = msgspec.json.Decoder(ApiService)
_ENDPOINT_SLICE = msgspec.json.Decoder(ApiEndpointSlice)
_POD = msgspec.json.Decoder(ApiPod)

# Pods in these phases have given their address back (CoreDNS does not even watch them).
_FINISHED = ("Succeeded", "Failed", "Unknown")


def namespace_view(api: ApiNamespace) -> Namespace:
    """The view of a Namespace."""
    return Namespace(api.metadata.name)


def service_view(api: ApiService) -> Service:
    """The view of a Service."""
    spec = api.spec
    return Service(
        namespace=_shared(api.metadata.namespace),
        name=api.metadata.name,
        type=_shared(spec.type or "ClusterIP"),
        cluster_ips=spec.cluster_ips or (spec.cluster_ip or "",),
        ports=_ports(spec.ports or (), 0),
        external_name=spec.external_name or "",
    )


def service_import_view(api: ApiServiceImport) -> ServiceImport:
    """The view of a ServiceImport."""
    spec = api.spec
    return ServiceImport(
        namespace=_shared(api.metadata.namespace),
        name=api.metadata.name,
        type=_shared(spec.type or "ClusterSetIP"),
        ips=spec.ips or (),
        ports=_ports(spec.ports or (), 0),
    )


def endpoint_slice_view(api: ApiEndpointSlice, *, pods: bool = True, zones: bool = True, imported: bool = False) -> EndpointSlice:
    """The view of an EndpointSlice: one `Endpoint` for each address of those that are ready.

    Without `pods` or `zones` the endpoints' pods or zones are left out: that is many bytes, and changes that are none. `imported`: it is
    seen as a slice of a ServiceImport, else as one of a Service; which it is, its labels say, and they may say both.
    """
    metadata = api.metadata
    labels = metadata.labels or {}
    return EndpointSlice(
        namespace=_shared(metadata.namespace),
        name=metadata.name,
        service=labels.get(IMPORT_NAME if imported else SERVICE_NAME, ""),
        address_type=_shared(api.address_type),
        endpoints=tuple(
            [
                Endpoint(
                    address,
                    endpoint.hostname or "",
                    (pods and endpoint.target_ref and endpoint.target_ref.name) or "",
                    _shared(endpoint.zone) if zones else "",
                )
                for endpoint in api.endpoints or ()
                if endpoint.conditions is None or endpoint.conditions.ready is not False
                for address in endpoint.addresses or ()
            ]
        ),
        ports=_ports(api.ports or (), -1),
        cluster=_shared(labels.get(SOURCE_CLUSTER)) if imported else "",
    )


def pod_view(api: ApiPod, *, labels: Collection[str] | None = None) -> Pod:
    """The view of a Pod. `labels`: those that are wanted, with its further addresses; without them both are left out."""
    metadata, status = api.metadata, api.status
    if metadata.deletion_timestamp or status is None or status.phase in _FINISHED:
        return Pod(_shared(metadata.namespace), metadata.name)
    if labels is None:
        return Pod(_shared(metadata.namespace), metadata.name, status.pod_ip or "")
    return Pod(
        _shared(metadata.namespace),
        metadata.name,
        status.pod_ip or "",
        tuple(address.ip for address in status.pod_ips or () if address.ip and address.ip != status.pod_ip),
        wanted_labels(metadata.labels or {}, labels),
    )


def wanted_labels(labels: Mapping[str, str], wanted: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Those labels of an object that are wanted, in an order of their own."""
    return tuple((_shared(name), _shared(labels[name])) for name in sorted(wanted) if name in labels)


def _shared(text: str | None) -> str:
    """One copy of a text that thousands of objects repeat."""
    return sys.intern(text) if text else ""


@lru_cache(maxsize=1024)
def _ports(ports: tuple[ApiPort, ...], absent: int) -> tuple[Port, ...]:
    """One copy of the ports that thousands of objects repeat. `absent` is the number of a port without one."""
    return tuple(Port(port.name or "", port.protocol or "TCP", absent if port.port is None else port.port) for port in ports)
