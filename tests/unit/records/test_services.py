"""One Service and its slices: rules C, H, E, F, R and Z as far as they are data."""

from typing import Any

import pytest

from clusterdns.cluster import Endpoint, EndpointSlice, Port, Service
from clusterdns.records.oddities import Oddity
from clusterdns.records.options import ClusterOptions
from clusterdns.records.services import CNAME, REVERSE_ONLY, service_owners
from clusterdns.zones import ANY, Exists, Group, Member, MemberSet, Owner, RRset
from clusterdns.zones import Port as ZonePort
from tests.unit.records.reference import AAAA, PTR, SRV, TXT, A, Reference

DEFAULTS = ClusterOptions()
HTTP = (Port("http", "TCP", 80),)


def cluster_ip(*addresses: str, ports: tuple[Port, ...] = HTTP) -> Service:
    return Service("shop", "web", cluster_ips=addresses, ports=ports)


def headless() -> Service:
    return Service("shop", "web", cluster_ips=("None",), ports=(Port("ignored", "TCP", 1),))


def external(name: str) -> Service:
    return Service("shop", "web", "ExternalName", ("",), external_name=name)


def piece(*endpoints: Endpoint | str, name: str = "web-x", ports: tuple[Port, ...] = HTTP, kind: str = "IPv4") -> EndpointSlice:
    members = tuple(Endpoint(endpoint) if isinstance(endpoint, str) else endpoint for endpoint in endpoints)
    return EndpointSlice("shop", name, "web", kind, members, ports)


def the_set(service: Service, *slices: EndpointSlice, **options: Any) -> MemberSet:
    (owner,) = service_owners(service, slices, ClusterOptions(**options))
    (members,) = owner.data
    assert isinstance(members, MemberSet)
    return members


def oddities(service: Service | None, *slices: EndpointSlice, **options: Any) -> list[Oddity]:
    found: list[Oddity] = []
    service_owners(service, slices, ClusterOptions(**options), report=found.append)
    return found


def reference(service: Service | None, *slices: EndpointSlice, **options: Any) -> Reference:
    return Reference(service_owners(service, slices, ClusterOptions(**options)))


# ClusterIP


def test_C1_a_service_owns_its_addresses_and_ports() -> None:
    assert service_owners(cluster_ip("10.96.0.1", "fd00:96::1"), (), ClusterOptions(ttl=30), origin=7) == (
        Owner("web.shop.svc", 7, (MemberSet(30, ("10.96.0.1", "fd00:96::1"), (ZonePort("http", "tcp", 80),), (), listed=False),)),
    )


def test_C2_a_service_needs_no_endpoints() -> None:
    assert the_set(cluster_ip("10.96.0.1")).addresses == ("10.96.0.1",)
    assert the_set(cluster_ip("10.96.0.1"), piece()).groups == ()


def test_C3_unnamed_ports_are_among_the_ports() -> None:
    ports = (Port("", "TCP", 80), Port("Metrics", "tcp", 9090))
    assert the_set(cluster_ip("10.96.0.1", ports=ports)).ports == (ZonePort("", "tcp", 80), ZonePort("metrics", "tcp", 9090))


def test_C4_C5_a_port_has_a_name_that_answers_srv_and_the_address() -> None:
    zone = reference(cluster_ip("10.96.0.1"))
    assert zone.answer("_http._tcp.web.shop.svc.cluster.local.", SRV)[1] == {
        ("_http._tcp.web.shop.svc.cluster.local.", 5, SRV, "0 100 80 web.shop.svc.cluster.local.")
    }
    assert zone.answer("http.tcp.web.shop.svc.cluster.local.", A)[1] == {("http.tcp.web.shop.svc.cluster.local.", 5, A, "10.96.0.1")}
    assert zone.answer("_http._udp.web.shop.svc.cluster.local.", SRV)[0] == "NXDOMAIN"


def test_C6_C7_dual_stack_halves_the_weight_and_both_addresses_are_glue() -> None:
    _, answer, glue = reference(cluster_ip("10.96.0.1", "fd00:96::1")).answer("web.shop.svc.cluster.local.", SRV)
    assert answer == {("web.shop.svc.cluster.local.", 5, SRV, "0 50 80 web.shop.svc.cluster.local.")}
    assert {record[2:] for record in glue} == {(A, "10.96.0.1"), (AAAA, "fd00:96::1")}


def test_C8_a_service_without_ports_has_addresses_and_no_srv() -> None:
    assert the_set(cluster_ip("10.96.0.1", ports=())).ports == ()
    assert reference(cluster_ip("10.96.0.1", ports=())).answer("web.shop.svc.cluster.local.", SRV)[0] == "NODATA"


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_C9_other_types_are_as_ClusterIP(kind: str) -> None:
    other = Service("shop", "web", kind, ("10.96.0.1",), HTTP)
    assert service_owners(other, (), DEFAULTS) == service_owners(cluster_ip("10.96.0.1"), (), DEFAULTS)


def test_C10_there_is_no_alias_at_a_service() -> None:
    assert reference(cluster_ip("10.96.0.1")).answer("web.shop.svc.cluster.local.", CNAME)[0] == "NODATA"


def test_C11_endpoints_have_names_below_a_service_that_does_not_list_them() -> None:
    members = the_set(cluster_ip("10.96.0.1"), piece(Endpoint("10.0.0.1", "one"), "10.0.0.2"))
    assert not members.listed
    assert members.groups == (Group((ZonePort("http", "tcp", 80),), (Member("10.0.0.1", "one"), Member("10.0.0.2", ""))),)


@pytest.mark.parametrize("addresses", [(), ("",)])
def test_a_service_that_has_no_address_yet_exists_without_data(addresses: tuple[str, ...]) -> None:
    assert the_set(cluster_ip(*addresses)).addresses == ()
    assert oddities(cluster_ip(*addresses)) == []


# Headless


def test_H1_a_headless_service_lists_the_endpoints_of_all_slices() -> None:
    members = the_set(headless(), piece("10.0.0.1", name="b"), piece("10.0.0.2", name="a"))
    assert (members.listed, members.addresses, members.ports) == (True, (), ())
    assert [member.address for group in members.groups for member in group.members] == ["10.0.0.2", "10.0.0.1"]


def test_S9_the_order_of_slices_changes_nothing() -> None:
    slices = (piece("10.0.0.1", name="b"), piece("10.0.0.2", name="a"))
    assert service_owners(headless(), slices, DEFAULTS) == service_owners(headless(), slices[::-1], DEFAULTS)


def test_S9_a_change_of_what_is_not_answered_changes_no_owner() -> None:
    quiet, noisy = (piece(Endpoint("10.0.0.1", "", pod, zone)) for pod, zone in (("a", "x"), ("b", "y")))
    assert service_owners(headless(), (quiet,), DEFAULTS) == service_owners(headless(), (noisy,), DEFAULTS)
    for options in (ClusterOptions(endpoint_pod_names=True), ClusterOptions(zonal=True)):
        assert service_owners(headless(), (quiet,), options) != service_owners(headless(), (noisy,), options)


@pytest.mark.parametrize("slices", [(), (piece(),)])
def test_H3_without_a_ready_endpoint_a_headless_service_does_not_exist(slices: tuple[EndpointSlice, ...]) -> None:
    assert service_owners(headless(), slices, DEFAULTS) == ()


@pytest.mark.parametrize(
    ("endpoint", "label"),
    [
        (Endpoint("10.0.0.1", "One", "pod-0"), "one"),
        (Endpoint("10.0.0.1", "", "pod-0"), ""),
        (Endpoint("fd00::", "", ""), ""),
        (Endpoint("FD00::1", "", ""), ""),
        (Endpoint("fd00:244:0::10", "", ""), "fd00-244-0--10"),
        (Endpoint("fd00:0:0::", "", ""), "fd00-0-0--0"),
    ],
)
def test_H4_the_label_of_an_endpoint(endpoint: Endpoint, label: str) -> None:
    (group,) = the_set(headless(), piece(endpoint)).groups
    assert group.members[0].label == label


@pytest.mark.parametrize(
    ("endpoint", "label"),
    [
        (Endpoint("10.0.0.1", "one", "pod-0"), "one"),
        (Endpoint("10.0.0.1", "", "Pod-0"), "pod-0"),
        (Endpoint("10.0.0.1", "", ""), ""),
        (Endpoint("10.0.0.1", "", "p" * 63), "p" * 63),
        (Endpoint("10.0.0.1", "", "p" * 64), ""),
        (Endpoint("10.0.0.1", "", "pod.0"), ""),
        (Endpoint("fd00::1", "", "pod-0"), "pod-0"),
    ],
)
def test_H4_the_label_of_an_endpoint_by_its_pod(endpoint: Endpoint, label: str) -> None:
    (group,) = the_set(headless(), piece(endpoint), endpoint_pod_names=True).groups
    assert group.members[0].label == label
    assert oddities(headless(), piece(endpoint), endpoint_pod_names=True) == []


def test_H4_the_label_of_an_address_is_what_the_engine_would_derive() -> None:
    zone = reference(headless(), piece("10.0.0.1", "fd00::"))
    assert zone.answer("10-0-0-1.web.shop.svc.cluster.local.", A)[0] == "NOERROR"
    assert zone.answer("fd00--0.web.shop.svc.cluster.local.", AAAA)[0] == "NOERROR"


def test_H5_endpoints_with_one_hostname_are_all_kept() -> None:
    zone = reference(headless(), piece(Endpoint("10.0.0.1", "a"), Endpoint("10.0.0.2", "a")))
    assert {record[3] for record in zone.answer("a.web.shop.svc.cluster.local.", A)[1]} == {"10.0.0.1", "10.0.0.2"}
    _, answer, glue = zone.answer("_http._tcp.web.shop.svc.cluster.local.", SRV)
    assert {record[3] for record in answer} == {"0 50 80 a.web.shop.svc.cluster.local."}
    assert len(glue) == 2


def test_H6_srv_of_the_service_has_all_ports_of_all_hosts() -> None:
    ports = (Port("http", "TCP", 80), Port("dns", "UDP", 53))
    _, answer, _ = reference(headless(), piece("10.0.0.1", "10.0.0.2", ports=ports)).answer("web.shop.svc.cluster.local.", SRV)
    hosts = ("10-0-0-1", "10-0-0-2")
    assert {record[3] for record in answer} == {f"0 25 {port} {host}.web.shop.svc.cluster.local." for port in (80, 53) for host in hosts}


def test_H7_a_slice_without_ports_has_no_srv() -> None:
    assert the_set(headless(), piece("10.0.0.1", ports=())).groups == (Group((), (Member("10.0.0.1", ""),)),)


def test_H7_a_port_without_a_number_has_a_name_and_no_srv() -> None:
    zone = reference(headless(), piece("10.0.0.1", ports=(Port("http", "TCP", -1),)))
    assert zone.answer("_http._tcp.web.shop.svc.cluster.local.", A)[0] == "NOERROR"
    assert zone.answer("_http._tcp.web.shop.svc.cluster.local.", SRV)[0] == "NODATA"


def test_H9_ports_are_the_slices_own() -> None:
    members = the_set(headless(), piece("10.0.0.1", name="a"), piece("10.0.0.2", name="b", ports=(Port("HTTP", "UDP", 81),)))
    assert [group.ports for group in members.groups] == [(ZonePort("http", "tcp", 80),), (ZonePort("http", "udp", 81),)]


def test_H10_without_endpoints_neither_headless_services_nor_endpoints_exist() -> None:
    assert service_owners(headless(), (piece("10.0.0.1"),), ClusterOptions(noendpoints=True)) == ()
    assert the_set(cluster_ip("10.96.0.1"), piece("10.0.0.1"), noendpoints=True).groups == ()


def test_H11_a_slice_of_names_gives_aliases() -> None:
    (group,) = the_set(headless(), piece("db.example.com", "Db.Example.NET.", kind="FQDN")).groups
    assert group.members == (Member("db.example.com.", "db-example-com"), Member("Db.Example.NET.", "db-example-net-"))
    assert reference(headless(), piece("db.example.com", kind="FQDN")).answer("web.shop.svc.cluster.local.", AAAA)[1] == {
        ("web.shop.svc.cluster.local.", 5, CNAME, "db.example.com.")
    }


# ExternalName


@pytest.mark.parametrize(("name", "target"), [("www.example.com", "www.example.com."), ("localhost.", "localhost."), ("A_b.C", "A_b.C.")])
def test_E1_an_external_name_is_an_alias(name: str, target: str) -> None:
    assert service_owners(external(name), (), DEFAULTS) == (Owner("web.shop.svc", 0, (RRset(CNAME, 5, (target,)),)),)


def test_E2_E3_an_alias_to_itself_or_into_nothing_is_left_to_the_one_who_answers() -> None:
    zone = reference(external("web.shop.svc.cluster.local"))
    assert zone.answer("web.shop.svc.cluster.local.", A)[0] == "NODATA"
    assert zone.answer("web.shop.svc.cluster.local.", CNAME)[0] == "NOERROR"


def test_E4_nothing_is_below_an_external_name() -> None:
    zone = reference(external("www.example.com"), piece(Endpoint("10.0.0.1", "one")))
    assert zone.answer("one.web.shop.svc.cluster.local.", A)[0] == "NXDOMAIN"
    assert zone.answer("_http._tcp.web.shop.svc.cluster.local.", SRV)[0] == "NXDOMAIN"
    assert zone.answer("web.shop.svc.cluster.local.", SRV)[0] == "NODATA"


@pytest.mark.parametrize("name", ["198.51.100.7", "2001:db8::7"])
def test_E5_an_external_name_that_is_an_address_does_not_exist(name: str) -> None:
    assert service_owners(external(name), (), DEFAULTS) == ()
    assert [oddity.field for oddity in oddities(external(name))] == ["spec.externalName"]


def test_an_external_name_may_say_that_it_is_headless() -> None:
    service = Service("shop", "web", "ExternalName", ("None",), external_name="www.example.com")
    assert service_owners(service, (piece("10.0.0.1"),), DEFAULTS) == service_owners(external("www.example.com"), (), DEFAULTS)


# Options and PTR


@pytest.mark.parametrize("slices", [(), (piece(),), (piece("nonsense"),)])
def test_F2_an_empty_service_does_not_exist_if_it_shall_be_ignored(slices: tuple[EndpointSlice, ...]) -> None:
    zone = reference(cluster_ip("10.96.0.1"), *slices, ignore_empty_service=True)
    names = ("web.shop.svc", "_http._tcp.web.shop.svc", "x.web.shop.svc")
    assert {zone.answer(f"{name}.cluster.local.", rtype)[0] for name in names for rtype in (A, AAAA, SRV, CNAME, TXT)} == {"NXDOMAIN"}


def test_F2_R2_an_empty_service_that_is_ignored_still_has_its_ptr() -> None:
    owners = service_owners(cluster_ip("10.96.0.1"), (), ClusterOptions(ignore_empty_service=True))
    assert owners == (Owner("web.shop.svc", 0, (MemberSet(5, ("10.96.0.1",), (), (), listed=False),), absent=REVERSE_ONLY),)
    assert Reference(owners).answer("1.0.96.10.in-addr.arpa.", PTR)[1] == {
        ("1.0.96.10.in-addr.arpa.", 5, PTR, "web.shop.svc.cluster.local.")
    }


def test_F2_other_services_are_not_ignored() -> None:
    options = ClusterOptions(ignore_empty_service=True)
    full = (cluster_ip("10.96.0.1"), (piece("10.0.0.1"),))
    assert service_owners(*full, options) == service_owners(*full, DEFAULTS)
    assert service_owners(external("www.example.com"), (), options) == service_owners(external("www.example.com"), (), DEFAULTS)


def test_R2_R3_ptr_of_a_service_and_of_an_endpoint() -> None:
    zone = reference(cluster_ip("10.96.0.1"), piece(Endpoint("10.0.0.1", "one"), "10.0.0.2"))
    targets = {name: {record[3] for record in zone.answer(name, PTR)[1]} for name in ("1.0.96.10.in-addr.arpa.", "1.0.0.10.in-addr.arpa.")}
    assert targets == {
        "1.0.96.10.in-addr.arpa.": {"web.shop.svc.cluster.local."},
        "1.0.0.10.in-addr.arpa.": {"one.web.shop.svc.cluster.local."},
    }
    assert zone.answer("3.0.0.10.in-addr.arpa.", PTR)[0] == "NXDOMAIN"


def test_R3_endpoints_without_a_service_have_ptr_and_nothing_else() -> None:
    owners = service_owners(None, (piece(Endpoint("10.0.0.1", "one"), "10.0.0.2"),), DEFAULTS)
    assert [(owner.name, owner.absent) for owner in owners] == [
        ("web.shop.svc", REVERSE_ONLY),
        ("10-0-0-2.web.shop.svc", (ANY,)),
        ("one.web.shop.svc", (ANY,)),
    ]
    zone = Reference(owners)
    assert zone.answer("1.0.0.10.in-addr.arpa.", PTR)[1] == {("1.0.0.10.in-addr.arpa.", 5, PTR, "one.web.shop.svc.cluster.local.")}
    names = ("web.shop.svc", "one.web.shop.svc", "10-0-0-2.web.shop.svc", "_http._tcp.web.shop.svc")
    assert {zone.answer(f"{name}.cluster.local.", rtype)[0] for name in names for rtype in (A, SRV, TXT, CNAME)} == {"NXDOMAIN"}


def test_a_key_without_objects_has_no_owners() -> None:
    assert service_owners(None, (), DEFAULTS) == ()
    assert service_owners(None, (EndpointSlice("shop", "nolabel", "", endpoints=(Endpoint("10.0.0.1"),)),), DEFAULTS) == ()


def test_S3_names_labels_and_ports_are_in_lower_case() -> None:
    service = Service("shop", "web", cluster_ips=("10.96.0.1",), ports=(Port("HTTP", "TCP", 80),))
    (owner,) = service_owners(service, (piece(Endpoint("10.0.0.1", "One"), ports=(Port("Http", "Tcp", 80),)),), DEFAULTS)
    assert owner.data == (
        MemberSet(
            5, ("10.96.0.1",), (ZonePort("http", "tcp", 80),), (Group((ZonePort("http", "tcp", 80),), (Member("10.0.0.1", "one"),)),), False
        ),
    )


@pytest.mark.parametrize("name", ["*.web.shop.svc", "*.*.web.shop.svc", "any.any.web.shop.svc", "*.shop.svc", "any.shop.svc", "web.*.svc"])
def test_P5_there_are_no_wildcards(name: str) -> None:
    assert reference(cluster_ip("10.96.0.1"), piece("10.0.0.1")).answer(f"{name}.cluster.local.", A)[0] == "NXDOMAIN"


@pytest.mark.parametrize("name", ["_tcp.web.shop.svc", "_http.web.shop.svc", "x._http._tcp.web.shop.svc"])
def test_P1_P6_a_port_has_two_labels(name: str) -> None:
    assert reference(cluster_ip("10.96.0.1"), piece("10.0.0.1")).answer(f"{name}.cluster.local.", SRV)[0] == "NXDOMAIN"


# Zonal names

ZONES = (Endpoint("10.0.0.1", zone="West-1"), Endpoint("10.0.0.2", zone="east"), Endpoint("10.0.0.3", zone="east"), Endpoint("10.0.0.4"))


def test_Z1_zones_have_names_of_their_own() -> None:
    owners = service_owners(headless(), (piece(*ZONES),), ClusterOptions(zonal=True))
    assert [owner.name for owner in owners] == [
        "web.shop.svc",
        "*.pin._zone.web.shop.svc",
        "*.prefer._zone.web.shop.svc",
        "east.pin._zone.web.shop.svc",
        "east.prefer._zone.web.shop.svc",
        "west-1.pin._zone.web.shop.svc",
        "west-1.prefer._zone.web.shop.svc",
    ]
    assert owners[1].data == (Exists(),)
    assert owners[3].data == owners[4].data
    for owner in owners[2:]:
        (borrowed,) = owner.data
        assert isinstance(borrowed, MemberSet)
        assert borrowed.alone
        assert {group.base for group in borrowed.groups} == {"web.shop.svc"}


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("east.pin", {"10.0.0.2", "10.0.0.3"}),
        ("east.prefer", {"10.0.0.2", "10.0.0.3"}),
        ("west-1.pin", {"10.0.0.1"}),
        ("nowhere.pin", set()),
        ("no.where.pin", set()),
        ("nowhere.prefer", {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}),
    ],
)
def test_Z1_pin_gives_the_zones_endpoints_and_prefer_falls_back_to_all(name: str, addresses: set[str]) -> None:
    zone = reference(headless(), piece(*ZONES), zonal=True)
    status, answer, _ = zone.answer(f"{name}._zone.web.shop.svc.cluster.local.", A)
    assert (status, {record[3] for record in answer}) == ("NOERROR" if addresses else "NODATA", addresses)
    assert zone.answer(f"{name}._zone.web.shop.svc.cluster.local.", TXT)[0] == "NODATA"


def test_Z1_srv_and_glue_are_the_zones_under_the_services_names() -> None:
    _, answer, glue = reference(headless(), piece(*ZONES), zonal=True).answer("east.pin._zone.web.shop.svc.cluster.local.", SRV)
    hosts = {f"10-0-0-{number}.web.shop.svc.cluster.local." for number in (2, 3)}
    assert {record[3] for record in answer} == {f"0 50 80 {host}" for host in hosts}
    assert {record[0] for record in glue} == hosts


def test_Z1_a_zones_name_may_have_dots() -> None:
    zone = reference(headless(), piece(Endpoint("10.0.0.1", zone="eu.example.com")), zonal=True)
    assert zone.answer("eu.example.com.pin._zone.web.shop.svc.cluster.local.", A)[0] == "NOERROR"


@pytest.mark.parametrize(
    ("service", "name"),
    [
        (cluster_ip("10.96.0.1"), "east.pin._zone.web.shop.svc"),
        (external("www.example.com"), "east.pin._zone.web.shop.svc"),
        (headless(), "east.florp._zone.web.shop.svc"),
        (headless(), "pin._zone.web.shop.svc"),
        (headless(), "_zone.web.shop.svc"),
        (headless(), "east.pin._zone.other.shop.svc"),
    ],
)
def test_Z1_nothing_else_has_zonal_names(service: Service, name: str) -> None:
    assert reference(service, piece(*ZONES), zonal=True).answer(f"{name}.cluster.local.", A)[0] == "NXDOMAIN"


def test_Z1_without_endpoints_zonal_names_exist_without_data() -> None:
    zone = reference(headless(), zonal=True)
    answers = [
        zone.answer(f"{name}.cluster.local.", A)[0] for name in ("web.shop.svc", "a.pin._zone.web.shop.svc", "a.prefer._zone.web.shop.svc")
    ]
    assert answers == ["NXDOMAIN", "NODATA", "NODATA"]


def test_Z1_without_the_option_there_are_none() -> None:
    assert reference(headless(), piece(*ZONES)).answer("east.pin._zone.web.shop.svc.cluster.local.", A)[0] == "NXDOMAIN"


# Nonsense


@pytest.mark.parametrize("name", ["", "a.b", "x" * 64, "*", "Web", "a b", "ä"])
def test_a_service_whose_name_is_no_label_has_no_owner(name: str) -> None:
    for service in (Service("shop", name, cluster_ips=("10.96.0.1",)), Service(name, "web", cluster_ips=("10.96.0.1",))):
        assert service_owners(service, (), DEFAULTS) == ()
        assert len(oddities(service)) == 1


@pytest.mark.parametrize(
    "address", ["", "10.0.0.256", "10.0.0.01", "10.0.0", "fd00::g", "fe80::1%eth0", "::ffff:10.0.0.1", "example.com", "1" * 99]
)
def test_an_address_that_is_none_is_left_out(address: str) -> None:
    assert the_set(headless(), piece(address, "10.0.0.1")).groups[0].members == (Member("10.0.0.1", ""),)
    assert oddities(headless(), piece(address)) == [Oddity(piece().ref, "endpoints[].addresses", f"{address!r} is not an address")]
    if address:
        assert the_set(cluster_ip(address, "10.96.0.1")).addresses == ("10.96.0.1",)
        assert [oddity.field for oddity in oddities(cluster_ip(address))] == ["spec.clusterIPs[0]"]


@pytest.mark.parametrize(
    ("port", "field"),
    [
        (Port("a.b", "TCP", 80), "name"),
        (Port("x" * 64, "TCP", 80), "name"),
        (Port("http", "", 80), "protocol"),
        (Port("http", "T C P", 80), "protocol"),
        (Port("http", "TCP", 0), "port"),
        (Port("http", "TCP", 65536), "port"),
        (Port("http", "TCP", -2), "port"),
        (Port("http", "TCP", 10**30), "port"),
    ],
)
def test_a_port_that_is_none_is_left_out(port: Port, field: str) -> None:
    assert the_set(cluster_ip("10.96.0.1", ports=(port, *HTTP))).ports == (ZonePort("http", "tcp", 80),)
    assert [oddity.field for oddity in oddities(cluster_ip("10.96.0.1", ports=(port,)))] == [f"spec.ports[0].{field}"]
    assert [oddity.field for oddity in oddities(headless(), piece("10.0.0.1", ports=(port,)))] == [f"ports[0].{field}"]


def test_a_service_has_no_port_without_number() -> None:
    assert [oddity.message for oddity in oddities(cluster_ip("10.96.0.1", ports=(Port("http", "TCP", -1),)))] == [
        "-1 is not a port number (1 to 65535)"
    ]


def test_a_hostname_that_is_no_label_gives_way_to_the_address() -> None:
    assert the_set(headless(), piece(Endpoint("10.0.0.1", "a.b"))).groups[0].members == (Member("10.0.0.1", ""),)
    assert [oddity.field for oddity in oddities(headless(), piece(Endpoint("10.0.0.1", "a.b")))] == ["endpoints[].hostname"]


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "a b", f"{'x' * 64}.example", "10.0.0.1", "*.example", ("x" * 60 + ".") * 4 + "toolong.com"]
)
def test_a_name_that_is_none_is_left_out(name: str) -> None:
    assert service_owners(external(name), (), DEFAULTS) == ()
    assert len(oddities(external(name))) == 1
    assert service_owners(headless(), (piece(name, kind="FQDN"),), DEFAULTS) == ()


def test_a_name_that_is_too_long_for_a_label_is_no_endpoint() -> None:
    assert service_owners(headless(), (piece(f"{'x' * 60}.example", kind="FQDN"),), DEFAULTS) == ()


@pytest.mark.parametrize("zone", ["*", "a b", "a..b", ".", "x" * 64, ".".join(["x" * 60] * 4), "a."])
def test_Z1_a_zone_that_is_no_name_has_none(zone: str) -> None:
    endpoint = Endpoint("10.0.0.1", zone=zone)
    owners = service_owners(headless(), (piece(endpoint),), ClusterOptions(zonal=True))
    assert [owner.name for owner in owners] == ["web.shop.svc", "*.pin._zone.web.shop.svc", "*.prefer._zone.web.shop.svc"]
    assert [oddity.field for oddity in oddities(headless(), piece(endpoint), zonal=True)] == ["endpoints[].zone"]
