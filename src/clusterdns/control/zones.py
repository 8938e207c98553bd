"""A cluster's objects and the zone that they make: events in, one transaction out.

An event marks the keys whose records it may change; `change()` recomputes just these. The engine drops what equals what it holds, so
a key that was marked in vain costs nothing more. Knows `records` and `zones`. No clock, no I/O, no engine.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, KeysView, Sequence

import msgspec

from clusterdns.cluster import EndpointSlice, Namespace, Pod, Ref, Service, ServiceImport, View
from clusterdns.control.origins import UNKNOWN, Origins
from clusterdns.records.apex import apex_owners, holds, own_addresses
from clusterdns.records.imports import import_owners
from clusterdns.records.labels import client_values
from clusterdns.records.namespaces import is_exposed, namespace_owners
from clusterdns.records.oddities import Oddity, canonical_address
from clusterdns.records.options import ClusterOptions
from clusterdns.records.pods import pod_owners
from clusterdns.records.services import service_owners
from clusterdns.zones import AddressLabels, Owner, ZoneChange

# What is recomputed as one: its kind, namespace and name (a pod's address in the place of its name; a client has only its address).
Key = tuple[str, str, str]
APEX: Key = ("apex", "", "")


def service_key(piece: EndpointSlice) -> Key:
    """What a slice changes."""
    return "service", piece.namespace, piece.service


class Made(msgspec.Struct, frozen=True, gc=False):
    """The names that a key has in the zone, and the number of the object that they are there for."""

    names: tuple[str, ...]
    origin: int


NOTHING = Made((), UNKNOWN)


class ClusterZone:
    """The objects that one zone is made of, and which keys they have touched since the last transaction.

    `own` are the addresses that this server listens on (facts A1-A3). In a zone of several clusters the Services are ServiceImports.
    """

    def __init__(self, options: ClusterOptions, own: Iterable[str], origins: Origins) -> None:
        self._options = options
        self._own: tuple[str, ...] = ()
        self._own_set: frozenset[str] = frozenset()
        self._origins = origins
        self._namespaces: dict[str, Namespace] = {}
        self._services: dict[tuple[str, str], Service | ServiceImport] = {}
        self._slices: dict[tuple[str, str], dict[str, EndpointSlice]] = defaultdict(dict)
        self._slice_services: dict[tuple[str, str], str] = {}
        self._pods: dict[tuple[str, str], Pod] = {}
        self._pods_at: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._clients: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._below: dict[str, set[Key]] = defaultdict(set)
        self._serving: dict[tuple[str, str], EndpointSlice] = {}
        self._made: dict[Key, Made] = {}
        self._undoable: dict[Key, tuple[str, ...]] = {}
        self._before = (True, False)
        self._dirty: dict[Key, None] = {APEX: None}
        self._odd: dict[Key, tuple[Ref, ...]] = {}
        self._found: dict[Ref, dict[Oddity, None]] = {}
        self.odd: Counter[str] = Counter()
        """How many objects of each kind hold something that DNS cannot say."""
        self.oddities: dict[Ref, tuple[Oddity, ...]] = {}
        """What that is, of the objects that the last transaction is about."""
        self.mended: set[Ref] = set()
        """Those that held something like it before that transaction, and do not with it, or are gone."""
        self._fresh = True
        self._complete = False
        self.listen_on(own)

    def listen_on(self, own: Iterable[str]) -> None:
        """Takes the addresses that this server listens on, which a reload may change."""
        addresses = own_addresses(own)
        if addresses == self._own:
            return
        self._own = addresses
        # In a zone of several clusters the Service that leads here has no name, unless it is exported.
        self._own_set = frozenset(() if self._options.multicluster else addresses)
        pieces = (piece for pieces in self._slices.values() for piece in pieces.values())
        self._serving = {(piece.namespace, piece.name): piece for piece in pieces if holds(piece, self._own_set)}
        self._dirty[APEX] = None

    def is_dirty(self, key: Key) -> bool:
        """Whether the key was touched since the last transaction that had it."""
        return key in self._dirty

    def service_kind(self, key: Key) -> str:
        """What the metric of programming durations calls a Service; empty where there is none, or another cluster's."""
        service = self._services.get((key[1], key[2]))
        if not isinstance(service, Service):
            return ""
        # That there is a time means that a controller wrote the slice, and so that there is a selector.
        return "headless_with_selector" if service.headless else "cluster_ip"

    def put(self, view: View, place: str = "") -> None:
        """Takes an object that may be new or have changed."""
        if place:
            self._origins.place(view.ref, place)
        match view:
            case Service() | ServiceImport():
                self._put_service(view)
            case EndpointSlice():
                self._put_slice(view)
            case Namespace():
                if view.name not in self._namespaces:
                    self._namespaces[view.name] = view
                    self._mark_namespace(view.name)
            case Pod() if self._pods.get((view.namespace, view.name)) != view:
                self._remove_pod(view.namespace, view.name)
                self._put_pod(view)

    def remove(self, ref: Ref) -> None:
        """Forgets an object; one that is not known is no error."""
        self._origins.place(ref, "")
        match ref.kind:
            case "Service" | "ServiceImport":
                self._remove_service(ref.namespace, ref.name)
            case "EndpointSlice":
                self._remove_slice(ref.namespace, ref.name)
            case "Namespace":
                self._namespaces.pop(ref.name, None)
                self._mark_namespace(ref.name)
            case "Pod":
                self._remove_pod(ref.namespace, ref.name)

    def refs(self, kind: str) -> Iterator[Ref]:
        """All objects of a kind that are held."""
        match kind:
            case "Namespace":
                yield from (view.ref for view in self._namespaces.values())
            case "Service" | "ServiceImport":
                yield from (view.ref for view in self._services.values())
            case "EndpointSlice":
                yield from (piece.ref for pieces in self._slices.values() for piece in pieces.values())
            case "Pod":
                yield from (view.ref for view in self._pods.values())

    @property
    def dirty(self) -> KeysView[Key]:
        """The keys that were touched since the last transaction that had them, the earliest first. It changes when they do."""
        return self._dirty.keys()

    def weight(self, key: Key) -> int:
        """How many endpoints a key's records are made of."""
        kind, namespace, name = key
        return sum(len(piece.endpoints) for piece in self._slices.get((namespace, name), {}).values()) if kind == "service" else 0

    def change(self, serial: int, keys: Sequence[Key] | None = None, *, complete: bool = True) -> ZoneChange | None:
        """The transaction for what was touched since the last one, or these keys of it; None when it would say nothing new.

        The first one replaces all that the zone may hold. `complete`: with it, all has been told once. `serial`: seconds of the Unix clock.
        """
        chosen = tuple(self._dirty) if keys is None else keys
        self.oddities, self.mended = {}, set()
        if not chosen and not self._fresh and complete == self._complete:
            return None
        for key in chosen:
            del self._dirty[key]
        self._undoable = {key: self._made.get(key, NOTHING).names for key in chosen}
        self._before = (self._fresh, self._complete)
        owners = tuple([owner for key in chosen if key[0] != "client" for owner in self._exchange(key)])
        self.mended -= self.oddities.keys()
        clients = tuple([self._client(address) for kind, _, address in chosen if kind == "client"])
        replace, self._fresh = self._fresh, False
        self._complete = complete
        return ZoneChange(owners, serial, replace=replace, complete=complete, addresses=clients)

    def undo(self) -> None:
        """The last transaction was not applied: its keys are touched again, and names that it took away are still to be taken away."""
        for key, names in self._undoable.items():
            self._dirty[key] = None
            made = self._made.get(key, NOTHING)
            if names := tuple(dict.fromkeys(made.names + names)):
                self._made[key] = Made(names, made.origin)
        self._fresh, self._complete = self._before
        self._undoable = {}

    def close(self) -> None:
        """Gives all numbers back: nobody asks for this zone's records any more."""
        for made in self._made.values():
            self._origins.give_back(made.origin)
        self._made = {}

    def _exchange(self, key: Key) -> Iterator[Owner]:
        """The key's owners now, and empty ones for names that it had before and has no more."""
        maker = self._maker(key)
        origin = self._origins.take(maker) if maker else UNKNOWN
        owners = self._owners(key, origin)
        self._note_odd(key)
        names = tuple(owner.name for owner in owners)
        before = self._made.get(key, NOTHING)
        self._origins.give_back(before.origin)
        if names:
            self._made[key] = Made(names, origin)
        else:
            self._made.pop(key, None)
            self._origins.give_back(origin)
        yield from owners
        yield from (Owner(name, UNKNOWN, ()) for name in before.names if name not in names)

    def _maker(self, key: Key) -> Ref | None:
        """The object that a key's records are there for."""
        kind, namespace, name = key
        match kind:
            case "namespace":
                return Ref("Namespace", "", namespace)
            case "pod":
                names = self._pods_at.get((namespace, name))
                return Ref("Pod", namespace, min(names)) if names else None
            case "service":
                # Slices whose Service is gone still have PTR records; then they are the origin.
                slices = self._slices.get((namespace, name), {})
                service = self._services.get((namespace, name))
                return service.ref if service else Ref("EndpointSlice", namespace, min(slices)) if slices else None
        return None

    def _owners(self, key: Key, origin: int) -> tuple[Owner, ...]:
        kind, namespace, name = key
        if kind == "apex":
            return apex_owners(self._own, self._servers(), self._options)
        if not is_exposed(namespace, self._namespaces.get(namespace), self._options):
            return ()
        if kind == "namespace":
            return namespace_owners(self._namespaces[namespace], self._options, origin, self._report)
        if kind == "pod":
            pods = self._pods_at.get((namespace, name))
            return pod_owners(self._pods[namespace, min(pods)], self._options, origin, self._report) if pods else ()
        return self._service_owners(self._services.get((namespace, name)), namespace, name, origin)

    def _service_owners(self, service: Service | ServiceImport | None, namespace: str, name: str, origin: int) -> tuple[Owner, ...]:
        slices = tuple(self._slices.get((namespace, name), {}).values())
        if isinstance(service, ServiceImport):
            return import_owners(service, slices, self._options, origin, self._report)
        if self._options.multicluster or (service is None and not slices):
            return ()
        return service_owners(service, slices, self._options, origin, self._report)

    def _servers(self) -> Iterator[tuple[Service | None, EndpointSlice]]:
        """The slices that hold an address of ours, each with its Service."""
        for piece in self._serving.values():
            service = self._services.get((piece.namespace, piece.service))
            yield service if isinstance(service, Service) else None, piece

    def _report(self, oddity: Oddity) -> None:
        self._found.setdefault(oddity.object, {})[oddity] = None

    def _note_odd(self, key: Key) -> None:
        """What has been reported of a key's objects is what there is now."""
        before = self._odd.pop(key, ())
        if not before and not self._found:
            return
        found, self._found = self._found, {}
        if found:
            self._odd[key] = tuple(found)
        self.odd.subtract(ref.kind for ref in before)
        self.odd.update(ref.kind for ref in found)
        self.mended.update(before)
        self.oddities |= {ref: tuple(oddities) for ref, oddities in found.items()}

    def _mark(self, kind: str, namespace: str, name: str) -> None:
        key = (kind, namespace, name)
        self._dirty[key] = None
        if self._is_held(key):
            self._below[namespace].add(key)
        else:
            self._below[namespace].discard(key)

    def _is_held(self, key: Key) -> bool:
        """Whether there is an object behind a key below a namespace."""
        kind, namespace, name = key
        if kind == "pod":
            return (namespace, name) in self._pods_at
        return kind == "service" and ((namespace, name) in self._services or (namespace, name) in self._slices)

    def _mark_namespace(self, namespace: str) -> None:
        """A namespace that comes or goes takes all names below it along."""
        self._mark("namespace", namespace, namespace)
        self._dirty |= dict.fromkeys(self._below.get(namespace, ()))

    def _put_service(self, service: Service | ServiceImport) -> None:
        if self._services.get((service.namespace, service.name)) == service:
            return
        self._services[service.namespace, service.name] = service
        self._mark_service(service.namespace, service.name)

    def _remove_service(self, namespace: str, name: str) -> None:
        if self._services.pop((namespace, name), None) is not None:
            self._mark_service(namespace, name)

    def _mark_service(self, namespace: str, name: str) -> None:
        self._mark("service", namespace, name)
        if any((piece.namespace, piece.service) == (namespace, name) for piece in self._serving.values()):
            self._dirty[APEX] = None

    def _put_slice(self, piece: EndpointSlice) -> None:
        identity = (piece.namespace, piece.name)
        if self._slice_services.get(identity, piece.service) != piece.service:
            self._remove_slice(*identity)
        elif self._slices.get((piece.namespace, piece.service), {}).get(piece.name) == piece:
            return
        self._slice_services[identity] = piece.service
        self._slices[piece.namespace, piece.service][piece.name] = piece
        self._mark("service", piece.namespace, piece.service)
        if holds(piece, self._own_set):
            self._serving[identity] = piece
            self._dirty[APEX] = None
        elif self._serving.pop(identity, None) is not None:
            self._dirty[APEX] = None

    def _remove_slice(self, namespace: str, name: str) -> None:
        service = self._slice_services.pop((namespace, name), None)
        if service is None:
            return
        pieces = self._slices[namespace, service]
        pieces.pop(name, None)
        if not pieces:
            del self._slices[namespace, service]
        self._mark("service", namespace, service)
        if self._serving.pop((namespace, name), None) is not None:
            self._dirty[APEX] = None

    def _client(self, address: str) -> AddressLabels:
        """What is known of whoever asks from an address."""
        pods = [self._pods[identity] for identity in self._clients.get(address, ())]
        return AddressLabels(address, client_values(pods, self._options.client_labels))

    def _put_pod(self, pod: Pod) -> None:
        if self._options.pods != "verified" or not pod.ip:
            return
        self._pods[pod.namespace, pod.name] = pod
        self._pods_at[pod.namespace, pod.ip].add(pod.name)
        self._mark("pod", pod.namespace, pod.ip)
        for address in self._client_addresses(pod):
            self._clients[address].add((pod.namespace, pod.name))
            self._dirty["client", "", address] = None

    def _remove_pod(self, namespace: str, name: str) -> None:
        pod = self._pods.pop((namespace, name), None)
        if pod is None:
            return
        names = self._pods_at[namespace, pod.ip]
        names.discard(name)
        if not names:
            del self._pods_at[namespace, pod.ip]
        self._mark("pod", namespace, pod.ip)
        for address in self._client_addresses(pod):
            self._clients[address].discard((namespace, name))
            if not self._clients[address]:
                del self._clients[address]
            self._dirty["client", "", address] = None

    def _client_addresses(self, pod: Pod) -> Iterator[str]:
        """The addresses that a pod asks from, if anybody wants to know."""
        for text in (pod.ip, *pod.others) if self._options.client_labels else ():
            if address := canonical_address(text):
                yield address
