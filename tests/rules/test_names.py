"""How a name is read (facts 1.1)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters

MANIFESTS = """
{apiVersion: v1, kind: Namespace, metadata: {name: testns}}
---
apiVersion: v1
kind: Service
metadata: {name: svc1, namespace: testns}
spec:
  clusterIP: 10.96.0.100
  ports: [{name: http, protocol: TCP, port: 80}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: svc1-a, namespace: testns, labels: {kubernetes.io/service-name: svc1}}
addressType: IPv4
endpoints:
- addresses: [172.0.0.1]
  hostname: ep1a
ports: [{name: http, protocol: TCP, port: 8080}]
"""


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS)


def test_P1_one_label_before_a_service_is_an_endpoint(cluster: Cluster) -> None:
    assert cluster.ask("ep1a.svc1.testns.svc").data == ["172.0.0.1"]
    assert cluster.ask("nobody.svc1.testns.svc").rcode == "NXDOMAIN"


@pytest.mark.parametrize("prefix", ["_http._tcp", "http.tcp", "_http.tcp", "http._tcp", "_._tcp", "_http._", "_._", "_HTTP._tcp"])
def test_P1_two_labels_are_a_port_and_a_protocol_whose_underscores_may_be_missing(cluster: Cluster, prefix: str) -> None:
    assert cluster.ask(f"{prefix}.svc1.testns.svc", "SRV").data == ["0 100 80 svc1.testns.svc.cluster.local."]


@pytest.mark.parametrize("prefix", ["_http._udp", "_https._tcp", "__http._tcp", "ep1a.http"])
def test_P1_a_port_that_is_not_there_does_not_exist(cluster: Cluster, prefix: str) -> None:
    assert cluster.ask(f"{prefix}.svc1.testns.svc", "SRV").rcode == "NXDOMAIN"


@pytest.mark.parametrize("rtype", ["A", "SRV", "TXT", "ANY"])
@pytest.mark.parametrize("prefix", ["a._http._tcp", "ep1a._http._tcp", "a.b.c.d"])
def test_P1_three_labels_and_more_are_no_name(cluster: Cluster, prefix: str, rtype: str) -> None:
    assert cluster.ask(f"{prefix}.svc1.testns.svc", rtype).rcode == "NXDOMAIN"


@pytest.mark.parametrize(
    "name", ["foo", "dns", "testns", "svc1.testns", "svc1.testns.service", "svc1.testns.svc.svcs", "ep.svc1.testns.po"]
)
def test_P2_the_last_label_is_svc_or_pod(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name).rcode == "NXDOMAIN"


@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV", "MX", "CNAME", "HINFO", "HTTPS", "ANY"])
@pytest.mark.parametrize("name", ["cluster.local.", "svc", "pod"])
def test_P3_the_zone_svc_and_pod_have_no_data(cluster: Cluster, name: str, rtype: str) -> None:
    assert cluster.ask(name, rtype).rcode == "NODATA"


@pytest.mark.parametrize("rtype", ["A", "SRV", "HTTPS"])
def test_P4_a_namespace_below_svc_has_no_data(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("testns.svc", rtype).rcode == "NODATA"
    assert cluster.ask("nons.svc", rtype).rcode == "NXDOMAIN"


@pytest.mark.parametrize(("mode", "there"), [("disabled", "NXDOMAIN"), ("insecure", "NODATA"), ("verified", "NODATA")])
def test_P4_a_namespace_below_pod_exists_where_pods_do(clusters: Clusters, mode: str, there: str) -> None:
    cluster = clusters.serve(MANIFESTS, f"pods {mode}")
    assert cluster.ask("testns.pod").rcode == there
    assert cluster.ask("nons.pod").rcode == "NXDOMAIN"


@pytest.mark.parametrize("name", ["*.testns.svc", "any.testns.svc", "svc1.*.svc", "svc1.any.svc", "*.svc1.testns.svc", "*.svc", "*"])
def test_P5_there_are_no_wildcards(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name).rcode == "NXDOMAIN"


@pytest.mark.parametrize("prefix", ["*._tcp", "_http.*", "any.any", "*.*"])
def test_P5_there_are_no_wildcard_ports(cluster: Cluster, prefix: str) -> None:
    assert cluster.ask(f"{prefix}.svc1.testns.svc", "SRV").rcode == "NXDOMAIN"


@pytest.mark.parametrize("rtype", ["A", "SRV"])
def test_P6_a_protocol_alone_is_an_endpoint_that_is_not_there(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("_tcp.svc1.testns.svc", rtype).rcode == "NXDOMAIN"
