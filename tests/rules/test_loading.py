"""Before everything has been seen once (facts 1.11), and names that are asked elsewhere (facts 1.12)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, endpoint, endpoint_slice, service

MANIFESTS = (
    service("svc1", clusterIP="10.96.0.100")
    + service("empty", clusterIP="10.96.0.101")
    + service("unready", clusterIP="10.96.0.102")
    + service("hdls", clusterIP="None")
    + service("alias", type="ExternalName", externalName="svc1.testns.svc.cluster.local")
    + endpoint_slice("svc1", endpoint("172.0.0.1"))
    + endpoint_slice("hdls", endpoint("172.0.0.2"))
    + endpoint_slice("unready", endpoint("172.0.0.3", conditions={"ready": False}))
)


@pytest.fixture
def loading(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS, complete=False)


def test_B2_what_is_known_is_answered(loading: Cluster) -> None:
    assert loading.ask("svc1.testns.svc").data == ["10.96.0.100"]
    assert loading.ask("svc1.testns.svc", "AAAA").rcode == "NODATA"
    assert loading.ask("100.0.96.10.in-addr.arpa.", "PTR").data == ["svc1.testns.svc.cluster.local."]


@pytest.mark.parametrize(
    "name", ["nobody.testns.svc.cluster.local.", "nons.svc.cluster.local.", "foo.cluster.local.", "9.9.9.9.in-addr.arpa."]
)
@pytest.mark.parametrize("rtype", ["A", "PTR", "SRV"])
def test_B2_what_is_not_known_fails_with_the_soa(loading: Cluster, name: str, rtype: str) -> None:
    reply = loading.ask(name, rtype)
    assert reply.rcode == "SERVFAIL"
    assert "aa" in reply.flags
    assert len(reply.authority) == 1


def test_B2_once_all_has_been_seen_it_does_not_exist(clusters: Clusters, loading: Cluster) -> None:
    assert loading.ask("nobody.testns.svc").rcode == "SERVFAIL"
    assert clusters.serve(MANIFESTS).ask("nobody.testns.svc").rcode == "NXDOMAIN"


def test_F1_absent_names_are_asked_behind(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, "fallthrough", behind="whoami")
    assert cluster.ask("nobody.testns.svc").rcode == "NODATA"
    assert len(cluster.ask("nobody.testns.svc").additional) == 2, "that is whoami's answer"
    assert cluster.ask("svc1.testns.svc").data == ["10.96.0.100"]


@pytest.mark.parametrize("name", ["svc1.testns.svc", "testns.svc", "svc"])
def test_F1_names_that_exist_are_not(clusters: Clusters, name: str) -> None:
    reply = clusters.serve(MANIFESTS, "fallthrough", behind="whoami").ask(name, "AAAA")
    assert (reply.rcode, len(reply.authority), reply.additional) == ("NODATA", 1, [])


def test_F1_only_below_the_zones_of_the_option(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, "fallthrough in-addr.arpa testns.svc.cluster.local", behind="whoami")
    assert cluster.ask("nobody.testns.svc").rcode == "NODATA"
    assert cluster.ask("9.9.9.9.in-addr.arpa.", "PTR").rcode == "NODATA"
    assert cluster.ask("nobody.other.svc").rcode == "NXDOMAIN"
    assert cluster.ask("1.ip6.arpa.", "PTR").rcode == "NXDOMAIN"


def test_F2_services_without_ready_addresses_may_be_left_out(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, "ignore empty_service")
    assert cluster.ask("svc1.testns.svc").data == ["10.96.0.100"]
    assert cluster.ask("hdls.testns.svc").data == ["172.0.0.2"]
    assert cluster.ask("alias.testns.svc").rcode == "NOERROR"
    for rtype in ("A", "SRV", "TXT"):
        assert cluster.ask("empty.testns.svc", rtype).rcode == "NXDOMAIN"
        assert cluster.ask("unready.testns.svc", rtype).rcode == "NXDOMAIN"


def test_F3_with_nothing_behind_the_query_fails(clusters: Clusters) -> None:
    reply = clusters.serve(MANIFESTS, "fallthrough").ask("nobody.testns.svc")
    assert (reply.rcode, reply.authority) == ("SERVFAIL", [])
    assert "aa" not in reply.flags
