"""From addresses to names (facts 1.7)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, compile_corefile, endpoint, endpoint_slice, port, service

HTTP = port("http", 80)
MANIFESTS = (
    service("svc1", clusterIP="10.96.0.100", ports=[HTTP])
    + service("dual", clusterIPs=["10.96.0.101", "fd00:96::101"], ports=[HTTP])
    + service("hdls1", clusterIP="None", ports=[HTTP])
    + service("hdls2", clusterIP="None", ports=[HTTP])
    + service("hidden", "secret", clusterIP="10.96.0.200", ports=[HTTP])
    + endpoint_slice("svc1", endpoint("172.0.0.1"), endpoint("10.96.0.101", hostname="odd"))
    + endpoint_slice("hdls1", endpoint("172.0.0.2", hostname="ep1"), endpoint("172.0.0.3", conditions={"ready": False}), name="a")
    + endpoint_slice("hdls1", endpoint("172.0.0.2", hostname="ep1"), name="b")
    + endpoint_slice("hdls1", endpoint("fd00::2"), name="c", kind="IPv6")
    + endpoint_slice("hdls2", endpoint("172.0.0.2"), name="d")
)


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS)


def test_R1_without_a_reverse_zone_there_are_no_names(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, zones="cluster.local")
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "PTR").rcode == "SERVFAIL"


def test_R1_a_reverse_zone_may_be_a_network(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, zones="cluster.local 10.96.0.0/16 fd00:96::/112")
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "PTR").data == ["svc1.testns.svc.cluster.local."]
    assert cluster.ask("2.0.0.172.in-addr.arpa.", "PTR").rcode == "SERVFAIL"
    (soa,) = cluster.ask("9.9.96.10.in-addr.arpa.", "PTR").authority
    assert soa.startswith("96.10.in-addr.arpa. 5 SOA ns.dns.96.10.in-addr.arpa. ")


@pytest.mark.parametrize("network", ["10.96.0.96/27", "10.96.0.0/25", "10.96.0.0/24"])
def test_R1_a_reverse_zone_may_be_less_than_its_last_label(clusters: Clusters, network: str) -> None:
    cluster = clusters.serve(MANIFESTS, zones=f"cluster.local {network}")
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "PTR").data == ["svc1.testns.svc.cluster.local."]


def test_R2_an_address_of_a_service_has_one_name(cluster: Cluster) -> None:
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "PTR").answer == ["100.0.96.10.in-addr.arpa. 5 PTR svc1.testns.svc.cluster.local."]
    name = "1.0.1." + "0." * 21 + "6.9.0.0.0.0.d.f.ip6.arpa."
    assert cluster.ask(name, "PTR").data == ["dual.testns.svc.cluster.local."]


def test_R2_a_service_comes_before_an_endpoint(cluster: Cluster) -> None:
    assert cluster.ask("101.0.96.10.in-addr.arpa.", "PTR").data == ["dual.testns.svc.cluster.local."]


def test_R2_names_are_in_the_first_zone_that_is_not_reverse(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, zones="in-addr.arpa one.test two.test")
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "PTR").data == ["svc1.testns.svc.one.test."]
    assert cluster.ask("2.0.0.172.in-addr.arpa.", "PTR").data[1] == "ep1.hdls1.testns.svc.one.test."


def test_R2_a_zone_that_is_not_reverse_is_needed() -> None:
    compilation = compile_corefile(".:0 {\nkubernetes in-addr.arpa {\nmanifests cluster.yaml\n}\n}")
    assert [problem.message for problem in compilation.problems] == ["a non-reverse zone name must be used"]


def test_R3_an_endpoint_has_a_name_for_each_service_and_hostname(cluster: Cluster) -> None:
    assert cluster.ask("2.0.0.172.in-addr.arpa.", "PTR").data == [
        "172-0-0-2.hdls2.testns.svc.cluster.local.",
        "ep1.hdls1.testns.svc.cluster.local.",
    ]
    assert cluster.ask("1.0.0.172.in-addr.arpa.", "PTR").data == ["172-0-0-1.svc1.testns.svc.cluster.local."]


def test_R3_an_endpoint_that_is_not_ready_has_none(cluster: Cluster) -> None:
    assert cluster.ask("3.0.0.172.in-addr.arpa.", "PTR").rcode == "NXDOMAIN"


@pytest.mark.parametrize("name", ["9.9.9.9", "0.0.172", "172", "1.1.0.0.172", "256.0.0.172", "02.0.0.172", "x.0.0.172", "100.0.96.10.10"])
def test_R4_other_addresses_do_not_exist(cluster: Cluster, name: str) -> None:
    assert cluster.ask(f"{name}.in-addr.arpa.", "PTR").rcode == "NXDOMAIN"


def test_R4_and_may_be_asked_elsewhere(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, "fallthrough in-addr.arpa", behind="whoami")
    assert cluster.ask("9.9.9.9.in-addr.arpa.", "PTR").rcode == "NODATA"
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "PTR").data == ["svc1.testns.svc.cluster.local."]
    assert cluster.ask("1.0.0.ip6.arpa.", "PTR").rcode == "NXDOMAIN"


def test_R5_a_namespace_that_is_not_listed_is_not_told(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, "namespaces testns")
    assert cluster.ask("200.0.96.10.in-addr.arpa.", "PTR").rcode == "NXDOMAIN"
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "PTR").rcode == "NOERROR"


def test_R6_names_of_services_have_no_ptr(cluster: Cluster) -> None:
    assert cluster.ask("svc1.testns.svc", "PTR").rcode == "NODATA"
    assert cluster.ask("nobody.testns.svc", "PTR").rcode == "NXDOMAIN"


@pytest.mark.parametrize("rtype", ["A", "PTR", "SRV"])
def test_R6_names_of_services_are_not_below_a_reverse_zone(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("svc1.testns.svc.0.10.in-addr.arpa.", rtype).rcode == "NXDOMAIN"


def test_R6_an_address_has_no_other_types(cluster: Cluster) -> None:
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "A").rcode == "NXDOMAIN"
