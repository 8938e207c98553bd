"""What a server should answer, computed from nothing but a list of what the API server holds right now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address

from clusterdns.cluster import EndpointSlice, Namespace, Pod, Service, View
from clusterdns.kube.decode import Decoder, Upsert
from clusterdns.kube.resources import watched
from clusterdns.records.apex import apex_owners
from clusterdns.records.namespaces import is_exposed, namespace_owners
from clusterdns.records.options import ClusterOptions
from clusterdns.records.pods import pod_owners
from clusterdns.records.services import service_owners
from clusterdns.zones import Owner
from tests.conformance.answers import answer_of
from tests.controlplane.plane import ControlPlane
from tests.servers import Running
from tests.unit.records.reference import Reference

TYPES = {"A": 1, "PTR": 12, "SRV": 33, "TXT": 16}
PAGE = 500


def reference(plane: ControlPlane, options: ClusterOptions, only: Collection[tuple[str, str]] | None = None) -> Reference:
    """The answers to all questions. `only`: to those about these Services (namespace and name), where all of them are too many."""
    return Reference(list(_owners([view for view in _views(plane, options) if only is None or _is_about(view, only)], options)))


def questions_about(expected: Reference) -> Iterator[tuple[str, str]]:
    """All names that there are, each with all types of records, and all addresses."""
    for name in expected.zone.names:
        yield from ((f"{name}.{expected.origin}" if name else expected.origin, rtype) for rtype in ("A", "SRV", "TXT"))
    for address in (*expected.zone.owned, *expected.zone.reverse):
        yield f"{ip_address(address).reverse_pointer}.", "PTR"


def differences(server: Running, expected: Reference, questions: Iterable[tuple[str, str]]) -> list[str]:
    """The questions whose answers are others."""
    wrong = []
    for name, rtype in questions:
        status, answer, glue = expected.answer(name, TYPES[rtype])
        found = answer_of("127.0.0.1", server.port, name, rtype)
        rcode = "NODATA" if found["rcode"] == "NOERROR" and not found["answer"] else found["rcode"]
        said = [{tuple(record) for record in found[section] if record[2] != "SOA"} for section in ("answer", "additional")]
        meant = [{(owner, ttl, *_written(number, data)) for owner, ttl, number, data in section} for section in (answer, glue)]
        if [rcode, *said] != [status, *meant]:
            wrong.append(f"{name} {rtype}: expected {status} {meant}, got {rcode} {said}")
    return wrong


def _written(number: int, data: str) -> tuple[str, str]:
    """A type, and what a record of it holds, as they are written."""
    types = {number: text for text, number in TYPES.items()} | {5: "CNAME", 28: "AAAA"}
    return types[number], f'"{data}"' if types[number] == "TXT" else data


def _is_about(view: View, only: Collection[tuple[str, str]]) -> bool:
    """Whether a view decides about one of these Services."""
    match view:
        case Service():
            return (view.namespace, view.name) in only
        case EndpointSlice():
            return (view.namespace, view.service) in only
        case Namespace():
            return view.name in {namespace for namespace, _ in only}
    return False


def _views(plane: ControlPlane, options: ClusterOptions) -> Iterator[View]:
    for resource in watched(options):
        decoder, more = Decoder(resource.kind, options), ""
        while True:
            page = decoder.page(plane.text(f"{resource.path}?limit={PAGE}{resource.selectors}{more}"))
            yield from (event.view for event in page.events if isinstance(event, Upsert))
            if not page.next:
                break
            more = f"&continue={page.next}"


def _owners(views: list[View], options: ClusterOptions) -> Iterator[Owner]:
    spaces = {view.name: view for view in views if isinstance(view, Namespace)}
    services = {(view.namespace, view.name): view for view in views if isinstance(view, Service)}
    slices: dict[tuple[str, str], list[EndpointSlice]] = {key: [] for key in services}
    for view in views:
        if isinstance(view, EndpointSlice):
            slices.setdefault((view.namespace, view.service), []).append(view)
    yield from apex_owners(["127.0.0.1"], (), options)
    for space in spaces.values():
        yield from namespace_owners(space, options)
    for key, pieces in slices.items():
        if is_exposed(key[0], spaces.get(key[0]), options):
            yield from service_owners(services.get(key), pieces, options)
    for view in views:
        if isinstance(view, Pod) and is_exposed(view.namespace, spaces.get(view.namespace), options):
            yield from pod_owners(view, options)
