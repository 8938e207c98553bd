"""The zone itself: rules P3, S8, S9, T1, A1 to A4."""

import pytest

from clusterdns.cluster import Endpoint, EndpointSlice, Port, Service
from clusterdns.plan.ops import Soa
from clusterdns.records.apex import apex_owners, holds, own_addresses, soa
from clusterdns.records.options import ClusterOptions
from clusterdns.records.services import service_owners
from tests.unit.records.reference import AAAA, CNAME, MX, NS, SRV, TXT, A, Reference

OPTIONS = ClusterOptions(ttl=30)
KUBE_DNS = Service("kube-system", "kube-dns", cluster_ips=("10.96.0.10", "fd00:96::a"), ports=(Port("dns", "UDP", 53),))
HEADLESS = Service("kube-system", "dns", cluster_ips=("None",))


def piece(service: Service, *endpoints: Endpoint) -> EndpointSlice:
    return EndpointSlice(service.namespace, f"{service.name}-x", service.name, endpoints=endpoints, ports=(Port("dns", "UDP", 53),))


def reference(*own: str, serving: tuple[tuple[Service | None, EndpointSlice], ...] = ()) -> Reference:
    owners = list(apex_owners(own, serving, OPTIONS))
    for service, one in serving:
        owners += service_owners(service, (one,), OPTIONS)
    return Reference(owners)


def data(zone: Reference, name: str, rtype: int) -> set[str]:
    return {record[3] for record in zone.answer(name, rtype)[1]}


@pytest.mark.parametrize("name", ["", "svc.", "pod."])
def test_P3_A4_T1_the_apex_svc_and_pod_exist_without_data_and_not_for_txt(name: str) -> None:
    zone = reference()
    assert {zone.answer(f"{name}cluster.local.", rtype)[0] for rtype in (A, AAAA, SRV, CNAME, MX, NS)} == {"NODATA"}
    assert zone.answer(f"{name}cluster.local.", TXT)[0] == "NXDOMAIN"


def test_P2_other_names_do_not_exist() -> None:
    assert {reference().answer(f"{name}.cluster.local.", A)[0] for name in ("foo", "dns", "a.b", "apex.dns")} == {"NXDOMAIN"}


def test_T1_dns_version() -> None:
    zone = reference()
    assert zone.answer("dns-version.cluster.local.", TXT)[1] == {("dns-version.cluster.local.", 28800, TXT, "1.1.0")}
    assert {zone.answer("dns-version.cluster.local.", rtype)[0] for rtype in (A, AAAA, SRV, CNAME, NS)} == {"NXDOMAIN"}


def test_A1_the_name_server_is_the_service_that_leads_here() -> None:
    zone = reference("10.0.0.2", "127.0.0.1", serving=((KUBE_DNS, piece(KUBE_DNS, Endpoint("10.0.0.2"), Endpoint("10.0.0.3"))),))
    _, answer, glue = zone.answer("cluster.local.", NS)
    assert answer == {("cluster.local.", 30, NS, "kube-dns.kube-system.svc.cluster.local.")}
    assert {record[2:] for record in glue} == {(A, "10.96.0.10"), (AAAA, "fd00:96::a")}
    assert data(zone, "ns.dns.cluster.local.", A) == {"10.96.0.10"}


def test_A1_of_a_headless_service_each_endpoint_is_a_name_server() -> None:
    zone = reference("10.0.0.2", serving=((HEADLESS, piece(HEADLESS, Endpoint("10.0.0.2"), Endpoint("fd00::3", "Three"))),))
    _, answer, glue = zone.answer("cluster.local.", NS)
    assert {record[3] for record in answer} == {"10-0-0-2.dns.kube-system.svc.cluster.local.", "three.dns.kube-system.svc.cluster.local."}
    assert {record[3] for record in glue} == {"10.0.0.2", "fd00::3"}
    assert data(zone, "ns.dns.cluster.local.", AAAA) == {"fd00::3"}


def test_A1_all_services_that_lead_here_are_told_once_each() -> None:
    serving = ((KUBE_DNS, piece(KUBE_DNS, Endpoint("10.0.0.2"))), (HEADLESS, piece(HEADLESS, Endpoint("10.0.0.2"))))
    names = {"kube-dns.kube-system.svc.cluster.local.", "10-0-0-2.dns.kube-system.svc.cluster.local."}
    assert data(reference("10.0.0.2", serving=(*serving, serving[0])), "cluster.local.", NS) == names


def test_A1_endpoints_of_no_service_leave_the_zone_without_name_servers() -> None:
    zone = reference("10.0.0.2", serving=((None, piece(KUBE_DNS, Endpoint("10.0.0.2"))),))
    assert zone.answer("cluster.local.", NS)[0] == "NODATA"


def test_A1_the_order_of_the_slices_changes_nothing() -> None:
    serving = ((KUBE_DNS, piece(KUBE_DNS, Endpoint("10.0.0.2"))), (HEADLESS, piece(HEADLESS, Endpoint("10.0.0.2"))))
    assert apex_owners(("10.0.0.2",), serving, OPTIONS) == apex_owners(("10.0.0.2",), serving[::-1], OPTIONS)


def test_A2_A3_without_a_service_the_server_names_itself() -> None:
    zone = reference("10.0.0.2", "fe80::1%eth0", "127.0.0.1", "::1")
    _, answer, glue = zone.answer("cluster.local.", NS)
    assert {record[3] for record in answer} == {"ns.dns.cluster.local."}
    assert {record[3] for record in glue} == {"10.0.0.2", "fe80::1"}
    assert data(zone, "ns.dns.cluster.local.", A) == {"10.0.0.2"}
    assert data(zone, "ns.dns.cluster.local.", AAAA) == {"fe80::1"}


@pytest.mark.parametrize("own", [(), ("127.0.0.1",), ("127.0.0.1", "::1", "nonsense")])
def test_A3_with_loopback_only_there_is_no_name_server(own: tuple[str, ...]) -> None:
    zone = reference(*own)
    assert {zone.answer("ns.dns.cluster.local.", rtype)[0] for rtype in (A, AAAA, SRV, CNAME)} == {"NODATA"}
    assert zone.answer("ns.dns.cluster.local.", TXT)[0] == "NXDOMAIN"
    assert zone.answer("cluster.local.", NS)[0] == "NODATA"


def test_own_addresses_are_told_once_in_their_canonical_form() -> None:
    assert own_addresses(["10.0.0.2", "FD00:0::2", "fd00::2", "127.0.0.9"]) == ("10.0.0.2", "fd00::2")


def test_a_slice_holds_an_own_address() -> None:
    one = piece(KUBE_DNS, Endpoint("10.0.0.2"))
    assert holds(one, frozenset({"10.0.0.2", "10.0.0.9"}))
    assert not holds(one, frozenset({"10.0.0.9"}))


@pytest.mark.parametrize(("ttl", "of_soa"), [(0, 0), (5, 5), (300, 300), (301, 300), (3600, 300)])
def test_S8_S9_the_soa(ttl: int, of_soa: int) -> None:
    assert soa(ClusterOptions(ttl=ttl)) == Soa("ns.dns", "hostmaster", 7200, 1800, 86400, minimum=ttl, ttl=of_soa)
