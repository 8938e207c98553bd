"""Services with addresses of their own (facts 1.3)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, endpoint, endpoint_slice, port, service

PORTS = [port("http", 80), port("dns", 53, "UDP"), port("dns-tcp", 53)]
MANIFESTS = (
    service("svc1", clusterIP="10.96.0.100", ports=PORTS)
    + service("svc6", clusterIP="fd00:96::100", ports=[port("http", 80)])
    + service("dual", clusterIPs=["10.96.0.101", "fd00:96::101"], ports=[port("http", 80)])
    + service("unnamed", clusterIP="10.96.0.102", ports=[{"port": 8080}])
    + service("portless", clusterIP="10.96.0.103")
    + service("node", type="NodePort", clusterIP="10.96.0.104", externalIPs=["192.0.2.1"], ports=[port("http", 80)])
    + service("balanced", type="LoadBalancer", clusterIP="10.96.0.105", loadBalancerIP="192.0.2.2", ports=[port("http", 80)])
    + endpoint_slice("svc1", endpoint("172.0.0.1", hostname="ep1a"), endpoint("172.0.0.9"), ports=[port("http", 8080)])
    + endpoint_slice("svc1", endpoint("172.0.0.10", conditions={"ready": False}), name="svc1-b", ports=[port("http", 8080)])
)


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS)


def test_C1_a_service_answers_its_addresses_of_each_family(cluster: Cluster) -> None:
    assert cluster.ask("svc1.testns.svc").answer == ["svc1.testns.svc.cluster.local. 5 A 10.96.0.100"]
    assert cluster.ask("svc1.testns.svc", "AAAA").rcode == "NODATA"
    assert cluster.ask("svc6.testns.svc").rcode == "NODATA"
    assert cluster.ask("svc6.testns.svc", "AAAA").data == ["fd00:96::100"]
    assert cluster.ask("dual.testns.svc").data == ["10.96.0.101"]
    assert cluster.ask("dual.testns.svc", "AAAA").data == ["fd00:96::101"]


def test_C2_endpoints_are_not_needed(cluster: Cluster) -> None:
    assert cluster.ask("unnamed.testns.svc").data == ["10.96.0.102"]


def test_C3_srv_of_the_service_has_all_ports_unnamed_ones_too(cluster: Cluster) -> None:
    target = "svc1.testns.svc.cluster.local."
    # dns and dns-tcp have the same number: their records would be the same.
    assert cluster.ask("svc1.testns.svc", "SRV").data == [f"0 33 53 {target}", f"0 33 80 {target}"]
    assert cluster.ask("unnamed.testns.svc", "SRV").data == ["0 100 8080 unnamed.testns.svc.cluster.local."]


@pytest.mark.parametrize(
    ("name", "number"),
    [("_http._tcp", 80), ("_dns._udp", 53), ("_DNS-TCP._TCP", 53), ("_dns._tcp", 0), ("_http._udp", 0), ("_8080._tcp", 0)],
)
def test_C4_a_port_is_found_by_name_and_protocol(cluster: Cluster, name: str, number: int) -> None:
    reply = cluster.ask(f"{name}.svc1.testns.svc", "SRV")
    if number:
        assert reply.data == [f"0 100 {number} svc1.testns.svc.cluster.local."]
    else:
        assert reply.rcode == "NXDOMAIN"


def test_C4_an_unnamed_port_has_no_name(cluster: Cluster) -> None:
    assert cluster.ask("_8080._tcp.unnamed.testns.svc", "SRV").rcode == "NXDOMAIN"


def test_C5_a_port_has_the_services_addresses(cluster: Cluster) -> None:
    assert cluster.ask("_http._tcp.svc1.testns.svc").data == ["10.96.0.100"]
    assert cluster.ask("_http._tcp.dual.testns.svc", "AAAA").data == ["fd00:96::101"]
    assert cluster.ask("_http._tcp.svc6.testns.svc").rcode == "NODATA"


def test_C6_the_weight_counts_addresses_and_ports_before_they_are_made_one(cluster: Cluster) -> None:
    assert cluster.ask("_http._tcp.dual.testns.svc", "SRV").data == ["0 50 80 dual.testns.svc.cluster.local."]


def test_C6_the_weight_is_at_least_1(clusters: Clusters) -> None:
    cluster = clusters.serve(service("many", clusterIP="10.96.0.100", ports=[port(f"p{number}", number) for number in range(1, 202)]))
    answer = cluster.ask("many.testns.svc", "SRV", tcp=True).data
    assert len(answer) == 201
    assert {line.split()[1] for line in answer} == {"1"}


def test_C7_srv_brings_the_addresses_of_both_families(cluster: Cluster) -> None:
    name = "dual.testns.svc.cluster.local."
    assert cluster.ask("_http._tcp.dual.testns.svc", "SRV").additional == [f"{name} 5 A 10.96.0.101", f"{name} 5 AAAA fd00:96::101"]


def test_C8_a_service_without_ports_has_addresses_and_no_srv(cluster: Cluster) -> None:
    assert cluster.ask("portless.testns.svc").data == ["10.96.0.103"]
    assert cluster.ask("portless.testns.svc", "SRV").rcode == "NODATA"
    assert cluster.ask("_http._tcp.portless.testns.svc", "SRV").rcode == "NXDOMAIN"


@pytest.mark.parametrize(("name", "address"), [("node", "10.96.0.104"), ("balanced", "10.96.0.105")])
def test_C9_other_types_of_service_answer_the_cluster_address(cluster: Cluster, name: str, address: str) -> None:
    assert cluster.ask(f"{name}.testns.svc").data == [address]
    assert cluster.ask(f"_http._tcp.{name}.testns.svc", "SRV").data == [f"0 100 80 {name}.testns.svc.cluster.local."]


def test_C10_cname_is_no_data(cluster: Cluster) -> None:
    assert cluster.ask("svc1.testns.svc", "CNAME").rcode == "NODATA"


def test_C11_endpoints_have_names_below_the_service(cluster: Cluster) -> None:
    assert cluster.ask("ep1a.svc1.testns.svc").data == ["172.0.0.1"]
    assert cluster.ask("172-0-0-9.svc1.testns.svc").data == ["172.0.0.9"]
    assert cluster.ask("ep1a.svc1.testns.svc", "SRV").data == ["0 100 8080 ep1a.svc1.testns.svc.cluster.local."]


@pytest.mark.parametrize("label", ["172-0-0-1", "172-0-0-10", "172-0-0-200", "ep1"])
def test_C11_only_ready_endpoints_by_their_own_label_exist(cluster: Cluster, label: str) -> None:
    assert cluster.ask(f"{label}.svc1.testns.svc").rcode == "NXDOMAIN"
