"""From the files of manifests to the views of a cluster."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from clusterdns.cluster import (
    IMPORT_NAME,
    ApiEndpointSlice,
    ApiNamespace,
    ApiServiceImport,
    Namespace,
    Pod,
    Ref,
    Service,
    View,
    endpoint_slice_view,
    service_import_view,
    service_view,
    wanted_labels,
)
from clusterdns.corefile.problems import Place, Problem, Severity
from clusterdns.manifests import objects
from clusterdns.manifests.documents import Document, documents
from clusterdns.manifests.files import DISK, Files
from clusterdns.manifests.objects import Given, given
from clusterdns.manifests.pods import RunningPod, running_pods
from clusterdns.manifests.services import API_SERVER, families, with_addresses
from clusterdns.manifests.slices import endpoint_slices
from clusterdns.records.imports import import_owners
from clusterdns.records.labels import pod_labels
from clusterdns.records.namespaces import namespace_owners
from clusterdns.records.oddities import Oddity
from clusterdns.records.options import ClusterOptions
from clusterdns.records.pods import pod_owners
from clusterdns.records.selectors import Selector, matches, parse_selector
from clusterdns.records.services import service_owners
from clusterdns.sources import why_unreadable

ALWAYS_THERE = ("default", "kube-system")


@dataclass(frozen=True)
class Loaded:
    """What a reading found. `places`: where an object stands, or the one that it was derived from; what is always there has none."""

    objects: Mapping[Ref, View]
    places: Mapping[Ref, Place]
    problems: tuple[Problem, ...] = ()


NOTHING = Loaded({}, {})
"""Before the first reading."""


def read_manifests(paths: Sequence[str], files: Files = DISK, options: ClusterOptions = ClusterOptions()) -> Loaded:  # noqa: B008
    """All objects of these files and directories that the options' label selectors admit.

    Problems are warnings: what cannot be read or makes no sense is left out, and the rest is served.
    """
    problems: list[Problem] = []
    found = _without_repetition(_objects(paths, files, problems), problems)
    cluster = _Cluster({}, {})
    _add_namespaces(cluster, found, parse_selector(options.namespace_labels))
    admits = parse_selector(options.labels)
    pods = _add_pods(cluster, found, admits, options.client_labels, problems)
    if options.multicluster:
        _add_imports(cluster, found, parse_selector(options.namespace_labels))
        _add_slices(cluster, found, (*admits, *parse_selector(IMPORT_NAME)), imported=True)
    else:
        served = _add_slices(cluster, found, admits)
        _add_services(cluster, found, admits, pods, served, problems)
    return Loaded(cluster.objects, cluster.places, tuple(problems))


def changes(before: Loaded, after: Loaded) -> Iterator[tuple[Ref, View | None]]:
    """What has become of which object: its new view, or None for one that is gone."""
    for ref in before.objects:
        if ref not in after.objects:
            yield ref, None
    for ref, view in after.objects.items():
        if before.objects.get(ref) != view:
            yield ref, view


@dataclass(frozen=True)
class _Cluster:
    """What has been found so far."""

    objects: dict[Ref, View]
    places: dict[Ref, Place]

    def add(self, view: View, place: Place | None) -> None:
        """Take a view up. What was given stays when something of its name is made up."""
        if view.ref not in self.objects:
            self.objects[view.ref] = view
            if place:
                self.places[view.ref] = place


def _objects(paths: Sequence[str], files: Files, problems: list[Problem]) -> Iterator[Given]:
    """The objects of all files that mean something to DNS and make sense."""
    for document in _documents(paths, files, problems):
        found = given(document)
        if isinstance(found, Given):
            flaws = _flaws(found)
            if not flaws:
                yield found
                continue
            more = f" (and {len(flaws) - 1} more)" if len(flaws) > 1 else ""
            message = f"{found.ref}: {flaws[0].field}: {flaws[0].message}{more}"
            found = Problem(Severity.WARNING, "bad-object", found.place, message, "it is left out until it is mended; the rest is served")
        if found:
            problems.append(found)


def _documents(paths: Sequence[str], files: Files, problems: list[Problem]) -> Iterator[Document]:
    """The documents of all files; those that cannot be read are problems."""
    for path in paths:
        try:
            names = files.walk(path)
        except OSError as problem:
            problems.append(_unreadable(path, problem))
            continue
        if not names:
            message = "there is no manifest in this directory"
            problems.append(Problem(Severity.WARNING, "no-manifests", Place(path), message, "they end in .yaml, .yml or .json"))
        for name in names:
            try:
                text = files.read(name)
            except (OSError, UnicodeDecodeError) as problem:
                problems.append(_unreadable(name, problem))
                continue
            for document in documents(name, text):
                if isinstance(document, Problem):
                    problems.append(document)
                else:
                    yield document


def _unreadable(path: str, problem: OSError | UnicodeDecodeError) -> Problem:
    """A path that cannot be read."""
    reason = why_unreadable(problem)
    return Problem(Severity.WARNING, "unreadable-manifest", Place(path), f"cannot be read: {reason}", "it is read as soon as it can be")


def _flaws(found: Given) -> list[Oddity]:
    """What an API server would have refused in an object, because it makes no name, address or port."""
    flaws: list[Oddity] = []
    every = ClusterOptions(pods="verified", zonal=True)
    match found.object:
        case ApiNamespace():
            namespace_owners(Namespace(found.ref.name), every, report=flaws.append)
        case objects.Service():
            service_owners(service_view(found.object), (), every, report=flaws.append)
        case ApiServiceImport():
            import_owners(service_import_view(found.object), (), every, report=flaws.append)
        case ApiEndpointSlice():
            piece = endpoint_slice_view(found.object)
            service_owners(Service(piece.namespace, piece.service or "any", cluster_ips=("None",)), (piece,), every, report=flaws.append)
        case objects.Pod() if found.object.status:
            pod_owners(Pod(found.ref.namespace, found.ref.name, found.object.status.pod_ip or ""), every, report=flaws.append)
    return flaws


def _without_repetition(found: Iterable[Given], problems: list[Problem]) -> dict[Ref, Given]:
    """The objects by what they are; of those that are given twice the last one, as if they had been applied in this order."""
    unique: dict[Ref, Given] = {}
    for one in found:
        if earlier := unique.pop(one.ref, None):
            message = f"{one.ref} is given twice; this one counts"
            problems.append(Problem(Severity.WARNING, "object-twice", one.place, message, f"the other one stands at {earlier.place}"))
        unique[one.ref] = one
    return unique


def _add_namespaces(cluster: _Cluster, found: Mapping[Ref, Given], admits: Selector) -> None:
    """The namespaces that are given, those that objects are in, and those of every cluster."""
    candidates: dict[str, tuple[Mapping[str, str], Place | None]] = dict.fromkeys(ALWAYS_THERE, ({}, None))
    candidates |= {one.ref.namespace: ({}, one.place) for one in reversed(tuple(found.values())) if one.ref.namespace}
    candidates |= {one.ref.name: (one.labels, one.place) for one in found.values() if isinstance(one.object, ApiNamespace)}
    for name, (labels, place) in candidates.items():
        if matches(admits, {**labels, "kubernetes.io/metadata.name": name}):
            cluster.add(Namespace(name), place)


def _add_pods(
    cluster: _Cluster, found: Mapping[Ref, Given], admits: Selector, client_labels: Sequence[str], problems: list[Problem]
) -> list[RunningPod]:
    """The pods, given and made up; all of them are returned, as controllers see them all."""
    pods = []
    wanted = pod_labels(client_labels)
    for pod in running_pods(tuple(found.values())):
        if isinstance(pod, Problem):
            problems.append(pod)
            continue
        pods.append(pod)
        if matches(admits, pod.labels):
            cluster.add(_as_client(pod, wanted) if client_labels else pod.view, pod.place)
    return pods


def _as_client(pod: RunningPod, wanted: Collection[str]) -> Pod:
    """The view of a pod with what is wanted of those who ask."""
    others = tuple(address for address in pod.addresses if pod.view.ip and address != pod.view.ip)
    return replace(pod.view, others=others, labels=wanted_labels(pod.labels, wanted))


def _add_imports(cluster: _Cluster, found: Mapping[Ref, Given], admits: Selector) -> None:
    """The ServiceImports that are given; they are selected like namespaces (N4)."""
    for one in found.values():
        if isinstance(one.object, ApiServiceImport) and matches(admits, one.labels):
            cluster.add(service_import_view(one.object), one.place)


def _add_slices(cluster: _Cluster, found: Mapping[Ref, Given], admits: Selector, *, imported: bool = False) -> set[tuple[str, str]]:
    """The slices that are given; returned are the Services that have some."""
    served = set()
    for one in found.values():
        if isinstance(one.object, ApiEndpointSlice):
            piece = endpoint_slice_view(one.object, imported=imported)
            served.add((piece.namespace, piece.service))
            if matches(admits, one.labels):
                cluster.add(piece, one.place)
    return served


def _add_services(
    cluster: _Cluster,
    found: Mapping[Ref, Given],
    admits: Selector,
    pods: Sequence[RunningPod],
    served: set[tuple[str, str]],
    problems: list[Problem],
) -> None:
    """The Services, with their addresses, and slices for those that have none."""
    given = [one.object for one in found.values() if isinstance(one.object, objects.Service)]
    if not any((one.metadata.namespace, one.metadata.name) == ("default", "kubernetes") for one in given):
        given.append(API_SERVER)
    for service in with_addresses(given):
        view = service_view(service)
        place = found[view.ref].place if view.ref in found else None
        if place and not view.headless and view.type != "ExternalName" and sum(map(bool, view.cluster_ips)) < len(families(service)):
            problems.append(Problem(Severity.WARNING, "no-address-left", place, f"{view.ref}: all addresses for Services are taken"))
        if not matches(admits, service.metadata.labels or {}):
            continue
        cluster.add(view, place)
        if (view.namespace, view.name) not in served:
            for piece in endpoint_slices(service, pods):
                cluster.add(piece, place)
