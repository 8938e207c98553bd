"""One Service and its EndpointSlices, as owners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clusterdns.cluster import Endpoint, EndpointSlice, Service
from clusterdns.records.endpoints import endpoint_groups, service_name
from clusterdns.records.oddities import (
    Oddity,
    Report,
    canonical_address,
    dashed,
    is_label,
    is_name,
    sayable_addresses,
    sayable_ports,
    unreported,
)
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import ANY, Exists, Group, MemberSet, Owner, RRset

A, CNAME, AAAA, SRV = 1, 5, 28, 33

# No type is left for which the name exists; what remains of its addresses is their PTR.
REVERSE_ONLY = (A, AAAA, SRV, ANY)


def service_owners(
    service: Service | None,
    slices: Sequence[EndpointSlice],
    options: ClusterOptions,
    origin: int = 0,
    report: Report = unreported,
) -> tuple[Owner, ...]:
    """All that a Service and the slices labelled with its name make; nothing where the name does not exist.

    `service` is None where slices name one that is not there. That the namespace is exposed is for the caller to know
    (`namespaces.is_exposed`); there is nothing to make where it is not. The order of the slices does not matter.
    """
    ordered = () if options.noendpoints else sorted(slices, key=lambda piece: piece.name)
    if service is None:
        return _orphans(ordered, options, origin, report)
    for field, text in (("metadata.name", service.name), ("metadata.namespace", service.namespace)):
        if not is_label(text):
            report(Oddity(service.ref, field, f"{text!r} cannot be a label of a DNS name"))
            return ()
    name = service_name(service.namespace, service.name)
    if service.type == "ExternalName":
        return _external_name(name, service, options, origin, report)
    if service.headless:
        return _headless(name, ordered, options, origin, report)
    return _cluster_ip(name, service, ordered, options, origin, report)


def _cluster_ip(
    name: str, service: Service, slices: Iterable[EndpointSlice], options: ClusterOptions, origin: int, report: Report
) -> tuple[Owner, ...]:
    """A name with the Service's own addresses; its endpoints have names below it, but are not listed by it (C1, C11)."""
    addresses = sayable_addresses(service.cluster_ips, service.ref, "spec.clusterIPs", report)
    groups = endpoint_groups(slices, options, report)
    if options.ignore_empty_service and not groups:
        # The name does not exist, and yet the address has one: that is how CoreDNS has it (recorded).
        reverse = MemberSet(options.ttl, addresses, (), (), listed=False)
        return (Owner(name, origin, (reverse,), absent=REVERSE_ONLY),) if addresses else ()
    ports = sayable_ports(service.ports, service.ref, "spec.ports", report)
    return (Owner(name, origin, (MemberSet(options.ttl, addresses, ports, groups, listed=False),)),)


def _headless(name: str, slices: Iterable[EndpointSlice], options: ClusterOptions, origin: int, report: Report) -> tuple[Owner, ...]:
    """A name that lists its endpoints; without a ready one it does not exist (H3)."""
    groups = endpoint_groups(slices, options, report)
    owners = (Owner(name, origin, (MemberSet(options.ttl, (), (), groups, listed=True),)),) if groups else ()
    return owners + _zonal(name, slices, groups, options, origin, report) if options.zonal else owners


def _external_name(name: str, service: Service, options: ClusterOptions, origin: int, report: Report) -> tuple[Owner, ...]:
    """An alias (E1). What reads as an address is none, as an alias has to be a name (E5)."""
    target = service.external_name
    if canonical_address(target):
        report(Oddity(service.ref, "spec.externalName", f"{target!r} is an address: an alias has to be a name"))
    elif not is_name(target):
        report(Oddity(service.ref, "spec.externalName", f"{target!r} is not a DNS name"))
    else:
        return (Owner(name, origin, (RRset(CNAME, options.ttl, (target.removesuffix(".") + ".",)),)),)
    return ()


def _orphans(slices: Sequence[EndpointSlice], options: ClusterOptions, origin: int, report: Report) -> tuple[Owner, ...]:
    """Endpoints without a Service: their names do not exist, and yet PTR tells them, as CoreDNS does (R3)."""
    groups = endpoint_groups(slices, options, report)
    if not groups or not (is_label(slices[0].service) and is_label(slices[0].namespace)):
        return ()
    name = service_name(slices[0].namespace, slices[0].service)
    labels = {member.label or dashed(member.address) for group in groups for member in group.members}
    hidden = tuple(Owner(f"{label}.{name}", origin, (Exists(),), absent=(ANY,)) for label in sorted(labels))
    return (Owner(name, origin, (MemberSet(options.ttl, (), (), groups, listed=False),), absent=REVERSE_ONLY), *hidden)


def _zonal(
    name: str, slices: Iterable[EndpointSlice], groups: tuple[Group, ...], options: ClusterOptions, origin: int, report: Report
) -> tuple[Owner, ...]:
    """The names `ZONE.pin._zone.SERVICE` and `ZONE.prefer._zone.SERVICE` of a headless Service (Z1).

    A zone without endpoints has no owner of its own: the wildcards answer for it, `pin` with no data, `prefer` with everything.
    """
    pin, prefer = f"pin._zone.{name}", f"prefer._zone.{name}"
    everything = _borrowed(name, groups, options) if groups else Exists()
    owners = [Owner(f"*.{pin}", origin, (Exists(),)), Owner(f"*.{prefer}", origin, (everything,))]
    for zone, pieces in _by_zone(slices, prefer, report).items():
        local = endpoint_groups(pieces, options, unreported)  # reported already, with all endpoints
        if local:
            data = (_borrowed(name, local, options),)
            owners += [Owner(f"{zone}.{pin}", origin, data), Owner(f"{zone}.{prefer}", origin, data)]
    return tuple(owners)


def _borrowed(name: str, groups: Iterable[Group], options: ClusterOptions) -> MemberSet:
    """Endpoints of a Service that another name lists, and nothing more."""
    based = tuple(Group(group.ports, group.members, name) for group in groups)
    return MemberSet(options.ttl, (), (), based, listed=True, alone=True)


def _by_zone(slices: Iterable[EndpointSlice], suffix: str, report: Report) -> dict[str, list[EndpointSlice]]:
    """The slices, split by the zone of their endpoints. A zone's name may have dots."""
    zones: dict[str, list[EndpointSlice]] = {}
    for piece in slices:
        local: dict[str, list[Endpoint]] = {}
        for endpoint in piece.endpoints:
            if endpoint.zone:
                local.setdefault(endpoint.zone.lower(), []).append(endpoint)
        for zone, endpoints in local.items():
            if is_name(f"{zone}.{suffix}") and not zone.endswith("."):
                fields = (piece.namespace, piece.name, piece.service, piece.address_type)
                zones.setdefault(zone, []).append(EndpointSlice(*fields, tuple(endpoints), piece.ports))
            else:
                report(Oddity(piece.ref, "endpoints[].zone", f"{zone!r} cannot be in a DNS name"))
    return dict(sorted(zones.items()))
