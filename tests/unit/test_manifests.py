"""A cluster made of files: what is read, what is made up, and what happens to nonsense."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clusterdns.cluster import Endpoint, EndpointSlice, Namespace, Pod, Port, Ref, Service, ServiceImport, View
from clusterdns.compiler import compile_plan
from clusterdns.corefile.problems import Place, has_errors
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.manifests import DISK, Loaded, changes, files_of_texts, fingerprint, read_manifests
from clusterdns.manifests.addresses import Pool
from clusterdns.records.options import ClusterOptions
from clusterdns.sources import sources_of_texts

RECORDED = Path(__file__).parents[1] / "conformance/objects.json"
EXAMPLE = Path(__file__).parents[2] / "examples/shop"


VERSIONS = {
    "EndpointSlice": "discovery.k8s.io/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "ServiceImport": "multicluster.x-k8s.io/v1alpha1",
}


def load(*documents: str | dict[str, Any], options: ClusterOptions | None = None) -> Loaded:
    """What documents of one file say, each YAML text or an object."""
    texts = [dedent(document) if isinstance(document, str) else json.dumps(document) for document in documents]
    return read_manifests(["m/a.yaml"], files_of_texts({"m/a.yaml": "\n---\n".join(texts)}), options or ClusterOptions())


def obj(kind: str, name: str, namespace: str = "shop", labels: dict[str, str] | None = None, **parts: Any) -> dict[str, Any]:
    version = VERSIONS.get(kind, "v1")
    metadata = {"name": name, "labels": labels or {}} | ({"namespace": namespace} if kind != "Namespace" else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def service(name: str = "web", **spec: Any) -> dict[str, Any]:
    return obj("Service", name, spec={"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"}]} | spec)


def pod(
    name: str, *ips: str, ready: bool = True, phase: str = "Running", app: str = "web", port: int = 8080, **spec: Any
) -> dict[str, Any]:
    containers = [{"name": "c"}, {"name": "d", "ports": [{"name": "web", "containerPort": port}, {"containerPort": 1}]}]
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"phase": phase, "podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips], "conditions": conditions} if ips else {}
    return obj("Pod", name, labels={"app": app}, spec={"containers": containers, **spec}, status=status)


def workload(kind: str, name: str = "web", **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"ports": [{"name": "web", "containerPort": 8080}]}]}}
    return obj(kind, name, spec={"selector": {"matchLabels": {"app": "web"}}, "template": template} | spec)


def slices(loaded: Loaded, name: str = "web") -> list[EndpointSlice]:
    return [view for view in loaded.objects.values() if isinstance(view, EndpointSlice) and view.service == name]


def endpoints(loaded: Loaded, name: str = "web") -> list[Endpoint]:
    return [endpoint for piece in slices(loaded, name) for endpoint in piece.endpoints]


def addresses(loaded: Loaded, name: str = "web") -> tuple[str, ...]:
    view = loaded.objects[Ref("Service", "shop", name)]
    assert isinstance(view, Service)
    return view.cluster_ips


def pods(loaded: Loaded) -> list[Pod]:
    return [view for view in loaded.objects.values() if isinstance(view, Pod)]


# Files and documents


def test_documents_of_a_file_are_read_with_their_places() -> None:
    loaded = load(
        """
        # the shop
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {clusterIP: 10.96.1.1, ports: [{name: http, port: 80}]}
        """,
        "# nothing but a comment",
        "",
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: other}",
        "kind: Service\napiVersion: serving.knative.dev/v1\nmetadata: {name: other}",
        "kind: Namespace\napiVersion: v1\nmetadata: {name: empty}",
    )
    assert loaded.problems == ()
    assert loaded.objects[Ref("Service", "shop", "web")] == Service(
        "shop", "web", cluster_ips=("10.96.1.1",), ports=(Port("http", "TCP", 80),)
    )
    assert loaded.places[Ref("Service", "shop", "web")] == Place("m/a.yaml", 3, 1)
    assert loaded.places[Ref("Namespace", "", "empty")] == Place("m/a.yaml", 21, 1)
    assert {view.name for view in loaded.objects.values() if isinstance(view, Service)} == {"web", "kubernetes"}


@pytest.mark.parametrize("kind", ["List", "ServiceList"])
def test_lists_are_taken_apart(kind: str) -> None:
    items = [service("a", clusterIP="10.96.1.1"), service("b", clusterIP="10.96.1.2")]
    if kind == "ServiceList":
        items = [{"metadata": item["metadata"], "spec": item["spec"]} for item in items]
    listed = {"apiVersion": "v1", "kind": kind, "items": items}
    text = yaml.safe_dump(listed, sort_keys=False)
    loaded = read_manifests(["a.yaml"], files_of_texts({"a.yaml": text}))
    assert loaded.problems == ()
    assert addresses(loaded, "a") == ("10.96.1.1",)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith("- ")]
    assert [loaded.places[Ref("Service", "shop", name)].line for name in "ab"] == lines


def test_json_may_have_several_documents() -> None:
    one, two = json.dumps(service("a"), indent=1), json.dumps({"apiVersion": "v1", "kind": "List", "items": [service("b")]})
    loaded = read_manifests(["a.json"], files_of_texts({"a.json": f"{one}\n{two}\n"}))
    assert loaded.problems == ()
    assert loaded.places[Ref("Service", "shop", "a")] == Place("a.json", 1, 1)
    assert loaded.places[Ref("Service", "shop", "b")] == Place("a.json", one.count("\n") + 2, 1)


def test_yaml_and_json_say_the_same() -> None:
    text = RECORDED.read_text()
    files = files_of_texts({"a.json": text, "a.yaml": yaml.dump(json.loads(text), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))})
    assert read_manifests(["a.json"], files).objects == read_manifests(["a.yaml"], files).objects


def test_what_looks_like_a_date_is_a_text() -> None:
    loaded = load("apiVersion: v1\nkind: Namespace\nmetadata: {name: 2026-01-01, creationTimestamp: 2026-01-01T00:00:00Z}")
    assert Ref("Namespace", "", "2026-01-01") in loaded.objects


def test_a_folder_is_read_with_all_below_it(tmp_path: Path) -> None:
    for name in ("b.yml", "a/c.json", "a/b/d.yaml", "ignored.txt", ".hidden.yaml", "..data/e.yaml"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(service(file.stem.strip("."))))
    loaded = read_manifests([str(tmp_path)])
    assert loaded.problems == ()
    assert {view.name for view in loaded.objects.values() if isinstance(view, Service)} == {"b", "c", "d", "kubernetes"}
    assert [os.path.relpath(path, tmp_path) for path in DISK.walk(str(tmp_path))] == ["a/b/d.yaml", "a/c.json", "b.yml"]


def test_a_mounted_configmap_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026/a.yaml").write_text(json.dumps(service()))
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    loaded = read_manifests([str(tmp_path)])
    assert loaded.problems == ()
    assert loaded.places[Ref("Service", "shop", "web")] == Place(str(tmp_path / "a.yaml"), 1, 1)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(service()).encode())
    assert read_manifests([str(tmp_path / "a.json")]).problems == ()


# Changes


def test_changes_are_what_a_watch_would_have_told() -> None:
    before, after = load(service("a"), service("b")), load(service("a", clusterIP="10.96.1.1"), service("c", clusterIP="None"))
    told = dict(changes(before, after))
    assert set(told) == {Ref("Service", "shop", name) for name in "abc"}
    assert told[Ref("Service", "shop", "b")] is None
    assert told[Ref("Service", "shop", "a")] == after.objects[Ref("Service", "shop", "a")]


def test_changes_are_none_when_nothing_has_changed() -> None:
    assert list(changes(load(service()), load("# moved\n", service()))) == []


def test_the_fingerprint_differs_when_a_file_came_went_or_was_written(tmp_path: Path) -> None:
    paths = [str(tmp_path), str(tmp_path / "missing.yaml")]
    file = tmp_path / "a.yaml"
    seen = [fingerprint(paths)]
    assert fingerprint(paths) == seen[0]
    file.write_text("a: 1")
    seen.append(fingerprint(paths))
    os.utime(file, ns=(1, 1))
    seen.append(fingerprint(paths))
    file.write_text("a: 12")
    os.utime(file, ns=(1, 1))
    seen.append(fingerprint(paths))
    (tmp_path / "other.txt").write_text("not looked at")
    assert fingerprint(paths) == seen[-1]
    file.unlink()
    assert fingerprint(paths) == seen[0]
    assert len(set(seen)) == 4


def test_the_fingerprint_sees_a_file_that_is_replaced_by_its_equal(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "b.txt"
    for each in (file, other):
        each.write_text("a: 1")
        os.utime(each, ns=(1, 1))
    before = fingerprint([str(tmp_path)])
    other.rename(file)
    assert fingerprint([str(tmp_path)]) != before


# Addresses of Services


def test_a_given_address_is_used() -> None:
    given_both = load(service(clusterIP="10.96.3.3", clusterIPs=["10.96.3.3", "fd00:96::33"]))
    assert addresses(given_both) == ("10.96.3.3", "fd00:96::33")
    assert addresses(load(service(clusterIP="192.0.2.1"))) == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("spec", "families"),
    [
        ({}, ["10.96."]),
        ({"clusterIP": ""}, ["10.96."]),
        ({"type": "LoadBalancer"}, ["10.96."]),
        ({"ipFamilies": ["IPv6"]}, ["fd00:96::"]),
        ({"ipFamilies": ["IPv6"], "ipFamilyPolicy": "SingleStack"}, ["fd00:96::"]),
        ({"ipFamilies": ["IPv4", "IPv6"]}, ["10.96.", "fd00:96::"]),
        ({"ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": "RequireDualStack"}, ["fd00:96::", "10.96."]),
        ({"ipFamilyPolicy": "PreferDualStack"}, ["10.96.", "fd00:96::"]),
        ({"ipFamilyPolicy": "RequireDualStack", "clusterIP": "10.96.1.1"}, ["10.96.1.1", "fd00:96::"]),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6"]}, ["fd00:96::", "10.96."]),
    ],
)
def test_a_service_without_address_gets_one_of_each_of_its_families(spec: dict[str, Any], families: list[str]) -> None:
    found = addresses(load(service(**spec)))
    assert len(found) == len(families)
    assert all(address.startswith(prefix) for address, prefix in zip(found, families, strict=True))


@pytest.mark.parametrize(
    ("spec", "expected"), [({"clusterIP": "None"}, ("None",)), ({"type": "ExternalName", "externalName": "a.b"}, ("",))]
)
def test_a_service_that_has_no_address_gets_none(spec: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert addresses(load(service(**spec))) == expected


def test_an_address_stays_the_same_whatever_else_there_is() -> None:
    alone = addresses(load(service()))
    assert addresses(load(*(service(f"other-{number}") for number in range(50)), service())) == alone
    assert alone == ("10.96.238.200",)


def test_a_taken_address_is_passed_over() -> None:
    (first,) = addresses(load(service()))
    loaded = load(service(), service("other", clusterIP=first))
    assert addresses(loaded, "other") == (first,)
    assert addresses(loaded) != (first,)


def test_a_pool_gives_each_address_once_and_then_none() -> None:
    pool = Pool("10.96.0.0/16", ["10.96.1.0", "10.96.0.1", "10.97.1.1", "fd00::1", "nonsense"])
    chosen = [pool.address(str(number)) for number in range(65279)]
    assert len(set(chosen) - {None}) == 65278
    assert chosen[-1] is None


def test_a_collision_takes_the_next_address_and_begins_again_at_the_end() -> None:
    first, last = Pool("10.96.0.0/16"), Pool("10.96.0.0/16", [f"10.96.{high}.{low}" for high in range(1, 256) for low in range(256)][1:])
    assert [first.address("a"), first.address("a")] == ["10.96.66.173", "10.96.66.174"]
    assert last.address("a") == "10.96.1.0"


def test_a_new_neighbour_does_not_move_an_address() -> None:
    names = [f"service-{number}" for number in range(300)]
    few, many = load(*map(service, names[:150])), load(*map(service, names))
    moved = [name for name in names[:150] if addresses(few, name) != addresses(many, name)]
    assert len(moved) <= 1, "only one that collides may move"


# Pods


def test_a_deployment_becomes_ready_pods() -> None:
    loaded = load(service(), workload("Deployment", replicas=3))
    made = pods(loaded)
    assert len({view.name for view in made}) == len({view.ip for view in made}) == 3
    assert all(view.name.startswith("web-") and view.ip.startswith("10.244.") for view in made)
    assert {endpoint.address for endpoint in endpoints(loaded)} == {view.ip for view in made}
    assert slices(loaded)[0].ports == (Port("http", "TCP", 8080),)
    assert {loaded.places[view.ref].line for view in made} == {3}
    assert loaded.places[slices(loaded)[0].ref].line == 1


@pytest.mark.parametrize(("replicas", "count"), [({}, 1), ({"replicas": None}, 1), ({"replicas": 0}, 0), ({"replicas": 2}, 2)])
def test_replicas_are_one_unless_given(replicas: dict[str, Any], count: int) -> None:
    assert len(pods(load(workload("Deployment", **replicas)))) == count


def test_a_statefulset_becomes_numbered_pods_with_hostnames() -> None:
    loaded = load(
        service("db", clusterIP="None"), service("other", clusterIP="None"), workload("StatefulSet", serviceName="db", replicas=2)
    )
    assert [(endpoint.hostname, endpoint.pod) for endpoint in endpoints(loaded, "db")] == [("web-0", "web-0"), ("web-1", "web-1")]
    assert [endpoint.hostname for endpoint in endpoints(loaded, "other")] == ["", ""]


def test_a_statefulset_may_begin_to_count_elsewhere_and_its_pods_can_be_selected_one_by_one() -> None:
    one = service("web-6", clusterIP="None", selector={"statefulset.kubernetes.io/pod-name": "web-6"})
    loaded = load(one, workload("StatefulSet", serviceName="web", replicas=2, ordinals={"start": 5}))
    assert [endpoint.pod for endpoint in endpoints(loaded, "web-6")] == ["web-6"]


def test_a_workload_whose_pods_are_given_gets_no_others() -> None:
    loaded = load(workload("Deployment", replicas=3), pod("web-abc", "10.0.0.1"))
    assert pods(loaded) == [Pod("shop", "web-abc", "10.0.0.1")]
    assert len(pods(load(workload("Deployment"), pod("other", "10.0.0.1", app="other")))) == 2


def test_what_is_told_of_clients_is_kept_of_pods_given_and_made_up() -> None:
    options = ClusterOptions(pods="verified", client_labels=("kubernetes/client-label/app", "kubernetes/client-namespace"))
    given = pod("given", "10.0.0.1", "fd00::1", app="db")
    documents = (given, pod("gone", "10.0.0.2", phase="Failed", app="db"), workload("Deployment", replicas=1))
    first, gone, made = pods(load(*documents, options=options))
    assert first == Pod("shop", "given", "10.0.0.1", ("fd00::1",), (("app", "db"),))
    assert (gone.ip, gone.others) == ("", ())
    assert (len(made.others), made.labels) == (1, (("app", "web"),))
    assert pods(load(*documents))[0] == Pod("shop", "given", "10.0.0.1")


def test_a_pod_without_status_is_ready_and_gets_an_address() -> None:
    loaded = load(service(), pod("a"))
    (one,) = pods(loaded)
    assert one.ip.startswith("10.244.")
    assert [endpoint.address for endpoint in endpoints(loaded)] == [one.ip]


def test_more_replicas_than_can_be_made_up_are_a_problem() -> None:
    loaded = load(workload("Deployment", "huge", replicas=10**12), workload("Deployment", replicas=1))
    assert [problem.code for problem in loaded.problems] == ["too-many-replicas"]
    assert len(pods(loaded)) == 1


def test_when_the_networks_are_full_services_and_pods_have_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clusterdns.manifests.addresses.LAST", 257)
    loaded = load(*(service(name) for name in "abc"), workload("Deployment", replicas=3))
    assert sorted(problem.message.split()[0] for problem in loaded.problems) == ["Pod", "Service"]
    assert [addresses(loaded, name) for name in "abc"] == [("10.96.1.0",), ("10.96.1.1",), ("",)]
    assert sorted(view.ip for view in pods(loaded)) == ["", "10.244.1.0", "10.244.1.1"]


# EndpointSlices


def test_D3_H2_pods_with_a_status_are_as_that_says() -> None:
    loaded = load(
        service(),
        pod("ready", "10.0.0.1"),
        pod("unready", "10.0.0.2", ready=False),
        pod("done", "10.0.0.3", phase="Succeeded"),
        pod("failed", "10.0.0.4", phase="Failed"),
        pod("unknown", "10.0.0.5", phase="Unknown"),
        {**pod("pending"), "status": {"phase": "Pending"}},
        pod("other", "10.0.0.6", app="other"),
    )
    assert {endpoint.address for endpoint in endpoints(loaded)} == {"10.0.0.1", "10.0.0.5"}
    assert {view.name: view.ip for view in pods(loaded)} == {
        "ready": "10.0.0.1",
        "unready": "10.0.0.2",
        "done": "",
        "failed": "",
        "unknown": "",
        "pending": "",
        "other": "10.0.0.6",
    }


def test_D3_a_pod_that_is_leaving_is_not_ready() -> None:
    leaving = pod("leaving", "10.0.0.1")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert endpoints(load(service(), leaving)) == []
    assert len(endpoints(load(service(publishNotReadyAddresses=True), leaving))) == 1


def test_H2_a_service_may_publish_what_is_not_ready() -> None:
    found = endpoints(
        load(service(publishNotReadyAddresses=True), pod("unready", "10.0.0.2", ready=False), pod("done", "10.0.0.3", phase="Failed"))
    )
    assert [endpoint.address for endpoint in found] == ["10.0.0.2"]


def test_H9_pods_with_other_ports_are_in_other_slices() -> None:
    loaded = load(service(), pod("a", "10.0.0.1"), pod("b", "10.0.0.2", port=9090), pod("c", "10.0.0.3"))
    assert {(piece.ports[0].number, tuple(endpoint.address for endpoint in piece.endpoints)) for piece in slices(loaded)} == {
        (8080, ("10.0.0.1", "10.0.0.3")),
        (9090, ("10.0.0.2",)),
    }


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ({"port": 80}, (Port("", "TCP", 80),)),
        ({"port": 80, "targetPort": 81, "name": "http", "protocol": "UDP"}, (Port("http", "UDP", 81),)),
        ({"port": 80, "targetPort": "web"}, (Port("", "TCP", 8080),)),
        ({"port": 80, "targetPort": "web", "protocol": "UDP"}, ()),
        ({"port": 80, "targetPort": "nosuch"}, ()),
    ],
)
def test_a_services_port_leads_to_a_pods_port(port: dict[str, Any], expected: tuple[Port, ...]) -> None:
    (piece,) = slices(load(service(ports=[port]), pod("a", "10.0.0.1")))
    assert piece.ports == expected


def test_H7_a_headless_service_needs_no_ports() -> None:
    (piece,) = slices(load(service(clusterIP="None", ports=None), pod("a", "10.0.0.1")))
    assert piece.ports == ()


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({}, [("IPv4", "10.0.0.1")]),
        ({"ipFamilies": ["IPv6"]}, [("IPv6", "fd00::1")]),
        ({"ipFamilyPolicy": "PreferDualStack"}, [("IPv4", "10.0.0.1"), ("IPv6", "fd00::1")]),
        (
            {"clusterIP": "None", "ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": "RequireDualStack"},
            [("IPv6", "fd00::1"), ("IPv4", "10.0.0.1")],
        ),
        ({"clusterIP": "fd00:96::1"}, [("IPv6", "fd00::1")]),
    ],
)
def test_a_slice_for_each_family_of_the_service(spec: dict[str, Any], found: list[tuple[str, str]]) -> None:
    loaded = load(service(**spec), pod("a", "10.0.0.1", "fd00::1"), pod("b", "10.0.0.2", app="other"))
    assert [(piece.address_type, endpoint.address) for piece in slices(loaded) for endpoint in piece.endpoints] == found


def test_a_dual_stack_service_finds_both_addresses_of_made_up_pods() -> None:
    loaded = load(service(ipFamilyPolicy="PreferDualStack"), workload("Deployment"))
    assert [endpoint.address.rpartition("244")[0] for endpoint in endpoints(loaded)] == ["10.", "fd00:"]


@pytest.mark.parametrize(
    ("hostname", "subdomain", "expected"), [("h", "web", "h"), ("h", "other", ""), ("h", None, ""), (None, "web", ""), (None, None, "")]
)
def test_a_hostname_is_for_the_service_that_is_the_subdomain(hostname: str | None, subdomain: str | None, expected: str) -> None:
    assert [one.hostname for one in endpoints(load(service(), pod("a", "10.0.0.1", hostname=hostname, subdomain=subdomain)))] == [expected]


@pytest.mark.parametrize(
    "spec", [{"selector": None}, {"selector": {}}, {"type": "ExternalName", "externalName": "a.b"}, {"selector": {"app": "no"}}]
)
def test_without_a_selector_that_finds_pods_there_is_no_slice(spec: dict[str, Any]) -> None:
    assert slices(load(service(**spec), pod("a", "10.0.0.1"))) == []


def test_pods_of_other_namespaces_are_not_found() -> None:
    other = pod("a", "10.0.0.1")
    other["metadata"]["namespace"] = "other"
    assert slices(load(service(), other)) == []


def given_slice(service: str, address: str = "10.9.9.9") -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": service}
    return obj("EndpointSlice", f"{service}-given", labels=labels, addressType="IPv4", endpoints=[{"addresses": [address]}], ports=None)


def test_nothing_is_derived_for_a_service_that_has_slices() -> None:
    loaded = load(service(), pod("a", "10.0.0.1"), given_slice("web"))
    assert [endpoint.address for endpoint in endpoints(loaded)] == ["10.9.9.9"]


def test_the_slices_are_those_that_a_real_controller_made() -> None:
    """From the recorded cluster without its slices the same endpoints come out for each Service with a selector."""
    cluster = json.loads(RECORDED.read_text())
    selecting = {
        (item["metadata"]["namespace"], item["metadata"]["name"])
        for item in cluster["items"]
        if item["kind"] == "Service" and item["spec"].get("selector") and item["spec"]["type"] != "ExternalName"
    }
    real = read_manifests([str(RECORDED)])
    cluster["items"] = [item for item in cluster["items"] if item["kind"] != "EndpointSlice"]
    derived = read_manifests(["a.json"], files_of_texts({"a.json": json.dumps(cluster)}))
    assert len(selecting) > 30
    assert content(derived.objects.values(), selecting) == content(real.objects.values(), selecting)


def content(views: Iterable[View], of: set[tuple[str, str]]) -> set[tuple[Any, ...]]:
    """All endpoints with their Service, family and ports; slices are cut as it pleases who makes them, and zones are of nodes."""
    return {
        (view.namespace, view.service, view.address_type, frozenset(view.ports), one.address, one.hostname, one.pod)
        for view in views
        if isinstance(view, EndpointSlice) and (view.namespace, view.service) in of
        for one in view.endpoints
    }


# What is always there, and what selectors admit


def test_the_api_servers_service_is_there_unless_given() -> None:
    assert load().objects[Ref("Service", "default", "kubernetes")] == Service(
        "default", "kubernetes", cluster_ips=("10.96.0.1",), ports=(Port("https", "TCP", 443),)
    )
    own = obj("Service", "kubernetes", "default", spec={"clusterIP": "10.0.0.1"})
    assert load(own).objects[Ref("Service", "default", "kubernetes")] == Service("default", "kubernetes", cluster_ips=("10.0.0.1",))


def test_N1_namespaces_are_those_given_those_of_objects_and_those_of_every_cluster() -> None:
    loaded = load(
        obj("Namespace", "empty"), service(), {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}, workload("Deployment")
    )
    assert {view.name for view in loaded.objects.values() if isinstance(view, Namespace)} == {"empty", "shop", "default", "kube-system"}
    assert loaded.places[Ref("Namespace", "", "shop")] == Place("m/a.yaml", 3, 1)
    assert Ref("Namespace", "", "kube-system") not in loaded.places


def test_a_dump_of_a_cluster_gets_nothing_added() -> None:
    dump = json.loads(RECORDED.read_text())
    known = {(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]) for item in dump["items"]}
    loaded = read_manifests([str(RECORDED)])
    assert {tuple(ref) for ref in loaded.objects} <= known
    assert [(problem.code, "198.51.100.7" in problem.message) for problem in loaded.problems] == [("bad-object", True)]


def test_N2_namespaces_are_selected_by_their_labels() -> None:
    documents = (obj("Namespace", "shop", labels={"mesh": "on"}), obj("Namespace", "data"), service())
    spaces = {
        text: {
            view.name
            for view in load(*documents, options=ClusterOptions(namespace_labels=text)).objects.values()
            if isinstance(view, Namespace)
        }
        for text in ("mesh=on", "mesh!=on", "kubernetes.io/metadata.name=data")
    }
    assert spaces == {"mesh=on": {"shop"}, "mesh!=on": {"data", "default", "kube-system"}, "kubernetes.io/metadata.name=data": {"data"}}


def test_N3_services_slices_and_pods_are_selected_by_their_labels() -> None:
    front = {"tier": "front"}
    chosen = obj("Service", "chosen", labels=front, spec={"selector": {"app": "web"}, "ports": [{"port": 80}]})
    slice_of_other = given_slice("other")
    slice_of_other["metadata"]["labels"] |= front
    loaded = load(
        chosen, service("web"), slice_of_other, pod("a", "10.0.0.1"), obj("Namespace", "x"), options=ClusterOptions(labels="tier=front")
    )
    kinds = sorted(str(ref) for ref in loaded.objects if ref.kind != "Namespace")
    assert kinds == ["EndpointSlice shop/chosen-ipv4-0", "EndpointSlice shop/other-given", "Service shop/chosen"]
    assert Ref("Namespace", "", "x") in loaded.objects


def test_M1_imports_and_their_slices_take_the_place_of_services() -> None:
    imported = obj("ServiceImport", "db", "many", spec={"type": "Headless", "ports": [{"name": "sql", "port": 5432}]})
    exported = given_slice("db")
    exported["metadata"]["labels"] = {
        "multicluster.kubernetes.io/service-name": "db",
        "multicluster.kubernetes.io/source-cluster": "east",
    }
    documents = (imported, exported, service("web"), given_slice("web"))
    shared = load(*documents, options=ClusterOptions(multicluster=True)).objects
    assert {str(ref) for ref in shared if ref.kind != "Namespace"} == {"ServiceImport many/db", "EndpointSlice shop/db-given"}
    assert shared[Ref("ServiceImport", "many", "db")] == ServiceImport("many", "db", "Headless", (), (Port("sql", "TCP", 5432),))
    piece = shared[Ref("EndpointSlice", "shop", "db-given")]
    assert isinstance(piece, EndpointSlice)
    assert (piece.service, piece.cluster) == ("db", "east")
    assert Ref("Namespace", "", "many") in shared
    own = load(*documents).objects
    assert {ref.kind for ref in own} == {"Namespace", "Service", "EndpointSlice"}
    assert Ref("Service", "shop", "web") in own


def test_N3_N4_imports_are_selected_like_namespaces_and_their_slices_by_the_option() -> None:
    exported = given_slice("db")
    exported["metadata"]["labels"] = {"multicluster.kubernetes.io/service-name": "db", "tier": "front"}
    documents = (obj("ServiceImport", "one", labels={"team": "a"}), obj("ServiceImport", "two"), exported)
    options = ClusterOptions(multicluster=True, namespace_labels="team=a", labels="tier=front")
    assert {str(ref) for ref in load(*documents, options=options).objects} == {"ServiceImport shop/one", "EndpointSlice shop/db-given"}
    options = ClusterOptions(multicluster=True, labels="tier=back")
    assert "EndpointSlice" not in {ref.kind for ref in load(*documents, options=options).objects}


# The example


def test_the_example_is_read_without_a_problem() -> None:
    text = (EXAMPLE / "Corefile").read_text()
    sources = sources_of_texts({str(EXAMPLE / "Corefile"): text})
    compilation = compile_plan(parse_corefile(str(EXAMPLE / "Corefile"), sources), sources)
    assert compilation.problems == ()
    (feed,) = compilation.feeds
    assert isinstance(feed.options, ClusterOptions)
    loaded = read_manifests(feed.options.manifests, options=feed.options)
    assert loaded.problems == ()
    assert {str(ref) for ref in loaded.objects if ref.kind == "Service"} == {
        "Service data/db",
        "Service default/kubernetes",
        "Service legacy/warehouse",
        "Service shop/basket",
        "Service shop/cart",
        "Service shop/payments",
        "Service shop/web",
    }
    assert [endpoint.hostname for endpoint in endpoints(loaded, "db")] == ["db-0", "db-1", "db-2"]


# Nonsense


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("kind: [", Place("m/a.yaml", 2, 1), "not YAML"),
        ("a: *nothing", Place("m/a.yaml", 1, 4), "not YAML"),
        ("a: !!python/name:os.system x", Place("m/a.yaml", 1, 4), "not YAML"),
        ("a: \x07", Place("m/a.yaml", 1, 1), "not YAML"),
        ("[" * 100_000, Place("m/a.yaml", 1, 1), "nested"),
        ("- " * 100_000, Place("m/a.yaml", 1, 1), "nested"),
        ("[" * 900 + "]" * 900, Place("m/a.yaml", 1, 1), "nested"),
        ("- 1", Place("m/a.yaml", 1, 1), "not a Kubernetes object"),
        ("kind: Service", Place("m/a.yaml", 1, 1), "not a Kubernetes object"),
        ("{kind: 1, apiVersion: v1}", Place("m/a.yaml", 1, 1), "not a Kubernetes object"),
        ("{kind: Service, apiVersion: v1}", Place("m/a.yaml", 1, 1), "metadata"),
        ("{kind: Service, apiVersion: v1, metadata: {}}", Place("m/a.yaml", 1, 1), "it has no `metadata.name`"),
        (
            "{kind: Service, apiVersion: v1, metadata: {name: 1}}",
            Place("m/a.yaml", 1, 1),
            "Service: Expected `str`, got `int` - at `$.metadata.name`",
        ),
        (
            "{kind: Service, apiVersion: v1, metadata: {name: a.b}}",
            Place("m/a.yaml", 1, 1),
            "Service default/a.b: metadata.name: 'a.b' cannot",
        ),
        ("{kind: Deployment, apiVersion: apps/v1, metadata: {name: a}, spec: {}}", Place("m/a.yaml", 1, 1), "`template` - at `$.spec`"),
    ],
)
def test_a_document_that_makes_no_sense_is_a_problem_and_the_others_are_served(text: str, place: Place, message: str) -> None:
    loaded = load(text, service())
    assert [problem.place for problem in loaded.problems] == [place]
    assert message in loaded.problems[0].message
    assert loaded.problems[0].hint
    assert not has_errors(loaded.problems)
    assert Ref("Service", "shop", "web") in loaded.objects


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (service("web", clusterIP="10.0.0.999"), "spec.clusterIPs[0]"),
        (service("web", ports=[{"port": 0}]), "spec.ports[0].port"),
        (service("web", type="ExternalName", externalName=""), "spec.externalName"),
        (obj("Namespace", "Shop"), "metadata.name"),
        (pod("a", "nonsense"), "status.podIP"),
        (given_slice("other", "10.0.0.x"), "endpoints[].addresses"),
        ({**given_slice("other"), "ports": [{"port": 70000}]}, "ports[0].port"),
        (obj("ServiceImport", "db", spec={"ips": ["10.0.0.999"]}), "spec.ips[0]"),
    ],
)
def test_an_object_with_nonsense_in_it_is_a_problem_and_left_out(document: dict[str, Any], field: str) -> None:
    loaded = load(document)
    assert [field in problem.message for problem in loaded.problems] == [True]
    assert {str(ref) for ref in loaded.objects} == {"Namespace default", "Namespace kube-system", "Service default/kubernetes"}


def test_mended_it_is_served() -> None:
    texts = {"a.yaml": json.dumps(service("web", clusterIP="nonsense")), "b.yaml": "kind: ["}
    before = read_manifests(["a.yaml", "b.yaml"], files_of_texts(texts))
    after = read_manifests(
        ["a.yaml", "b.yaml"], files_of_texts({"a.yaml": json.dumps(service("web")), "b.yaml": json.dumps(service("db"))})
    )
    assert len(before.problems) == 2
    assert after.problems == ()
    assert {ref.name for ref, _ in changes(before, after)} == {"web", "db", "shop"}


def test_an_object_that_is_given_twice_counts_as_given_last() -> None:
    loaded = load(service("web", clusterIP="10.96.1.1"), service("web", clusterIP="10.96.1.2"))
    assert addresses(loaded) == ("10.96.1.2",)
    assert [(problem.code, problem.place.line) for problem in loaded.problems] == [("object-twice", 3)]
    assert "m/a.yaml:1:1" in loaded.problems[0].hint


def test_a_path_that_cannot_be_read_is_a_problem_and_the_others_are_served(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "good.yaml").write_text(json.dumps(service()))
    (tmp_path / "empty").mkdir()
    loaded = read_manifests([str(tmp_path / "missing"), str(tmp_path), str(tmp_path / "empty")])
    assert [problem.code for problem in loaded.problems] == ["unreadable-manifest", "unreadable-manifest", "no-manifests"]
    assert Ref("Service", "shop", "web") in loaded.objects


@pytest.mark.parametrize("text", ["{", "[1,", '{"a":1}x', "[" * 100_000, '{"kind":"Service"}{'])
def test_json_that_is_none_is_a_problem(text: str) -> None:
    loaded = read_manifests(["a.json", "b.json"], files_of_texts({"a.json": text, "b.json": json.dumps(service())}))
    assert loaded.problems
    assert Ref("Service", "shop", "web") in loaded.objects


scraps: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["10.0.0.1", "None", "web"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "namespace",
                    "labels",
                    "port",
                    "ports",
                    "addresses",
                    "clusterIP",
                    "clusterIPs",
                    "selector",
                    "podIP",
                    "template",
                    "replicas",
                ]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
kinds = st.sampled_from(["Service", "Namespace", "Pod", "Deployment", "StatefulSet", "List", "ServiceList", "Other", *VERSIONS])


@given(kinds, scraps, scraps, scraps, scraps)
def test_nonsense_in_any_field_never_stops_the_reading(kind: str, metadata: Any, spec: Any, status: Any, items: Any) -> None:
    document = obj(kind, "odd") | {"metadata": metadata, "spec": spec, "status": status, "endpoints": items, "items": items, "ports": items}
    text = yaml.safe_dump(document)
    loaded = read_manifests(["a.yaml", "b.yaml"], files_of_texts({"a.yaml": text, "b.yaml": json.dumps(service())}))
    assert Ref("Service", "shop", "web") in loaded.objects


@given(st.text(alphabet=st.sampled_from('kind: List[]{}-&*!|>\n\t"ab#%@`,?'), max_size=60))
def test_any_text_can_be_in_a_file(text: str) -> None:
    loaded = read_manifests(
        ["a.yaml", "a.json", "b.yaml"], files_of_texts({"a.yaml": text, "a.json": text, "b.yaml": json.dumps(service())})
    )
    assert Ref("Service", "shop", "web") in loaded.objects
