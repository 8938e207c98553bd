"""TXT (facts 1.8)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, endpoint, endpoint_slice, port, service

HTTP = port("http", 80)
MANIFESTS = (
    service("svc1", clusterIP="10.96.0.100", ports=[HTTP])
    + endpoint_slice("svc1", endpoint("172.0.0.1", hostname="ep1a"), ports=[HTTP])
    + service("hdls", clusterIP="None", ports=[HTTP])
    + endpoint_slice("hdls", endpoint("172.0.0.2"), ports=[HTTP])
    + service("alias", type="ExternalName", externalName="www.example.org")
)


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS, "ttl 30\npods insecure", own=["192.0.2.53"])


@pytest.mark.parametrize("name", ["dns-version", "DNS-Version"])
def test_T1_the_version_of_the_specification(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name, "TXT").answer == [f'{name}.cluster.local. 28800 TXT "1.1.0"']


@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV", "CNAME", "MX", "HTTPS"])
def test_T1_it_has_nothing_else(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("dns-version", rtype).rcode == "NXDOMAIN"


@pytest.mark.parametrize(
    "name",
    ["svc1.testns.svc", "ep1a.svc1.testns.svc", "_http._tcp.svc1.testns.svc", "hdls.testns.svc", "alias.testns.svc", "10-0-0-1.testns.pod"],
)
def test_T1_a_name_with_records_has_no_text(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name, "TXT").rcode == "NODATA"


@pytest.mark.parametrize(
    "name",
    [
        "cluster.local.",
        "svc",
        "pod",
        "testns.svc",
        "ns.dns",
        "gone.testns.svc",
        "a.dns-version",
        "in-addr.arpa.",
        "1.0.0.172.in-addr.arpa.",
    ],
)
def test_T1_a_name_without_records_does_not_exist(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name, "TXT").rcode == "NXDOMAIN"
