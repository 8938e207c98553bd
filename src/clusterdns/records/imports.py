"""One ServiceImport and the EndpointSlices of all clusters, as owners (Multi-Cluster Services API, v1alpha1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from clusterdns.cluster import EndpointSlice, ServiceImport
from clusterdns.records.endpoints import endpoint_groups, service_name
from clusterdns.records.oddities import Oddity, Report, is_label, sayable_addresses, sayable_ports, unreported
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import ANY, Group, MemberSet, Owner


def import_owners(
    imported: ServiceImport,
    slices: Sequence[EndpointSlice],
    options: ClusterOptions,
    origin: int = 0,
    report: Report = unreported,
) -> tuple[Owner, ...]:
    """All that a ServiceImport and the slices labelled with its name make; nothing where the name does not exist (M1).

    An endpoint has a name below its cluster's, `ENDPOINT.CLUSTER.SERVICE`, and none below the Service alone (M2).
    """
    for field, text in (("metadata.name", imported.name), ("metadata.namespace", imported.namespace)):
        if not is_label(text):
            report(Oddity(imported.ref, field, f"{text!r} cannot be a label of a DNS name"))
            return ()
    name = service_name(imported.namespace, imported.name)
    clusters = {cluster: endpoint_groups(pieces, options, report) for cluster, pieces in _by_cluster(slices, report)}
    groups = tuple(_based(group, cluster, name) for cluster, groups in clusters.items() for group in groups)
    if not groups and (imported.headless or options.ignore_empty_service):
        return ()
    if imported.headless:
        data = MemberSet(options.ttl, (), (), groups, listed=True)
    else:
        addresses = sayable_addresses(imported.ips, imported.ref, "spec.ips", report)
        ports = sayable_ports(imported.ports, imported.ref, "spec.ports", report)
        data = MemberSet(options.ttl, addresses, ports, clusters.get("", ()), listed=False)
    below = tuple(
        Owner(f"{cluster}.{name}", origin, (MemberSet(options.ttl, (), (), groups, listed=False),), absent=(ANY,))
        for cluster, groups in clusters.items()
        if cluster and groups
    )
    return (Owner(name, origin, (data,)), *below)


def _by_cluster(slices: Iterable[EndpointSlice], report: Report) -> Iterable[tuple[str, list[EndpointSlice]]]:
    """The slices of each cluster, in a fixed order. Those that do not say from which one they come are the Service's own."""

    def cluster(piece: EndpointSlice) -> str:
        return piece.cluster.lower() if is_label(piece.cluster.lower()) else ""

    for piece in slices:
        if piece.cluster and not cluster(piece):
            report(Oddity(piece.ref, "metadata.labels", f"the source cluster {piece.cluster!r} cannot be a label of a DNS name"))
    ordered = sorted(slices, key=lambda piece: (cluster(piece), piece.name))
    return ((name, list(pieces)) for name, pieces in groupby(ordered, key=cluster))


def _based(group: Group, cluster: str, name: str) -> Group:
    """A group whose members' names live below their cluster."""
    return Group(group.ports, group.members, f"{cluster}.{name}") if cluster else group
