"""Services that are aliases (facts 1.5)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, port, service
from tests.rules.upstream import Says, upstream

CLUSTER = "cluster.local."
MANIFESTS = (
    service("svc1", clusterIP="10.96.0.100", ports=[port("http", 80)])
    + service("inside", type="ExternalName", externalName="svc1.testns.svc.cluster.local", ports=[port("http", 80)])
    + service("nowhere", type="ExternalName", externalName="nobody.testns.svc.cluster.local")
    + service("outside", type="ExternalName", externalName="www.example.org")
    + service("dotted", type="ExternalName", externalName="www.example.org.")
    + service("mixed", type="ExternalName", externalName="SVC1.testns.svc.Cluster.Local")
    + service("itself", type="ExternalName", externalName="itself.testns.svc.cluster.local")
    + service("ping", type="ExternalName", externalName="pong.testns.svc.cluster.local")
    + service("pong", type="ExternalName", externalName="ping.testns.svc.cluster.local")
    + service("ip", type="ExternalName", externalName="192.0.2.1")
    + service("ip6", type="ExternalName", externalName="2001:db8::1")
)


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS)


@pytest.mark.parametrize(
    ("name", "target"), [("outside", "www.example.org."), ("dotted", "www.example.org."), ("nowhere", f"nobody.testns.svc.{CLUSTER}")]
)
def test_E1_cname_is_answered_as_it_is(cluster: Cluster, name: str, target: str) -> None:
    reply = cluster.ask(f"{name}.testns.svc", "CNAME")
    assert reply.answer == [f"{name}.testns.svc.{CLUSTER} 5 CNAME {target}"]
    assert reply.additional == []


def test_E2_a_target_inside_is_resolved(cluster: Cluster) -> None:
    assert cluster.ask("inside.testns.svc").answer == [
        f"inside.testns.svc.{CLUSTER} 5 CNAME svc1.testns.svc.{CLUSTER}",
        f"svc1.testns.svc.{CLUSTER} 5 A 10.96.0.100",
    ]


@pytest.mark.parametrize(("name", "rtype"), [("nowhere", "A"), ("inside", "AAAA")])
def test_E2_a_target_inside_that_leads_nowhere_is_no_data(cluster: Cluster, name: str, rtype: str) -> None:
    assert cluster.ask(f"{name}.testns.svc", rtype).rcode == "NODATA"


def test_E2_a_target_of_another_block_is_asked_there(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, behind="}\nexample.org:0 {\nbind 127.0.0.1\nwhoami")
    assert cluster.ask("outside.testns.svc").answer == [f"outside.testns.svc.{CLUSTER} 5 CNAME www.example.org."]


def test_E2_a_target_in_the_zone_of_another_block_is_resolved_there(clusters: Clusters) -> None:
    one = "kubernetes cluster.local {\n manifests one.yaml\n}"
    two = "kubernetes other.test {\n manifests two.yaml\n}"
    cluster = clusters.serve_corefile(
        f"cluster.local:0 {{\n bind 127.0.0.1\n {one}\n}}\nother.test:0 {{\n bind 127.0.0.1\n {two}\n}}",
        {
            "one.yaml": service("there", type="ExternalName", externalName="svc2.testns.svc.other.test"),
            "two.yaml": service("svc2", clusterIP="10.96.0.200"),
        },
    )
    assert cluster.ask("there.testns.svc").answer == [
        "svc2.testns.svc.other.test. 5 A 10.96.0.200",
        f"there.testns.svc.{CLUSTER} 5 CNAME svc2.testns.svc.other.test.",
    ]


TO_WWW = service("there", type="ExternalName", externalName="www.example.org")
ALIAS = f"there.testns.svc.{CLUSTER} 5 CNAME www.example.org."


def through(port: int) -> str:
    """A block that leaves everything else to this upstream."""
    return f"}}\n.:0 {{\nbind 127.0.0.1\nforward . 127.0.0.1:{port}"


@pytest.mark.parametrize("tcp", [False, True])
def test_E2_a_target_elsewhere_is_asked_for_upstream(clusters: Clusters, tcp: bool) -> None:
    more = ["www.example.org. 60 IN CNAME cdn.example.org.", "cdn.example.org. 60 IN A 192.0.2.7"]
    with upstream({"www.example.org": Says(answer=more)}) as port:
        cluster = clusters.serve(TO_WWW, behind=through(port), key="cluster.local:0")
        assert cluster.ask("there.testns.svc", tcp=tcp).answer == [
            "cdn.example.org. 60 A 192.0.2.7",
            ALIAS,
            "www.example.org. 60 CNAME cdn.example.org.",
        ]


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_E2_a_target_elsewhere_that_has_nothing_leaves_the_alias(clusters: Clusters, rcode: str) -> None:
    with upstream({"www.example.org": Says(rcode)}) as port:
        reply = clusters.serve(TO_WWW, behind=through(port), key="cluster.local:0").ask("there.testns.svc")
        assert (reply.rcode, reply.answer) == ("NOERROR", [ALIAS])


@pytest.mark.parametrize("truncated", [False, True])
def test_S10_what_was_cut_short_upstream_is_cut_short_here(clusters: Clusters, truncated: bool) -> None:
    with upstream({"www.example.org": Says(answer=["www.example.org. 60 IN A 192.0.2.7"], truncated=truncated)}) as port:
        reply = clusters.serve(TO_WWW, behind=through(port), key="cluster.local:0").ask("there.testns.svc")
        assert ALIAS in reply.answer
        assert ("tc" in reply.flags) == truncated


@pytest.mark.parametrize("name", ["itself", "ping", "pong"])
def test_E3_loops_end(cluster: Cluster, name: str) -> None:
    assert cluster.ask(f"{name}.testns.svc").rcode == "NODATA"
    assert cluster.ask(f"{name}.testns.svc", "CNAME").rcode == "NOERROR"


@pytest.mark.parametrize(("links", "rcode"), [(10, "NOERROR"), (11, "NOERROR"), (12, "NODATA"), (30, "NODATA")])
def test_E3_a_chain_has_an_end(clusters: Clusters, links: int, rcode: str) -> None:
    chain = [service(f"c{at}", type="ExternalName", externalName=f"c{at + 1}.testns.svc.cluster.local") for at in range(links)]
    cluster = clusters.serve("".join(chain) + service(f"c{links}", clusterIP="10.96.0.100"))
    assert cluster.ask("c0.testns.svc").rcode == rcode


@pytest.mark.parametrize("prefix", ["ep", "_http._tcp", "a.b.c"])
@pytest.mark.parametrize("rtype", ["A", "SRV", "CNAME"])
def test_E4_nothing_is_below_an_alias(cluster: Cluster, prefix: str, rtype: str) -> None:
    assert cluster.ask(f"{prefix}.inside.testns.svc", rtype).rcode == "NXDOMAIN"


def test_E4_srv_of_an_alias_is_no_data(cluster: Cluster) -> None:
    assert cluster.ask("outside.testns.svc", "SRV").rcode == "NODATA"
    assert cluster.ask("inside.testns.svc", "SRV").rcode == "NODATA"


@pytest.mark.parametrize("rtype", ["A", "AAAA", "CNAME"])
@pytest.mark.parametrize("name", ["ip", "ip6"])
def test_E5_an_address_is_no_alias(cluster: Cluster, name: str, rtype: str) -> None:
    assert cluster.ask(f"{name}.testns.svc", rtype).rcode == "NXDOMAIN"


def test_an_alias_may_be_written_in_capitals(cluster: Cluster) -> None:
    assert cluster.ask("mixed.testns.svc").data[0] == "10.96.0.100"
