"""Endpoints of one's own topology zone (facts 1.14)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, compile_corefile, endpoint, endpoint_slice, port, service

HTTP = port("http", 80)
MANIFESTS = (
    service("hdls", clusterIP="None", ports=[HTTP])
    + service("svc1", clusterIP="10.96.0.100", ports=[HTTP])
    + service("alias", type="ExternalName", externalName="example.org")
    + endpoint_slice(
        "hdls", endpoint("172.0.0.1", zone="eu-1a"), endpoint("172.0.0.2", zone="EU-1B"), endpoint("172.0.0.3", zone="rack.7"), ports=[HTTP]
    )
    + endpoint_slice("hdls", endpoint("fd00::1", zone="eu-1a"), endpoint("fd00::9"), kind="IPv6", ports=[HTTP])
    + endpoint_slice("svc1", endpoint("172.0.0.9", zone="eu-1a"), ports=[HTTP])
)
ALL = ["172.0.0.1", "172.0.0.2", "172.0.0.3"]


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS, "zonal")


@pytest.mark.parametrize(
    ("zone", "address"), [("eu-1a", "172.0.0.1"), ("eu-1b", "172.0.0.2"), ("Eu-1B", "172.0.0.2"), ("rack.7", "172.0.0.3")]
)
@pytest.mark.parametrize("directive", ["pin", "prefer", "PIN"])
def test_Z1_a_zone_has_its_own_endpoints(cluster: Cluster, directive: str, zone: str, address: str) -> None:
    assert cluster.ask(f"{zone}.{directive}._zone.hdls.testns.svc").data == [address]


def test_Z1_of_both_families(cluster: Cluster) -> None:
    assert cluster.ask("eu-1a.pin._zone.hdls.testns.svc", "AAAA").data == ["fd00::1"]
    assert cluster.ask("eu-1b.pin._zone.hdls.testns.svc", "AAAA").rcode == "NODATA"


def test_Z1_with_srv_to_the_endpoints_own_names(cluster: Cluster) -> None:
    reply = cluster.ask("eu-1b.pin._zone.hdls.testns.svc", "SRV")
    assert reply.data == ["0 100 80 172-0-0-2.hdls.testns.svc.cluster.local."]
    assert reply.additional == ["172-0-0-2.hdls.testns.svc.cluster.local. 5 A 172.0.0.2"]


@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV", "TXT", "MX"])
def test_Z1_pin_of_a_zone_without_endpoints_is_no_data(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("mars.pin._zone.hdls.testns.svc", rtype).rcode == "NODATA"


def test_Z1_prefer_of_a_zone_without_endpoints_is_all_of_them(cluster: Cluster) -> None:
    assert cluster.ask("mars.prefer._zone.hdls.testns.svc").data == ALL
    assert cluster.ask("a.b.c.prefer._zone.hdls.testns.svc").data == ALL


@pytest.mark.parametrize("rtype", ["TXT", "MX", "CNAME", "PTR"])
def test_Z1_other_types_are_no_data(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("eu-1a.pin._zone.hdls.testns.svc", rtype).rcode == "NODATA"


@pytest.mark.parametrize(
    "name", ["eu-1a.pin._zone.svc1", "eu-1a.prefer._zone.alias", "eu-1a.pin._zone.nobody", "eu-1a.near._zone.hdls", "pin._zone.hdls"]
)
def test_Z1_other_services_and_words_do_not_exist(cluster: Cluster, name: str) -> None:
    assert cluster.ask(f"{name}.testns.svc").rcode == "NXDOMAIN"


def test_Z1_without_the_option_there_are_no_such_names(clusters: Clusters) -> None:
    assert clusters.serve(MANIFESTS).ask("eu-1a.pin._zone.hdls.testns.svc").rcode == "NXDOMAIN"


def test_Z1_needs_endpoints() -> None:
    corefile = ".:0 {\nkubernetes cluster.local {\nmanifests cluster.yaml\nzonal\nnoendpoints\n}\n}"
    assert compile_corefile(corefile).plan is None
