"""What a server should answer, computed from nothing but a list of what the API server holds right now."""

from __future__ import annotations

import json
from collections.abc import Iterator

from clusterdns.cluster import EndpointSlice, Namespace, Pod, Service, View
from clusterdns.kube.decode import Decoder, Upsert
from clusterdns.kube.resources import watched
from clusterdns.records.apex import apex_owners
from clusterdns.records.namespaces import is_exposed, namespace_owners
from clusterdns.records.options import ClusterOptions
from clusterdns.records.pods import pod_owners
from clusterdns.records.services import service_owners
from clusterdns.zones import Owner
from tests.controlplane.plane import ControlPlane
from tests.unit.records.reference import Reference

TYPES = {"A": 1, "PTR": 12, "SRV": 33, "TXT": 16}


def reference(plane: ControlPlane, options: ClusterOptions) -> Reference:
    """The answers to all questions."""
    return Reference(list(_owners(list(_views(plane, options)), options)))


def _views(plane: ControlPlane, options: ClusterOptions) -> Iterator[View]:
    for resource in watched(options):
        _, body = plane.request("GET", f"{resource.path}?{resource.selectors.removeprefix('&')}")
        page = Decoder(resource.kind, options).page(json.dumps(body).encode())
        yield from (event.view for event in page.events if isinstance(event, Upsert))


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
