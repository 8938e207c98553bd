"""Services of several clusters (facts 1.13): zones of the option `multicluster`."""

from __future__ import annotations

import pytest

from tests.rules.cluster import Cluster, Clusters, endpoint, endpoint_slice, imported_slice, port, service, service_import

HTTP, DNS = port("http", 80), port("dns", 53, "UDP")
ZONES = "cluster.local clusterset.local in-addr.arpa ip6.arpa"
OPTION = "multicluster clusterset.local"
HEADLESS = service_import("hdls", type="Headless", ports=[HTTP])
MANIFESTS = (
    service_import("web", type="ClusterSetIP", ips=["10.112.0.1", "fd00:112::1"], ports=[HTTP, DNS])
    + imported_slice("web", "east", endpoint("172.0.0.9", hostname="web-0"), ports=[HTTP])
    + HEADLESS
    + imported_slice("hdls", "east", endpoint("172.0.0.1"), endpoint("172.0.0.2", hostname="db-0"), ports=[HTTP])
    + imported_slice("hdls", "west", endpoint("172.0.0.2", hostname="db-0"), endpoint("172.0.0.3"), ports=[HTTP])
    + imported_slice("hdls", "west", endpoint("fd00::3"), kind="IPv6", ports=[HTTP])
    + service("local", clusterIP="10.96.0.7", ports=[HTTP])
    + endpoint_slice("local", endpoint("172.0.1.7"), ports=[HTTP])
)


@pytest.fixture
def cluster(clusters: Clusters) -> Cluster:
    return clusters.serve(MANIFESTS, OPTION, ZONES)


def name(text: str) -> str:
    """A name below the zone of all clusters."""
    return f"{text}.testns.svc.clusterset.local."


def test_M1_an_import_with_addresses_answers_them(cluster: Cluster) -> None:
    assert cluster.ask(name("web")).data == ["10.112.0.1"]
    assert cluster.ask(name("web"), "AAAA").data == ["fd00:112::1"]
    reply = cluster.ask(name("_dns._udp.web"), "SRV")
    assert reply.data == ["0 50 53 web.testns.svc.clusterset.local."]
    assert reply.additional == [f"{name('web')} 5 A 10.112.0.1", f"{name('web')} 5 AAAA fd00:112::1"]


def test_M1_an_import_without_a_type_has_addresses(clusters: Clusters) -> None:
    cluster = clusters.serve(service_import("web", ips=["10.112.0.1"], ports=[HTTP]), OPTION, ZONES)
    assert cluster.ask(name("web")).data == ["10.112.0.1"]


def test_M1_an_import_that_has_no_address_yet_is_no_data(clusters: Clusters) -> None:
    cluster = clusters.serve(service_import("web", type="ClusterSetIP", ports=[HTTP]), OPTION, ZONES)
    assert cluster.ask(name("web")).rcode == "NODATA"


def test_M1_a_headless_import_answers_the_endpoints_of_all_clusters(cluster: Cluster) -> None:
    assert cluster.ask(name("hdls")).data == ["172.0.0.1", "172.0.0.2", "172.0.0.3"]
    assert cluster.ask(name("hdls"), "AAAA").data == ["fd00::3"]


@pytest.mark.parametrize("slices", ["", imported_slice("hdls", "east", endpoint("172.0.0.1", conditions={"ready": False}))])
def test_M1_a_headless_import_without_a_ready_endpoint_does_not_exist(clusters: Clusters, slices: str) -> None:
    assert clusters.serve(HEADLESS + slices, OPTION, ZONES).ask(name("hdls")).rcode == "NXDOMAIN"


def test_M1_what_is_not_imported_does_not_exist(cluster: Cluster, clusters: Clusters) -> None:
    assert cluster.ask(name("local")).rcode == "NXDOMAIN"
    assert cluster.ask("local.testns.svc").data == ["10.96.0.7"]
    orphan = imported_slice("hdls", "east", endpoint("172.0.0.1"), ports=[HTTP])
    cluster = clusters.serve(orphan, OPTION, ZONES)
    assert {cluster.ask(name(prefix)).rcode for prefix in ("hdls", "172-0-0-1.east.hdls", "east.hdls")} == {"NXDOMAIN"}


@pytest.mark.parametrize("text", ["web", "hdls", "172-0-0-1.east.hdls", "172-0-0-1.hdls"])
def test_M1_in_this_clusters_zone_there_are_no_imports(cluster: Cluster, text: str) -> None:
    assert cluster.ask(f"{text}.testns.svc").rcode == "NXDOMAIN"


def test_M1_slices_are_those_of_the_imports_label(clusters: Clusters) -> None:
    cluster = clusters.serve(HEADLESS + endpoint_slice("hdls", endpoint("172.0.0.1"), ports=[HTTP]), OPTION, ZONES)
    assert cluster.ask(name("hdls")).rcode == "NXDOMAIN"


def test_M1_an_import_without_endpoints_may_be_left_out(clusters: Clusters) -> None:
    option = f"{OPTION}\nignore empty_service"
    empty = service_import("web", ips=["10.112.0.1"], ports=[HTTP])
    assert clusters.serve(empty, option, ZONES).ask(name("web")).rcode == "NXDOMAIN"
    full = empty + imported_slice("web", "east", endpoint("172.0.0.1"))
    assert clusters.serve(full, option, ZONES).ask(name("web")).data == ["10.112.0.1"]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("172-0-0-1.east.hdls", ["172.0.0.1"]),
        ("172-0-0-1.EAST.hdls", ["172.0.0.1"]),
        ("db-0.east.hdls", ["172.0.0.2"]),
        ("db-0.west.hdls", ["172.0.0.2"]),
        ("web-0.east.web", ["172.0.0.9"]),
    ],
)
def test_M2_an_endpoint_is_named_below_its_cluster(cluster: Cluster, text: str, addresses: list[str]) -> None:
    assert cluster.ask(name(text)).data == addresses


@pytest.mark.parametrize("rtype", ["A", "AAAA", "SRV", "TXT", "CNAME", "MX"])
@pytest.mark.parametrize(
    "text",
    [
        "172-0-0-1.hdls",
        "db-0.hdls",
        "web-0.web",
        "east.hdls",
        "172-0-0-1.west.hdls",
        "db-0.north.hdls",
        "a.db-0.east.hdls",
        "_http._tcp.east.hdls",
    ],
)
def test_M2_without_its_cluster_it_does_not_exist(cluster: Cluster, text: str, rtype: str) -> None:
    assert cluster.ask(name(text), rtype).rcode == "NXDOMAIN"


def test_M2_srv_leads_to_names_below_the_clusters(cluster: Cluster) -> None:
    reply = cluster.ask(name("_http._tcp.hdls"), "SRV")
    hosts = ("172-0-0-1.east", "172-0-0-3.west", "db-0.east", "db-0.west", "fd00--3.west")
    assert reply.data == [f"0 20 80 {host}.hdls.testns.svc.clusterset.local." for host in hosts]
    assert f"{name('db-0.west.hdls')} 5 A 172.0.0.2" in reply.additional
    assert f"{name('fd00--3.west.hdls')} 5 AAAA fd00::3" in reply.additional
    assert cluster.ask(name("db-0.west.hdls"), "SRV").data == ["0 100 80 db-0.west.hdls.testns.svc.clusterset.local."]


def test_M2_endpoints_that_do_not_say_where_they_come_from_are_the_services_own(clusters: Clusters) -> None:
    cluster = clusters.serve(HEADLESS + imported_slice("hdls", "", endpoint("172.0.0.1"), ports=[HTTP]), OPTION, ZONES)
    assert cluster.ask(name("172-0-0-1.hdls")).data == ["172.0.0.1"]
    assert cluster.ask(name("hdls"), "SRV").data == ["0 100 80 172-0-0-1.hdls.testns.svc.clusterset.local."]


def test_M2_a_cluster_whose_name_cannot_be_a_label_has_no_names(clusters: Clusters) -> None:
    cluster = clusters.serve(HEADLESS + imported_slice("hdls", "a.b", endpoint("172.0.0.1"), ports=[HTTP]), OPTION, ZONES)
    assert cluster.ask(name("hdls")).data == ["172.0.0.1"]
    assert cluster.ask(name("172-0-0-1.a.b.hdls")).rcode == "NXDOMAIN"


@pytest.mark.parametrize("prefix", ["_http._tcp", "_http.tcp", "http._tcp", "_HTTP._TCP"])
def test_P1_one_underscore_makes_a_port(cluster: Cluster, prefix: str) -> None:
    assert cluster.ask(name(f"{prefix}.web"), "SRV").data == ["0 50 80 web.testns.svc.clusterset.local."]


def test_P1_without_an_underscore_it_is_an_endpoint_of_a_cluster(cluster: Cluster) -> None:
    assert cluster.ask(name("http.tcp.web"), "SRV").rcode == "NXDOMAIN"
    assert cluster.ask("http.tcp.local.testns.svc", "SRV").rcode == "NOERROR"


def test_M3_each_kind_of_zone_has_a_serial_of_its_own(cluster: Cluster) -> None:
    serials = {zone: cluster.ask(zone, "SOA").data[0].split()[2] for zone in ("cluster.local.", "in-addr.arpa.", "clusterset.local.")}
    assert serials["cluster.local."] == serials["in-addr.arpa."] != serials["clusterset.local."]


def test_M3_there_is_no_alias(clusters: Clusters) -> None:
    alias = service_import("alias", type="ExternalName", externalName="example.org", ports=[HTTP])
    reply = clusters.serve(alias, OPTION, ZONES).ask(name("alias"), "CNAME")
    assert reply.rcode == "NODATA"


def test_M1_what_else_a_zone_has(cluster: Cluster) -> None:
    assert cluster.ask("dns-version.clusterset.local.", "TXT").data == ['"1.1.0"']
    assert cluster.ask("testns.svc.clusterset.local.").rcode == "NODATA"
    assert cluster.ask("other.svc.clusterset.local.").rcode == "NXDOMAIN"
    assert cluster.ask("1.0.0.172.in-addr.arpa.", "PTR").rcode == "NXDOMAIN"
    assert cluster.ask("7.1.0.172.in-addr.arpa.", "PTR").data == ["172-0-1-7.local.testns.svc.cluster.local."]


def test_M1_it_names_itself_as_the_name_server(clusters: Clusters) -> None:
    """The Service that leads here has a name in the zone only if it is exported."""
    manifests = service("kube-dns", "kube-system", clusterIP="10.96.0.10") + endpoint_slice(
        "kube-dns", endpoint("10.0.0.53"), namespace="kube-system"
    )
    cluster = clusters.serve(manifests, OPTION, ZONES, own=["10.0.0.53"])
    assert cluster.ask("cluster.local.", "NS").data == ["kube-dns.kube-system.svc.cluster.local."]
    reply = cluster.ask("clusterset.local.", "NS")
    assert reply.data == ["ns.dns.clusterset.local."]
    assert reply.additional == ["ns.dns.clusterset.local. 5 A 10.0.0.53"]


def test_M1_pods_are_in_both_zones(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, f"{OPTION}\npods insecure", ZONES)
    assert cluster.ask("10-0-0-1.testns.pod.clusterset.local.").data == ["10.0.0.1"]


def test_M1_zonal_names_are_not_in_it(clusters: Clusters) -> None:
    manifests = HEADLESS + imported_slice("hdls", "east", endpoint("172.0.0.1", zone="eu-1a"), ports=[HTTP])
    cluster = clusters.serve(manifests, f"{OPTION}\nzonal", ZONES)
    assert cluster.ask(name("eu-1a.pin._zone.hdls")).rcode == "NXDOMAIN"


@pytest.mark.parametrize(
    ("zones", "option"),
    [("set.cluster.local cluster.local", "set.cluster.local"), ("cluster.local set.cluster.local", "set.cluster.local")],
)
def test_M1_the_zone_may_lie_below_the_clusters_own(clusters: Clusters, zones: str, option: str) -> None:
    cluster = clusters.serve(MANIFESTS, f"multicluster {option}\nfallthrough", zones, behind="whoami")
    assert cluster.ask("web.testns.svc.set").data == ["10.112.0.1"]
    assert cluster.ask("local.testns.svc").data == ["10.96.0.7"]
    assert cluster.ask("local.testns.svc.set").authority == []


def test_N4_imports_are_selected_like_namespaces(clusters: Clusters) -> None:
    manifests = (
        "---\n{apiVersion: v1, kind: Namespace, metadata: {name: testns, labels: {team: a}}}\n"
        + service_import("one", labels={"team": "a"}, ips=["10.112.0.1"], ports=[HTTP])
        + service_import("two", labels={"team": "b"}, ips=["10.112.0.2"], ports=[HTTP])
    )
    cluster = clusters.serve(manifests, f"{OPTION}\nnamespace_labels team=a\nlabels app=none", ZONES)
    assert cluster.ask(name("one")).data == ["10.112.0.1"]
    assert cluster.ask(name("two")).rcode == "NXDOMAIN"


def test_N3_the_slices_of_imports_may_be_selected_by_label(clusters: Clusters) -> None:
    cluster = clusters.serve(MANIFESTS, f"{OPTION}\nlabels app=none", ZONES)
    assert cluster.ask(name("web")).data == ["10.112.0.1"]
    assert cluster.ask(name("hdls")).rcode == "NXDOMAIN"
