"""Records: computed key by key as events come, they are the same as computed at once; and nonsense never stops them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from clusterdns.cluster import Endpoint, EndpointSlice, Namespace, Pod, Port, Ref, Service, ServiceImport, View
from clusterdns.records.apex import apex_owners, holds
from clusterdns.records.imports import import_owners
from clusterdns.records.namespaces import is_exposed, namespace_owners
from clusterdns.records.oddities import Oddity, is_name
from clusterdns.records.options import ClusterOptions
from clusterdns.records.pods import pod_owners
from clusterdns.records.services import service_owners
from clusterdns.zones import MemberSet, Owner, ZoneChange, encode_change
from tests.unit.records.reference import expand

OWN = frozenset({"10.0.0.1"})
APEX = ("apex", "", "")


class Event(NamedTuple):
    """What has become of an object: its view, or None for one that is gone."""

    ref: Ref
    view: View | None


class Cluster:
    """Objects, and the owners of their keys, kept up to date event by event. Plain: keys are found by looking at everything."""

    def __init__(self, options: ClusterOptions) -> None:
        self.options = options
        self.objects: dict[Ref, View] = {}
        self.owners: dict[tuple[str, str, str], tuple[Owner, ...]] = {APEX: self._owners_of(APEX)}

    def apply(self, event: Event) -> None:
        """Take an event in, and compute the keys that it touches."""
        touched = {APEX}
        for view in (self.objects.get(event.ref), event.view):
            if view is not None:
                touched |= set(self._keys_of(view))
        if event.view is None:
            self.objects.pop(event.ref, None)
        else:
            self.objects[event.ref] = event.view
        for key in touched:
            self.owners[key] = self._owners_of(key)

    def everything(self) -> dict[tuple[str, str, str], tuple[Owner, ...]]:
        """The owners of all keys, computed anew."""
        keys = {APEX, *(key for view in self.objects.values() for key in self._keys_of(view))}
        return {key: self._owners_of(key) for key in keys}

    def _keys_of(self, view: View) -> Iterator[tuple[str, str, str]]:
        """The keys whose owners a view may change."""
        match view:
            case Namespace(name):
                yield "namespace", name, ""
                for other in self.objects.values():
                    if not isinstance(other, Namespace) and other.namespace == name:
                        yield from self._keys_of(other)
            case Service() | ServiceImport():
                yield "service", view.namespace, view.name
            case EndpointSlice():
                yield "service", view.namespace, view.service
            case Pod():
                yield "pod", view.namespace, view.ip

    def _owners_of(self, key: tuple[str, str, str]) -> tuple[Owner, ...]:
        """The owners of one key, from the objects of that key alone."""
        kind, namespace, name = key
        if kind == "apex":
            slices = [view for view in self.objects.values() if isinstance(view, EndpointSlice) and holds(view, OWN)]
            return apex_owners(OWN, [(self._service(piece.namespace, piece.service), piece) for piece in slices], self.options)
        space = self.objects.get(Ref("Namespace", "", namespace))
        assert space is None or isinstance(space, Namespace)
        if not is_exposed(namespace, space, self.options) or space is None:
            return ()
        if kind == "namespace":
            return namespace_owners(space, self.options)
        if kind == "pod":
            pods = [view for view in self.objects.values() if isinstance(view, Pod) and (view.namespace, view.ip) == (namespace, name)]
            return pod_owners(pods[0], self.options) if pods else ()
        slices = [
            view
            for view in self.objects.values()
            if isinstance(view, EndpointSlice) and (view.namespace, view.service) == (namespace, name)
        ]
        if self.options.multicluster:
            imported = self.objects.get(Ref("ServiceImport", namespace, name))
            return import_owners(imported, slices, self.options) if isinstance(imported, ServiceImport) else ()
        return service_owners(self._service(namespace, name), slices, self.options)

    def _service(self, namespace: str, name: str) -> Service | None:
        service = self.objects.get(Ref("Service", namespace, name))
        assert service is None or isinstance(service, Service)
        return service


def named(owners: Iterable[tuple[Owner, ...]]) -> list[Owner]:
    return sorted((owner for some in owners for owner in some), key=lambda owner: owner.name)


namespaces = st.sampled_from(["shop", "data"])
names = st.sampled_from(["web", "db"])
addresses = st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1", "fd00:0::2", "fd00::"])
ports = st.lists(
    st.builds(Port, st.sampled_from(["", "http", "dns"]), st.sampled_from(["TCP", "UDP"]), st.sampled_from([53, 80, -1])), max_size=2
).map(tuple)
endpoints = st.lists(
    st.builds(Endpoint, addresses, st.sampled_from(["", "one"]), st.sampled_from(["", "pod-1"]), st.sampled_from(["", "a", "b.c"])),
    max_size=3,
).map(tuple)
views: st.SearchStrategy[View] = st.one_of(
    st.builds(Namespace, namespaces),
    st.builds(
        Service,
        namespaces,
        names,
        st.sampled_from(["ClusterIP", "ExternalName"]),
        st.sampled_from([("",), ("None",), ("10.96.0.1",), ("10.96.0.2", "fd00:96::2")]),
        ports,
        st.sampled_from(["", "www.example.com", "db.data.svc.cluster.local", "10.0.0.1"]),
    ),
    st.builds(
        ServiceImport, namespaces, names, st.sampled_from(["ClusterSetIP", "Headless"]), st.sampled_from([(), ("10.112.0.1",)]), ports
    ),
    st.builds(
        EndpointSlice,
        namespaces,
        st.sampled_from(["x", "y", "z"]),
        names,
        st.sampled_from(["IPv4", "FQDN"]),
        endpoints,
        ports,
        st.sampled_from(["", "east", "west"]),
    ),
    st.builds(Pod, namespaces, st.sampled_from(["p", "q"]), st.one_of(st.just(""), addresses)),
)
options = st.builds(
    ClusterOptions,
    pods=st.sampled_from(["disabled", "insecure", "verified"]),
    namespaces=st.sampled_from([(), ("shop",)]),
    endpoint_pod_names=st.booleans(),
    ignore_empty_service=st.booleans(),
    noendpoints=st.booleans(),
    zonal=st.booleans(),
    multicluster=st.booleans(),
)
events = st.builds(lambda view, gone: Event(view.ref, None if gone else view), views, st.booleans())


@given(options, st.lists(events, max_size=30))
def test_key_by_key_is_the_same_as_from_scratch(wanted: ClusterOptions, sequence: list[Event]) -> None:
    cluster = Cluster(wanted)
    for event in sequence:
        cluster.apply(event)
    incremental, scratch = named(cluster.owners.values()), named(cluster.everything().values())
    assert incremental == scratch
    assert expand(incremental) == expand(scratch)


@given(options, st.lists(events, max_size=30))
def test_no_two_keys_make_the_same_name(wanted: ClusterOptions, sequence: list[Event]) -> None:
    cluster = Cluster(wanted)
    for event in sequence:
        cluster.apply(event)
    made = [owner.name for owner in named(cluster.everything().values())]
    assert len(made) == len(set(made))


texts = st.one_of(
    st.text(max_size=70), st.sampled_from(["", "web", "a.b", "*", ".", "None", "10.0.0.1", "::ffff:10.0.0.1", "x" * 64, "fd00::%1"])
)
numbers = st.one_of(st.integers(), st.sampled_from([-1, 0, 65535, 65536]))
odd_ports = st.lists(st.builds(Port, texts, texts, numbers), max_size=3).map(tuple)
odd_services = st.builds(Service, texts, texts, texts, st.lists(texts, max_size=3).map(tuple), odd_ports, texts)
odd_imports = st.builds(
    ServiceImport, texts, texts, st.sampled_from(["ClusterSetIP", "Headless", "x"]), st.lists(texts, max_size=3).map(tuple), odd_ports
)
odd_slices = st.lists(
    st.builds(
        EndpointSlice,
        texts,
        texts,
        texts,
        st.one_of(texts, st.sampled_from(["IPv4", "FQDN"])),
        st.lists(st.builds(Endpoint, texts, texts, texts, texts), max_size=3).map(tuple),
        odd_ports,
        texts,
    ),
    max_size=3,
)
odd_options = st.builds(
    ClusterOptions,
    pods=st.sampled_from(["disabled", "insecure", "verified"]),
    namespaces=st.lists(texts, max_size=2).map(tuple),
    endpoint_pod_names=st.booleans(),
    ignore_empty_service=st.booleans(),
    zonal=st.booleans(),
)


@given(st.one_of(st.none(), odd_services), odd_imports, odd_slices, texts, texts, odd_options)
def test_nonsense_in_any_field_is_left_out_and_reported(
    service: Service | None, imported: ServiceImport, slices: list[EndpointSlice], namespace: str, ip: str, wanted: ClusterOptions
) -> None:
    found: list[Oddity] = []
    made = [
        *service_owners(service, slices, wanted, report=found.append),
        *import_owners(imported, slices, wanted, report=found.append),
        *namespace_owners(Namespace(namespace), wanted, report=found.append),
        *pod_owners(Pod(namespace, "p", ip), wanted, report=found.append),
        *apex_owners([ip, namespace], [(service, piece) for piece in slices], wanted),
    ]
    assert encode_change(ZoneChange(tuple(made), 1))
    assert all(oddity.field and oddity.message for oddity in found)
    for owner in made:
        assert owner.name == "" or is_name(owner.name.removeprefix("*."))
        for members in owner.data:
            if isinstance(members, MemberSet):
                assert_sayable(members)


def assert_sayable(members: MemberSet) -> None:
    """Everything in a set is something that DNS can say."""
    some_ports = [*members.ports, *(port for group in members.groups for port in group.ports)]
    assert all(-1 <= port.number < 65536 for port in some_ports)
    assert all(port.name == "" or is_name(port.name) for port in some_ports)
    for member in (member for group in members.groups for member in group.members):
        assert member.label == "" or is_name(member.label)
        assert is_name(member.address) if member.address.endswith(".") else str(ip_address(member.address)) == member.address
    assert all(str(ip_address(address)) == address for address in members.addresses)
