"""What the EndpointSlice controller makes of Services and pods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clusterdns.cluster import Endpoint, EndpointSlice, Port
from clusterdns.manifests.addresses import family_of
from clusterdns.manifests.objects import PodSpec, Service, ServicePort
from clusterdns.manifests.pods import RunningPod
from clusterdns.manifests.services import families
from clusterdns.records.oddities import canonical_address


def endpoint_slices(service: Service, pods: Sequence[RunningPod]) -> Iterator[EndpointSlice]:
    """The slices of a Service with a selector: for each address family one for each set of ports that its pods have."""
    spec = service.spec
    if not spec.selector or spec.type == "ExternalName":
        return
    namespace, name = service.metadata.namespace or "", service.metadata.name
    chosen = [pod for pod in pods if pod.view.namespace == namespace and spec.selector.items() <= pod.labels.items() and not pod.finished]
    for family in families(service):
        by_ports: dict[tuple[Port, ...], list[Endpoint]] = {}
        for pod in chosen:
            address = next((canonical_address(address) for address in pod.addresses if family_of(address) == family), None)
            if address and (pod.ready or spec.publish_not_ready_addresses):
                endpoint = Endpoint(address, _hostname(pod.spec, name), pod.view.name)
                by_ports.setdefault(_ports(spec.ports or (), pod.spec), []).append(endpoint)
        for number, (ports, endpoints) in enumerate(by_ports.items()):
            yield EndpointSlice(namespace, f"{name}-{family.lower()}-{number}", name, family, tuple(endpoints), ports)


def _hostname(pod: PodSpec, service: str) -> str:
    """The hostname of a pod, for the one Service that it names as its subdomain."""
    return pod.hostname or "" if pod.subdomain == service else ""


def _ports(ports: Sequence[ServicePort], pod: PodSpec) -> tuple[Port, ...]:
    """The pod's ports that the Service's ports lead to. A named port that no container has is left out."""
    found = ((port, _target(port, pod)) for port in ports)
    return tuple(Port(port.name or "", port.protocol or "TCP", number) for port, number in found if number is not None)


def _target(port: ServicePort, pod: PodSpec) -> int | None:
    """The number of a pod's port."""
    if not isinstance(port.target_port, str):
        return port.target_port or port.port
    for container in pod.containers or ():
        for own in container.ports or ():
            if own.name == port.target_port and (own.protocol or "TCP") == (port.protocol or "TCP"):
                return own.container_port
    return None
