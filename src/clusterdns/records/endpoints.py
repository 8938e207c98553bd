"""Endpoints as members of their Service: what is answered for each, and the label of its own name."""

from __future__ import annotations

from collections.abc import Iterable

from clusterdns.cluster import Endpoint, EndpointSlice
from clusterdns.records.oddities import Oddity, Report, canonical_address, dashed, is_label, is_name, sayable_ports, unreported
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import Group, Member


def service_name(namespace: str, name: str) -> str:
    """The name of a Service, relative to the zone."""
    return f"{name}.{namespace}.svc"


def endpoint_groups(slices: Iterable[EndpointSlice], options: ClusterOptions, report: Report) -> tuple[Group, ...]:
    """One group for each slice that has a ready endpoint; its ports are the slice's own, which are the pods' (H9)."""
    groups = []
    for piece in slices:
        members = tuple([member for endpoint in piece.endpoints if (member := _member(endpoint, piece, options, report))])
        if members:
            groups.append(Group(sayable_ports(piece.ports, piece.ref, "ports", report), members))
    return tuple(groups)


def endpoint_label(endpoint: Endpoint, piece: EndpointSlice, options: ClusterOptions) -> str:
    """The label of an endpoint's own name: its hostname, or its pod's name if asked for, or else its address with dashes (H4)."""
    return _named(endpoint, piece, options, unreported) or dashed(endpoint.address)


def _member(endpoint: Endpoint, piece: EndpointSlice, options: ClusterOptions, report: Report) -> Member | None:
    """An endpoint as a member of its slice's group, or None for an address that is none."""
    text = endpoint.address
    if piece.address_type == "FQDN":
        label = dashed(text)
        if is_name(text) and is_label(label) and not canonical_address(text):
            return Member(text.removesuffix(".") + ".", _named(endpoint, piece, options, report) or label)
        report(Oddity(piece.ref, "endpoints[].addresses", f"{text!r} is not a DNS name, or is too long to be a label"))
        return None
    address = canonical_address(text)
    if address is None:
        report(Oddity(piece.ref, "endpoints[].addresses", f"{text!r} is not an address"))
        return None
    # The engine makes the label of an address by itself, but only from its canonical text.
    label = "" if address is text or address == text.lower() else dashed(text)
    if endpoint.hostname or options.endpoint_pod_names:
        label = _named(endpoint, piece, options, report) or label
    return Member(address, label)


def _named(endpoint: Endpoint, piece: EndpointSlice, options: ClusterOptions, report: Report) -> str:
    """The label that the object gives to an endpoint, empty if it gives none (H4).

    A pod's name that cannot be one label (it may be long, or have dots) is passed over, and is no oddity.
    """
    if endpoint.hostname:
        hostname = endpoint.hostname.lower()
        if is_label(hostname):
            return hostname
        report(Oddity(piece.ref, "endpoints[].hostname", f"{endpoint.hostname!r} cannot be a label of a DNS name"))
    if options.endpoint_pod_names and is_label(pod := endpoint.pod.lower()):
        return pod
    return ""
