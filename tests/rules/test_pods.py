"""Names of pods (facts 1.6)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, compile_corefile

MANIFESTS = """
{apiVersion: v1, kind: Namespace, metadata: {name: testns}}
---
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: testns}
status: {phase: Running, podIP: 10.244.0.1, podIPs: [{ip: 10.244.0.1}, {ip: "fd00:244::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: six, namespace: testns}
status: {phase: Running, podIP: "fd00:244::6", podIPs: [{ip: "fd00:244::6"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: on-the-node, namespace: testns}
spec: {hostNetwork: true}
status: {phase: Running, podIP: 192.0.2.10}
---
apiVersion: v1
kind: Pod
metadata: {name: on-the-same-node, namespace: testns}
spec: {hostNetwork: true}
status: {phase: Running, podIP: 192.0.2.10}
---
apiVersion: v1
kind: Pod
metadata: {name: waiting, namespace: testns}
status: {phase: Pending}
"""


@pytest.mark.parametrize("name", ["testns.pod", "10-244-0-1.testns.pod", "fd00-244--6.testns.pod"])
@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV", "TXT"])
def test_D1_by_default_there_are_no_pods(clusters: Clusters, name: str, rtype: str) -> None:
    cluster = clusters.serve(MANIFESTS)
    assert cluster.ask(name, rtype).rcode == "NXDOMAIN"
    assert cluster.ask("pod").rcode == "NODATA"


@pytest.fixture
def insecure(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS, "pods insecure")


@pytest.mark.parametrize(
    ("label", "rtype", "address"),
    [
        ("10-0-0-1", "A", "10.0.0.1"),
        ("255-255-255-255", "A", "255.255.255.255"),
        ("fd00--1", "AAAA", "fd00::1"),
        ("1-2-3-4-5-6-7-8", "AAAA", "1:2:3:4:5:6:7:8"),
        ("FD00--AB", "AAAA", "fd00::ab"),
        ("--1", "AAAA", "::1"),
    ],
)
def test_D2_insecure_echoes_any_address(insecure: Cluster, label: str, rtype: str, address: str) -> None:
    assert insecure.ask(f"{label}.testns.pod", rtype).answer == [f"{label}.testns.pod.cluster.local. 5 {rtype} {address}"]
    other = "AAAA" if rtype == "A" else "A"
    assert insecure.ask(f"{label}.testns.pod", other).rcode == "NODATA"


@pytest.mark.parametrize("label", ["10-0-0", "10-0-0-256", "10-0-0-1-2", "pod", "1-2-3-g", "fd00---1", "10-0--1-2-3-4-5-6-7", "-"])
def test_D2_insecure_what_is_no_address_does_not_exist(insecure: Cluster, label: str) -> None:
    assert insecure.ask(f"{label}.testns.pod").rcode == "NXDOMAIN"
    assert insecure.ask(f"{label}.testns.pod", "AAAA").rcode == "NXDOMAIN"


def test_D2_insecure_the_namespace_must_exist(clusters: Clusters, insecure: Cluster) -> None:
    assert insecure.ask("10-0-0-1.nons.pod").rcode == "NXDOMAIN"
    listed = clusters.serve(MANIFESTS, "pods insecure\nnamespaces other")
    assert listed.ask("10-0-0-1.testns.pod").rcode == "NXDOMAIN"


def test_D2_nothing_is_below_a_pod(insecure: Cluster) -> None:
    assert insecure.ask("a.10-0-0-1.testns.pod").rcode == "NXDOMAIN"


@pytest.fixture
def verified(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS, "pods verified")


def test_D3_verified_knows_the_pods_that_there_are(verified: Cluster) -> None:
    assert verified.ask("10-244-0-1.testns.pod").data == ["10.244.0.1"]
    assert verified.ask("10-244-0-1.testns.pod", "AAAA").rcode == "NODATA"
    assert verified.ask("fd00-244--6.testns.pod", "AAAA").data == ["fd00:244::6"]
    assert verified.ask("192-0-2-10.testns.pod").data == ["192.0.2.10"]


def test_D3_verified_knows_the_first_address_only(verified: Cluster) -> None:
    assert verified.ask("fd00-244--1.testns.pod", "AAAA").rcode == "NXDOMAIN"


@pytest.mark.parametrize("name", ["10-244-0-2.testns.pod", "10-244-0-1.default.pod", "one.testns.pod", "0-0-0-0.testns.pod"])
def test_D3_verified_others_do_not_exist(verified: Cluster, name: str) -> None:
    assert verified.ask(name).rcode == "NXDOMAIN"


def test_D4_pods_have_no_ptr(verified: Cluster) -> None:
    assert verified.ask("1.0.244.10.in-addr.arpa.", "PTR").rcode == "NXDOMAIN"


def test_D5_a_mode_that_there_is_not_is_an_error() -> None:
    compilation = compile_corefile(".:0 {\nkubernetes cluster.local {\nmanifests cluster.yaml\npods some\n}\n}")
    assert compilation.plan is None
    assert [(problem.place.line, "`some`" in problem.message) for problem in compilation.problems] == [(4, True)]
