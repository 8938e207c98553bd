"""The shape of an answer: flags, SOA, letter case, types, TTL (facts 1.2)."""

from __future__ import annotations

import pytest

from tests.rules.cluster import SERIAL, Cluster, Clusters, endpoint, endpoint_slice, port, service

HTTP = port("http", 80)
MANIFESTS = (
    service("svc1", clusterIP="10.96.0.100", ports=[HTTP])
    + service("hdls1", clusterIP="None", ports=[HTTP])
    + endpoint_slice("hdls1", endpoint("172.0.0.2", hostname="ep1"), endpoint("172.0.0.3"), ports=[HTTP])
    + service("external", type="ExternalName", externalName="svc1.testns.svc.cluster.local")
)
SOA = "ns.dns.cluster.local. hostmaster.cluster.local."


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS)


@pytest.mark.parametrize("name", ["svc1.testns.svc", "testns.svc", "nobody.testns.svc"])
def test_S1_answers_are_authoritative_and_no_recursion_is_offered(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name).flags == {"qr", "aa", "rd"}
    assert cluster.ask(name, rd=False).flags == {"qr", "aa"}


def test_S1_question_and_owner_are_as_the_client_wrote_them(cluster: Cluster) -> None:
    reply = cluster.ask("SvC1.TestNS.svc.Cluster.LOCAL.")
    assert reply.message.question[0].name.to_text() == "SvC1.TestNS.svc.Cluster.LOCAL."
    assert reply.answer == ["SvC1.TestNS.svc.Cluster.LOCAL. 5 A 10.96.0.100"]


@pytest.mark.parametrize(("name", "rcode"), [("testns.svc", "NODATA"), ("svc1.testns.svc", "NODATA"), ("nobody.testns.svc", "NXDOMAIN")])
def test_S2_a_negative_answer_has_one_soa(cluster: Cluster, name: str, rcode: str) -> None:
    reply = cluster.ask(name, "AAAA")
    assert reply.rcode == rcode
    (soa,) = reply.authority
    assert soa.startswith(f"cluster.local. 5 SOA {SOA}")
    assert reply.additional == []


def test_S2_the_soas_owner_is_the_zone_as_the_client_wrote_it(cluster: Cluster) -> None:
    (soa,) = cluster.ask("nobody.testns.svc.ClusteR.LocaL.").authority
    assert soa.startswith("ClusteR.LocaL. 5 SOA ns.dns.ClusteR.LocaL. hostmaster.ClusteR.LocaL. ")


def test_S3_in_targets_the_zone_keeps_its_case_and_the_rest_is_lower_case(cluster: Cluster) -> None:
    reply = cluster.ask("_HtTp._TcP.sVc1.TeStNs.SvC.cLuStEr.LoCaL.", "SRV")
    assert reply.answer == ["_HtTp._TcP.sVc1.TeStNs.SvC.cLuStEr.LoCaL. 5 SRV 0 100 80 svc1.testns.svc.cLuStEr.LoCaL."]
    assert reply.additional == ["svc1.testns.svc.cLuStEr.LoCaL. 5 A 10.96.0.100"]
    reply = cluster.ask("HDLS1.TestNs.Svc.CLUSTER.local.", "SRV")
    assert reply.data == ["0 50 80 172-0-0-3.hdls1.testns.svc.CLUSTER.local.", "0 50 80 ep1.hdls1.testns.svc.CLUSTER.local."]


@pytest.mark.parametrize("name", ["CLUSTER.local.", "cLuStEr.LoCaL.", "cluster.local."])
def test_S3_letter_case_makes_no_difference_at_the_apex(clusters: Clusters, name: str) -> None:
    """Difference D2: with mixed case CoreDNS has no name server there."""
    cluster = clusters.serve(MANIFESTS, own=["192.0.2.53"])
    assert cluster.ask(name, "NS").answer == [f"{name} 5 NS ns.dns.{name}"]
    assert cluster.ask(f"NS.dns.{name}", "A").data == ["192.0.2.53"]
    assert cluster.ask(name, "SOA").answer[0].startswith(f"{name} 5 SOA ns.dns.{name} ")


@pytest.mark.parametrize("rtype", ["MX", "SOA", "NS", "PTR", "TXT", "HTTPS", "SVCB", "ANY", "DS", "HINFO", "NAPTR", "CAA", "TYPE65500"])
def test_S4_other_types_tell_whether_the_name_exists(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("svc1.testns.svc", rtype).rcode == "NODATA"
    if rtype != "SOA":
        assert cluster.ask("nobody.testns.svc", rtype).rcode == "NXDOMAIN"


def test_S5_soa_is_answered_at_the_apex(cluster: Cluster) -> None:
    (soa,) = cluster.ask("cluster.local.", "SOA").answer
    assert soa.startswith(f"cluster.local. 5 SOA {SOA}")
    assert cluster.ask("10.in-addr.arpa.", "SOA").rcode == "NODATA"


@pytest.mark.parametrize("name", ["svc", "svc1.testns.svc", "nobody.testns.svc", "no.such.thing"])
def test_S5_soa_below_the_apex_is_no_data_whether_the_name_exists_or_not(cluster: Cluster, name: str) -> None:
    assert cluster.ask(name, "SOA").rcode == "NODATA"


@pytest.mark.parametrize("rtype", ["AXFR", "IXFR"])
def test_S6_a_transfer_is_refused(cluster: Cluster, rtype: str) -> None:
    assert cluster.ask("cluster.local.", rtype, tcp=True).rcode == "REFUSED"


def test_S7_an_address_is_answered_once(clusters: Clusters) -> None:
    same = endpoint("172.0.0.2", hostname="same")
    cluster = clusters.serve(
        service("hdls", clusterIP="None")
        + endpoint_slice("hdls", same, endpoint("172.0.0.2"), name="a", ports=[HTTP])
        + endpoint_slice("hdls", same, name="b", ports=[HTTP])
    )
    assert cluster.ask("hdls.testns.svc").data == ["172.0.0.2"]
    reply = cluster.ask("hdls.testns.svc", "SRV")
    assert reply.data == ["0 33 80 172-0-0-2.hdls.testns.svc.cluster.local.", "0 33 80 same.hdls.testns.svc.cluster.local."]
    assert reply.additional == [
        "172-0-0-2.hdls.testns.svc.cluster.local. 5 A 172.0.0.2",
        "same.hdls.testns.svc.cluster.local. 5 A 172.0.0.2",
    ]


@pytest.mark.parametrize(("option", "ttl", "soa"), [("", 5, 5), ("ttl 0", 0, 0), ("ttl 30", 30, 30), ("ttl 3600", 3600, 300)])
def test_S8_all_records_have_the_ttl_of_the_option(clusters: Clusters, option: str, ttl: int, soa: int) -> None:
    cluster = clusters.serve(MANIFESTS, option)
    reply = cluster.ask("hdls1.testns.svc", "SRV")
    assert {line.split()[1] for line in reply.answer + reply.additional} == {str(ttl)}
    for name, rtype in [("svc1.testns.svc", "A"), ("external.testns.svc", "A"), ("100.0.96.10.in-addr.arpa.", "PTR")]:
        assert {line.split()[1] for line in cluster.ask(name, rtype).answer} == {str(ttl)}
    (negative,) = cluster.ask("nobody.testns.svc").authority
    assert negative.split()[1] == str(soa)
    assert negative.split()[-1] == str(ttl)
    assert cluster.ask("dns-version", "TXT").answer == ['dns-version.cluster.local. 28800 TXT "1.1.0"']


def test_S9_the_soa_says_who_and_how_long(cluster: Cluster) -> None:
    (soa,) = cluster.ask("cluster.local.", "SOA").data
    mname, rname, serial, *times = soa.split()
    assert (f"{mname} {rname}", times) == (SOA, ["7200", "1800", "86400", "5"])
    assert SERIAL <= int(serial) < SERIAL + 10_000, "the serial is the time of the last change"


HEADLESS = service("db", clusterIP="None", ports=[port("sql", 5432)])
DB = endpoint_slice("db", endpoint("172.0.9.1", hostname="db-0"), ports=[port("sql", 5432)])


@pytest.mark.parametrize(
    ("after", "moves"),
    [
        (DB, False),
        (DB.replace('"name":"db-ipv4"', '"name":"db-ipv4","annotations":{"touched":"1"},"generation":7'), False),
        (DB.replace('"hostname":"db-0"', '"hostname":"db-0","nodeName":"other","conditions":{"ready":true,"serving":true}'), False),
        (DB.replace('"hostname":"db-0"', '"hostname":"db-1"'), True),
        (DB.replace("172.0.9.1", "172.0.9.2"), True),
        (DB.replace("5432", "5433"), True),
        (DB + service("more", clusterIP="10.96.0.77"), True),
        ("", True),
    ],
)
def test_S9_the_serial_moves_when_an_answer_does(clusters: Clusters, after: str, moves: bool) -> None:
    def serial(manifests: str) -> str:
        return clusters.serve(HEADLESS + manifests, "ttl 77").ask("cluster.local.", "SOA").data[0].split()[2]

    before = serial(DB)
    assert (serial(after) != before) == moves


def test_S9_each_zone_has_its_own_soa(cluster: Cluster) -> None:
    (soa,) = cluster.ask("1.2.3.4.in-addr.arpa.", "PTR").authority
    assert soa.startswith("in-addr.arpa. 5 SOA ns.dns.in-addr.arpa. hostmaster.in-addr.arpa. ")


def test_edns_is_answered_with_edns(cluster: Cluster) -> None:
    assert cluster.ask("svc1.testns.svc", edns=1400).message.payload == 1400
    assert cluster.ask("svc1.testns.svc", edns=0).message.edns == -1


def test_a_name_outside_all_zones_is_nobodys(cluster: Cluster) -> None:
    reply = cluster.ask("example.org.")
    assert (reply.rcode, reply.authority) == ("SERVFAIL", [])
