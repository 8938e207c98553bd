"""Which objects count: namespaces and label selectors (facts 1.10)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Clusters, compile_corefile, endpoint, endpoint_slice, service

MANIFESTS = (
    service("svc1", "shop", clusterIP="10.96.0.1")
    + service("svc1", "data", clusterIP="10.96.0.2")
    + service("hdls", "shop", clusterIP="None")
    + endpoint_slice("hdls", endpoint("172.0.0.1"), namespace="shop")
)
LABELLED = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: data, labels: {env: test}}}
---
apiVersion: v1
kind: Service
metadata: {name: svc1, namespace: shop, labels: {app: web, tier: front}}
spec: {clusterIP: 10.96.0.1}
---
apiVersion: v1
kind: Service
metadata: {name: svc2, namespace: shop, labels: {app: batch}}
spec: {clusterIP: 10.96.0.2}
---
{apiVersion: v1, kind: Service, metadata: {name: svc1, namespace: data}, spec: {clusterIP: 10.96.0.3}}
"""


def test_N1_a_listed_namespace_exists_and_others_do_not(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, "namespaces shop nosuch")
    assert cluster.ask("svc1.shop.svc").data == ["10.96.0.1"]
    assert cluster.ask("shop.svc").rcode == "NODATA"
    for name in ("svc1.data.svc", "data.svc", "nosuch.svc", "default.svc", "kubernetes.default.svc"):
        assert cluster.ask(name).rcode == "NXDOMAIN"
    assert cluster.ask("1.0.0.172.in-addr.arpa.", "PTR").data == ["172-0-0-1.hdls.shop.svc.cluster.local."]


def test_N1_without_a_list_all_namespaces_exist(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS)
    assert cluster.ask("svc1.shop.svc").data == ["10.96.0.1"]
    assert cluster.ask("svc1.data.svc").data == ["10.96.0.2"]
    assert cluster.ask("svc1.other.svc").rcode == "NXDOMAIN"


@pytest.mark.parametrize("selector", ["env=prod", "env in (prod, stage)", "env!=test,kubernetes.io/metadata.name=shop"])
def test_N2_namespaces_may_be_selected_by_label(clusters: Clusters, selector: str) -> None:
    cluster = clusters.serve(LABELLED, f"namespace_labels {selector}")
    assert cluster.ask("svc1.shop.svc").data == ["10.96.0.1"]
    assert cluster.ask("svc1.data.svc").rcode == "NXDOMAIN"
    assert cluster.ask("data.svc").rcode == "NXDOMAIN"


def test_N2_a_list_and_a_selector_exclude_each_other() -> None:
    corefile = ".:0 {\nkubernetes cluster.local {\nmanifests cluster.yaml\nnamespaces a\nnamespace_labels a=b\n}\n}"
    assert [problem.message for problem in compile_corefile(corefile).problems] == ["namespaces and namespace_labels cannot both be set"]


@pytest.mark.parametrize(
    ("selector", "there"), [("app=web", {"svc1"}), ("app", {"svc1", "svc2"}), ("!tier", {"svc2"}), ("app notin (web)", {"svc2"})]
)
def test_N3_objects_may_be_selected_by_label(clusters: Clusters, selector: str, there: set[str]) -> None:
    cluster = clusters.serve(LABELLED, f"labels {selector}")
    assert {name for name in ("svc1", "svc2") if cluster.ask(f"{name}.shop.svc").rcode == "NOERROR"} == there
    assert cluster.ask("data.svc").rcode == "NODATA", "it selects no namespaces"
