"""Headless Services and their endpoints (facts 1.4)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, endpoint, endpoint_slice, port, service

HTTP = port("http", 80)
HEADLESS = service("hdls1", clusterIP="None", ports=[HTTP])


def test_H1_all_ready_addresses_over_all_slices(clusters: Clusters) -> None:
    cluster = clusters.serve(
        HEADLESS
        + endpoint_slice("hdls1", endpoint("172.0.0.1"), endpoint("172.0.0.2"), name="a")
        + endpoint_slice("hdls1", endpoint("172.0.0.2"), endpoint("172.0.0.3"), name="b")
        + endpoint_slice("hdls1", endpoint("fd00::1"), name="c", kind="IPv6")
    )
    assert cluster.ask("hdls1.testns.svc").data == ["172.0.0.1", "172.0.0.2", "172.0.0.3"]
    assert cluster.ask("hdls1.testns.svc", "AAAA").data == ["fd00::1"]


def test_H2_an_endpoint_is_ready_unless_it_says_that_it_is_not(clusters: Clusters) -> None:
    cluster = clusters.serve(
        HEADLESS
        + endpoint_slice(
            "hdls1",
            endpoint("172.0.0.1"),
            endpoint("172.0.0.2", conditions={"ready": True}),
            endpoint("172.0.0.3", conditions={"ready": False}),
            endpoint("172.0.0.4", conditions={"ready": False, "serving": True, "terminating": True}),
            endpoint("172.0.0.5", conditions={"serving": False, "terminating": True}),
        )
    )
    assert cluster.ask("hdls1.testns.svc").data == ["172.0.0.1", "172.0.0.2", "172.0.0.5"]
    assert cluster.ask("172-0-0-4.hdls1.testns.svc").rcode == "NXDOMAIN"


@pytest.mark.parametrize(
    "slices", ["", endpoint_slice("hdls1"), endpoint_slice("hdls1", endpoint("172.0.0.1", conditions={"ready": False}))]
)
@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV", "TXT", "MX"])
def test_H3_without_a_ready_endpoint_the_name_does_not_exist(clusters: Clusters, slices: str, rtype: str) -> None:
    assert clusters.serve(HEADLESS + slices).ask("hdls1.testns.svc", rtype).rcode == "NXDOMAIN"


def test_H3_the_other_family_is_no_data(clusters: Clusters) -> None:
    cluster = clusters.serve(HEADLESS + endpoint_slice("hdls1", endpoint("fd00::1"), kind="IPv6"))
    assert cluster.ask("hdls1.testns.svc").rcode == "NODATA"
    assert cluster.ask("hdls1.testns.svc", "AAAA").data == ["fd00::1"]


@pytest.mark.parametrize(
    ("address", "label"),
    [("172.0.0.1", "172-0-0-1"), ("fd00::1", "fd00--1"), ("fd00::", "fd00--0"), ("1234:abcd::1", "1234-abcd--1"), ("::a:1:2", "--a-1-2")],
)
def test_H4_an_address_with_dashes_is_the_label_of_a_nameless_endpoint(clusters: Clusters, address: str, label: str) -> None:
    kind, rtype = ("IPv6", "AAAA") if ":" in address else ("IPv4", "A")
    cluster = clusters.serve(HEADLESS + endpoint_slice("hdls1", endpoint(address), kind=kind, ports=[HTTP]))
    assert cluster.ask(f"{label}.hdls1.testns.svc", rtype).data == [address]
    assert cluster.ask("hdls1.testns.svc", "SRV").data == [f"0 100 80 {label}.hdls1.testns.svc.cluster.local."]


def test_H4_the_hostname_comes_first_then_the_pods_name_if_asked_for(clusters: Clusters) -> None:
    named = endpoint("172.0.0.1", hostname="ep1a", targetRef={"kind": "Pod", "name": "pod-1"})
    pod = endpoint("172.0.0.2", targetRef={"kind": "Pod", "name": "pod-2"})
    long = endpoint("172.0.0.3", targetRef={"kind": "Pod", "name": "p" * 64})
    manifests = HEADLESS + endpoint_slice("hdls1", named, pod, long)
    cluster = clusters.serve(manifests, "endpoint_pod_names")
    assert cluster.ask("ep1a.hdls1.testns.svc").data == ["172.0.0.1"]
    assert cluster.ask("pod-2.hdls1.testns.svc").data == ["172.0.0.2"]
    assert cluster.ask("172-0-0-3.hdls1.testns.svc").data == ["172.0.0.3"]
    for label in ("pod-1", "172-0-0-2", "172-0-0-1"):
        assert cluster.ask(f"{label}.hdls1.testns.svc").rcode == "NXDOMAIN"
    assert clusters.serve(manifests).ask("172-0-0-2.hdls1.testns.svc").data == ["172.0.0.2"]


def test_H5_endpoints_of_one_hostname_share_a_name(clusters: Clusters) -> None:
    addresses = [f"172.0.0.{number}" for number in range(1, 7)]
    cluster = clusters.serve(
        HEADLESS + endpoint_slice("hdls1", *[endpoint(address, hostname="dup-name") for address in addresses], ports=[HTTP])
    )
    assert cluster.ask("dup-name.hdls1.testns.svc").data == addresses
    reply = cluster.ask("_http._tcp.hdls1.testns.svc", "SRV")
    assert reply.data == ["0 16 80 dup-name.hdls1.testns.svc.cluster.local."]
    assert reply.additional == [f"dup-name.hdls1.testns.svc.cluster.local. 5 A {address}" for address in addresses]


def test_H6_srv_has_a_record_for_each_host_with_its_addresses(clusters: Clusters) -> None:
    ports = [HTTP, port("dns", 53, "UDP")]
    cluster = clusters.serve(
        HEADLESS
        + endpoint_slice("hdls1", endpoint("172.0.0.1", hostname="ep1"), endpoint("172.0.0.2"), ports=ports)
        + endpoint_slice("hdls1", endpoint("fd00::1", hostname="ep1"), ports=ports, kind="IPv6")
    )
    base = "hdls1.testns.svc.cluster.local."
    reply = cluster.ask("_dns._udp.hdls1.testns.svc", "SRV")
    assert reply.data == [f"0 33 53 172-0-0-2.{base}", f"0 33 53 ep1.{base}"]
    assert reply.additional == [f"172-0-0-2.{base} 5 A 172.0.0.2", f"ep1.{base} 5 A 172.0.0.1", f"ep1.{base} 5 AAAA fd00::1"]
    assert len(cluster.ask("hdls1.testns.svc", "SRV").data) == 4
    assert cluster.ask("_dns._tcp.hdls1.testns.svc", "SRV").rcode == "NXDOMAIN"


def test_H7_a_slice_without_ports_has_addresses_and_no_srv(clusters: Clusters) -> None:
    cluster = clusters.serve(service("hdlsprtls", clusterIP="None") + endpoint_slice("hdlsprtls", endpoint("172.0.0.20")))
    assert cluster.ask("hdlsprtls.testns.svc").data == ["172.0.0.20"]
    assert cluster.ask("hdlsprtls.testns.svc", "SRV").rcode == "NODATA"
    assert cluster.ask("172-0-0-20.hdlsprtls.testns.svc", "SRV").rcode == "NODATA"


def test_H7_a_port_without_a_number_has_no_srv(clusters: Clusters) -> None:
    cluster = clusters.serve(HEADLESS + endpoint_slice("hdls1", endpoint("172.0.0.1"), ports=[port("http", None)]))
    assert cluster.ask("_http._tcp.hdls1.testns.svc").data == ["172.0.0.1"]
    assert cluster.ask("_http._tcp.hdls1.testns.svc", "SRV").rcode == "NODATA"


def test_H8_slices_belong_to_the_service_of_their_label_and_namespace(clusters: Clusters) -> None:
    cluster = clusters.serve(
        HEADLESS
        + service("hdls1", "other", clusterIP="None")
        + endpoint_slice("hdls1", endpoint("172.0.0.1"), name="any-name")
        + endpoint_slice("hdls1", endpoint("172.0.0.2"), name="hdls1", namespace="other")
    )
    assert cluster.ask("hdls1.testns.svc").data == ["172.0.0.1"]
    assert cluster.ask("hdls1.other.svc").data == ["172.0.0.2"]


def test_H9_ports_are_those_of_the_slice(clusters: Clusters) -> None:
    cluster = clusters.serve(HEADLESS + endpoint_slice("hdls1", endpoint("172.0.0.1"), ports=[port("metrics", 9090)]))
    assert cluster.ask("_metrics._tcp.hdls1.testns.svc", "SRV").data == ["0 100 9090 172-0-0-1.hdls1.testns.svc.cluster.local."]
    assert cluster.ask("_http._tcp.hdls1.testns.svc", "SRV").rcode == "NXDOMAIN"


def test_H10_without_endpoints_headless_names_do_not_exist(clusters: Clusters) -> None:
    manifests = HEADLESS + endpoint_slice("hdls1", endpoint("172.0.0.1")) + service("svc1", clusterIP="10.96.0.100")
    cluster = clusters.serve(manifests + endpoint_slice("svc1", endpoint("172.0.0.2")), "noendpoints")
    assert cluster.ask("hdls1.testns.svc").rcode == "NXDOMAIN"
    assert cluster.ask("172-0-0-1.hdls1.testns.svc").rcode == "NXDOMAIN"
    assert cluster.ask("172-0-0-2.svc1.testns.svc").rcode == "NXDOMAIN"
    assert cluster.ask("svc1.testns.svc").data == ["10.96.0.100"]


def test_H11_an_endpoint_that_is_a_name_is_an_alias(clusters: Clusters) -> None:
    manifests = HEADLESS + service("svc1", clusterIP="10.96.0.100")
    cluster = clusters.serve(manifests + endpoint_slice("hdls1", endpoint("svc1.testns.svc.cluster.local"), kind="FQDN"))
    assert cluster.ask("hdls1.testns.svc", "CNAME").data == ["svc1.testns.svc.cluster.local."]
    assert cluster.ask("hdls1.testns.svc").data == ["10.96.0.100", "svc1.testns.svc.cluster.local."]


@pytest.fixture
def large(clusters: Clusters) -> Cluster:
    endpoints = [endpoint(f"172.0.{number // 250}.{number % 250 + 1}") for number in range(1000)]
    return clusters.serve(HEADLESS + endpoint_slice("hdls1", *endpoints, ports=[HTTP]))


def test_a_thousand_endpoints_come_over_tcp(large: Cluster) -> None:
    reply = large.ask("hdls1.testns.svc", tcp=True)
    assert len(set(reply.data)) == 1000
    assert "tc" not in reply.flags
    srv = large.ask("_http._tcp.hdls1.testns.svc", "SRV", tcp=True)
    assert len(srv.data) == 1000
    assert {line.split()[1] for line in srv.data} == {"1"}


@pytest.mark.parametrize(("edns", "size"), [(0, 512), (512, 512), (1232, 1232), (4096, 4096)])
def test_a_datagram_has_what_fits_and_says_that_there_is_more(large: Cluster, edns: int, size: int) -> None:
    reply = large.ask("hdls1.testns.svc", edns=edns)
    assert "tc" in reply.flags
    assert 0 < len(reply.data) < 1000
    # Names are compressed: each further address costs 16 octets.
    assert size - 60 < len(reply.message.to_wire()) <= size
