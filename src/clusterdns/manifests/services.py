"""What the API server adds to a Service: addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from clusterdns.cluster import ApiMetadata
from clusterdns.manifests.addresses import SERVICES, Pool, family_of
from clusterdns.manifests.objects import Service, ServicePort, ServiceSpec

API_SERVER = Service(
    ApiMetadata("kubernetes", "default", {"component": "apiserver", "provider": "kubernetes"}),
    ServiceSpec(cluster_ips=("10.96.0.1",), ports=(ServicePort("https", "TCP", 443, 6443),)),
)
"""The Service that every cluster has."""


def families(service: Service) -> tuple[str, ...]:
    """The address families of a Service: those of its addresses, or as its spec asks for. The first is the main one."""
    spec = service.spec
    wanted = dict.fromkeys(family for text in given_addresses(service) if (family := family_of(text)))
    wanted |= dict.fromkeys(name for name in spec.ip_families or () if name in SERVICES)
    if not wanted:
        wanted["IPv4"] = None
    if spec.ip_family_policy in ("PreferDualStack", "RequireDualStack"):
        wanted |= dict.fromkeys(SERVICES)
    return tuple(wanted)


def given_addresses(service: Service) -> tuple[str, ...]:
    """The addresses that the manifest gives, or the word None."""
    return tuple(text for text in service.spec.cluster_ips or (service.spec.cluster_ip or "",) if text)


def with_addresses(services: Sequence[Service]) -> Iterator[Service]:
    """The Services, each with an address of each of its families. Given ones are kept; when a network is full, there is none."""
    taken = {address for service in services for address in given_addresses(service)}
    pools: Mapping[str, Pool] = {family: Pool(network, taken) for family, network in SERVICES.items()}
    for service in sorted(services, key=lambda service: (service.metadata.namespace or "", service.metadata.name)):
        if service.headless or service.spec.type == "ExternalName":
            yield service
            continue
        addresses = list(given_addresses(service))
        for name in families(service):
            if name not in map(family_of, addresses):
                chosen = pools[name].address(f"{service.metadata.namespace}/{service.metadata.name}")
                addresses += [chosen] if chosen else []
        yield msgspec.structs.replace(service, spec=msgspec.structs.replace(service.spec, cluster_ips=tuple(addresses)))
