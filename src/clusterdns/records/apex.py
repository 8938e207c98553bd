"""The zone itself: the names that always exist, its name servers, `dns-version` and the SOA."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from clusterdns.cluster import EndpointSlice, Service
from clusterdns.plan.ops import Soa
from clusterdns.records.endpoints import endpoint_label, service_name
from clusterdns.records.namespaces import TXT
from clusterdns.records.oddities import canonical_address, is_label
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import ANY, Exists, Owner, Primitive, RRset

A, NS, AAAA = 1, 2, 28
SPECIFICATION = "1.1.0"
SPECIFICATION_TTL = 28800


def apex_owners(
    own: Iterable[str], serving: Iterable[tuple[Service | None, EndpointSlice]], options: ClusterOptions, origin: int = 0
) -> tuple[Owner, ...]:
    """The owners that each zone has. The name servers are the Services that lead here, so that clients may know them (A1).

    `own` are the addresses that this server listens on; `serving` are the slices that hold one of them (`holds`), each with the
    Service that it belongs to, or None. Without such a slice the server names itself `ns.dns` (A2); without any address but
    loopback there is no name server to tell of.
    """
    addresses = own_addresses(own)
    serving = sorted(serving, key=lambda pair: pair[1].ref)
    if serving:
        servers, addresses = _servers(serving, options)
    else:
        servers = ("ns.dns",) if addresses else ()
    apex: Primitive = RRset(NS, options.ttl, servers) if servers else Exists()
    return (
        Owner("", origin, (apex,), absent=(TXT,)),
        Owner("svc", origin, (Exists(),), absent=(TXT,)),
        Owner("pod", origin, (Exists(),), absent=(TXT,)),
        Owner("ns.dns", origin, _address_sets(addresses, options), absent=(TXT,)),
        Owner("dns-version", origin, (RRset(TXT, SPECIFICATION_TTL, (SPECIFICATION,)),), absent=(ANY,)),
    )


def own_addresses(own: Iterable[str]) -> tuple[str, ...]:
    """The addresses by which others can reach this server: all but loopback."""
    canonical = (canonical_address(text.partition("%")[0]) for text in own)
    return tuple(dict.fromkeys(address for address in canonical if address and not ip_address(address).is_loopback))


def holds(piece: EndpointSlice, own: frozenset[str]) -> bool:
    """Whether one of these addresses is a ready endpoint of the slice."""
    return any(endpoint.address in own for endpoint in piece.endpoints)


def soa(options: ClusterOptions) -> Soa:
    """The SOA of each zone (S8, S9); its serial is the zone's."""
    return Soa(
        mname="ns.dns",
        rname="hostmaster",
        refresh=7200,
        retry=1800,
        expire=86400,
        minimum=options.ttl,
        ttl=min(options.ttl, 300),
    )


def _servers(serving: Iterable[tuple[Service | None, EndpointSlice]], options: ClusterOptions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the servers behind these slices, and their addresses: a Service's, or of a headless one each endpoint's."""
    names: dict[str, None] = {}
    addresses: dict[str, None] = {}
    for service, piece in serving:
        if service is None or not (is_label(service.name) and is_label(service.namespace)):
            continue
        name = service_name(service.namespace, service.name)
        if service.headless:
            pairs = [(f"{endpoint_label(endpoint, piece, options)}.{name}", endpoint.address) for endpoint in piece.endpoints]
        else:
            pairs = [(name, text) for text in service.cluster_ips]
        for server, text in pairs:
            if address := canonical_address(text):
                names[server] = None
                addresses[address] = None
    return tuple(names), tuple(addresses)


def _address_sets(addresses: tuple[str, ...], options: ClusterOptions) -> tuple[Primitive, ...]:
    """Addresses as an A and an AAAA set; without any, the name only exists (A3)."""
    families = {A: tuple(a for a in addresses if ":" not in a), AAAA: tuple(a for a in addresses if ":" in a)}
    sets = tuple(RRset(rtype, options.ttl, rdata) for rtype, rdata in families.items() if rdata)
    return sets or (Exists(),)
