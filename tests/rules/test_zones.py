"""Several zones over the same cluster, letter case of resolvers that use it as a nonce, and the order of records."""

from __future__ import annotations

from random import Random

import pytest

from tests.rules.cluster import Cluster, Clusters, endpoint, endpoint_slice, port, service

HTTP = port("http", 80)
ADDRESSES = [f"172.0.0.{number}" for number in range(1, 5)]
MANIFESTS = (
    service("svc1", clusterIP="10.96.0.100", ports=[HTTP])
    + service("hdls", clusterIP="None", ports=[HTTP])
    + service("alias", type="ExternalName", externalName="svc1.testns.svc.cluster.local")
    + endpoint_slice("hdls", *map(endpoint, ADDRESSES), ports=[HTTP])
)


@pytest.mark.parametrize("zone", ["cluster.local.", "example.test.", "deep.example.test."])
def test_every_zone_has_all_names(clusters: Clusters, zone: str) -> None:
    cluster = clusters.serve(MANIFESTS, zones="cluster.local example.test deep.example.test in-addr.arpa")
    assert cluster.ask(f"svc1.testns.svc.{zone}").data == ["10.96.0.100"]
    assert cluster.ask(f"_http._tcp.svc1.testns.svc.{zone}", "SRV").data == [f"0 100 80 svc1.testns.svc.{zone}"]
    assert cluster.ask(f"nobody.testns.svc.{zone}").authority[0].startswith(f"{zone} 5 SOA ns.dns.{zone} ")
    assert cluster.ask("100.0.96.10.in-addr.arpa.", "PTR").data == ["svc1.testns.svc.cluster.local."]


def test_an_alias_to_another_zone_of_the_cluster_is_resolved(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, zones="example.test cluster.local")
    assert cluster.ask("alias.testns.svc.example.test.").data == ["10.96.0.100", "svc1.testns.svc.cluster.local."]


def test_the_root_can_be_the_zone(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, zones=".")
    assert cluster.ask("svc1.testns.svc.").data == ["10.96.0.100"]
    assert cluster.ask("svc1.testns.svc.cluster.local.").rcode == "NXDOMAIN"


def test_the_zones_are_the_blocks_unless_given(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, zones="", key="one.test:0 two.test:0")
    assert cluster.ask("svc1.testns.svc.one.test.").data == ["10.96.0.100"]
    assert cluster.ask("svc1.testns.svc.two.test.").data == ["10.96.0.100"]
    assert cluster.ask("svc1.testns.svc.three.test.").rcode == "REFUSED"


def test_S3_letter_case_as_a_nonce(clusters: Clusters) -> None:
    """Resolvers that write names in random case compare the question that comes back (draft-vixie-dnsext-dns0x20)."""
    cluster = clusters.serve(MANIFESTS, "pods insecure", own=["192.0.2.53"])
    random = Random(7)
    asked = [
        *[("svc1.testns.svc.cluster.local.", rtype) for rtype in ("A", "AAAA", "SRV", "HTTPS")],
        ("_http._tcp.hdls.testns.svc.cluster.local.", "SRV"),
        ("172-0-0-1.hdls.testns.svc.cluster.local.", "A"),
        ("alias.testns.svc.cluster.local.", "A"),
        ("10-1-2-3.testns.pod.cluster.local.", "A"),
        ("100.0.96.10.in-addr.arpa.", "PTR"),
        ("dns-version.cluster.local.", "TXT"),
        ("cluster.local.", "NS"),
        ("cluster.local.", "SOA"),
        ("ns.dns.cluster.local.", "A"),
        ("nobody.testns.svc.cluster.local.", "A"),
    ]
    for name, rtype in asked * 5:
        mixed = "".join(random.choice((letter.upper(), letter.lower())) for letter in name)
        plain, reply = cluster.ask(name, rtype), cluster.ask(mixed, rtype)
        assert reply.message.question[0].name.to_text() == mixed
        assert {line.split()[0] for line in reply.answer if line.split()[0].lower() == name} <= {mixed}
        assert sections(reply.message.to_text().lower()) == sections(plain.message.to_text().lower())


def sections(text: str) -> list[str]:
    """A message's lines in an order of their own, without its id."""
    return sorted(line for line in text.splitlines() if not line.startswith("id "))


@pytest.fixture
def shuffled(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS, before="loadbalance")


def test_loadbalance_brings_each_address_to_the_front(shuffled: Cluster) -> None:
    """With 4 addresses and 200 answers, one of them never comes first once in 10^24 runs."""
    first = {shuffled.ask("hdls.testns.svc").message.answer[0][0].to_text() for _ in range(200)}
    assert first == set(ADDRESSES)


def test_loadbalance_prefers_a_network(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, before="loadbalance round_robin {\nprefer 172.0.0.3/32\n}")
    orders = {tuple(rdata.to_text() for rdata in cluster.ask("hdls.testns.svc").message.answer[0]) for _ in range(100)}
    assert {order[0] for order in orders} == {"172.0.0.3"}
    assert len(orders) > 1


def test_without_loadbalance_the_order_stays(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS)
    orders = {tuple(rdata.to_text() for rdata in cluster.ask("hdls.testns.svc").message.answer[0]) for _ in range(20)}
    assert len(orders) == 1
