"""TXT, the zone itself and its name servers (facts 1.8, 1.9)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, endpoint, endpoint_slice, port, service

OWN = "10.244.0.53"
DNS = [port("dns", 53, "UDP"), port("dns-tcp", 53)]
KUBE_DNS = service("kube-dns", "kube-system", clusterIPs=["10.96.0.10", "fd00:96::10"], ports=DNS)
BEHIND = endpoint_slice("kube-dns", endpoint("10.244.0.52"), endpoint(OWN), namespace="kube-system", ports=DNS)
HDLS = service("hdls1", clusterIP="None", ports=DNS) + endpoint_slice("hdls1", endpoint("172.0.0.2", hostname="ep1"), ports=DNS)


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(KUBE_DNS + BEHIND + HDLS, own=[OWN])


def test_T1_the_version_of_the_specification(cluster: Cluster) -> None:
    assert cluster.ask("dns-version", "TXT").answer == ['dns-version.cluster.local. 28800 TXT "1.1.0"']
    assert cluster.ask("DNS-Version", "TXT").answer == ['DNS-Version.cluster.local. 28800 TXT "1.1.0"']


@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV", "MX", "ANY"])
def test_T1_has_no_other_type(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("dns-version", rtype).rcode == "NXDOMAIN"


@pytest.mark.parametrize("name", ["kube-dns.kube-system.svc", "hdls1.testns.svc", "ep1.hdls1.testns.svc"])
def test_T1_txt_of_a_name_with_records_is_no_data(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name, "TXT").rcode == "NODATA"


@pytest.mark.parametrize("name", ["cluster.local.", "svc", "pod", "testns.svc", "nobody.testns.svc", "ns.dns"])
def test_T1_txt_of_other_names_does_not_exist(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name, "TXT").rcode == "NXDOMAIN"


def test_A1_the_name_server_is_the_service_that_leads_here(cluster: Cluster) -> None:
    name = "kube-dns.kube-system.svc.cluster.local."
    reply = cluster.ask("cluster.local.", "NS")
    assert reply.answer == [f"cluster.local. 5 NS {name}"]
    assert reply.additional == [f"{name} 5 A 10.96.0.10", f"{name} 5 AAAA fd00:96::10"]
    assert reply.authority == []


def test_A1_of_a_headless_service_it_is_each_endpoint(clusters: Clusters) -> None:
    headless = service("dns", "kube-system", clusterIP="None", ports=DNS)
    slices = endpoint_slice("dns", endpoint("10.244.0.52", hostname="other"), endpoint(OWN), namespace="kube-system", ports=DNS)
    reply = clusters.serve(headless + slices, own=[OWN]).ask("cluster.local.", "NS")
    base = "dns.kube-system.svc.cluster.local."
    assert reply.data == [f"10-244-0-53.{base}", f"other.{base}"]
    assert reply.additional == [f"10-244-0-53.{base} 5 A {OWN}", f"other.{base} 5 A 10.244.0.52"]


def test_A2_without_such_a_service_the_server_names_itself(clusters: Clusters) -> None:
    cluster = clusters.serve(HDLS, own=["192.0.2.53", "127.0.0.1", "2001:db8::53", "::1"])
    reply = cluster.ask("cluster.local.", "NS")
    assert reply.answer == ["cluster.local. 5 NS ns.dns.cluster.local."]
    assert reply.additional == ["ns.dns.cluster.local. 5 A 192.0.2.53", "ns.dns.cluster.local. 5 AAAA 2001:db8::53"]


def test_A3_ns_dns_has_the_addresses_of_the_name_servers(cluster: Cluster) -> None:
    assert cluster.ask("ns.dns").data == ["10.96.0.10"]
    assert cluster.ask("ns.dns", "AAAA").data == ["fd00:96::10"]


@pytest.mark.parametrize("rtype", ["SRV", "CNAME", "MX", "NS"])
def test_A3_ns_dns_has_no_other_data(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("ns.dns", rtype).rcode == "NODATA"


@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV"])
def test_A3_a_server_that_only_itself_can_reach_has_no_address(clusters: Clusters, rtype: str) -> None:
    cluster = clusters.serve(HDLS, own=["127.0.0.1", "::1"])
    assert cluster.ask("ns.dns", rtype).rcode == "NODATA"
    assert cluster.ask("cluster.local.", "NS").rcode == "NODATA"


@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV", "HINFO", "CNAME", "PTR"])
def test_A4_the_apex_has_only_soa_and_ns(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("cluster.local.", rtype).rcode == "NODATA"


@pytest.mark.parametrize(
    ("name", "rcode"), [("svc", "NODATA"), ("hdls1.testns.svc", "NODATA"), ("nobody.testns.svc", "NXDOMAIN"), ("dns", "NXDOMAIN")]
)
def test_A4_below_the_apex_is_no_name_server(cluster: Cluster, name: str, rcode: str) -> None:
    assert cluster.ask(name, "NS").rcode == rcode


def test_A5_letter_case_makes_no_difference(cluster: Cluster) -> None:
    """Difference D2."""
    assert cluster.ask("Cluster.Local.", "NS").data == ["kube-dns.kube-system.svc.Cluster.Local."]
    assert cluster.ask("NS.dns.Cluster.Local.", "A").data == ["10.96.0.10"]
