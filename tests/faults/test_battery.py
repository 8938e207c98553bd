"""What a source of objects has to bring about, whatever kind of source it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.controlplane.binary import Unavailable
from tests.controlplane.eventually import eventually, synced
from tests.controlplane.objects import Object, endpoint_slice, imported, namespace, service, service_import
from tests.controlplane.plane import running
from tests.faults.apiserver import ApiServer
from tests.faults.sources import Manifests, Real, Scripted, Source
from tests.servers import Running, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Serve = Callable[[str], AbstractContextManager[Running]]


@contextmanager
def source_of(kind: str, directory: Path) -> Iterator[Source]:
    """A source of this kind that is empty."""
    directory.mkdir()
    if kind == "manifests":
        yield Manifests(directory)
    elif kind == "scripted":
        with ApiServer() as server:
            yield Scripted(server)
    else:
        with running(directory) as plane:
            plane.define_service_imports()
            yield Real(plane)


@pytest.fixture(scope="module", params=["manifests", "scripted", "real"])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """Each source, for all tests; each test has a namespace of its own."""
    try:
        with source_of(request.param, tmp_path_factory.mktemp("source") / "objects") as source:
            source.put(namespace("default"))
            yield source
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture
def serve(source: Source, tmp_path: Path) -> Serve:
    """Serves the source, with more options, once all is known."""

    @contextmanager
    def serve(options: str) -> Iterator[Running]:
        lines = "\n".join(("kubernetes cluster.local clusterset.local in-addr.arpa {", source.option(), "ttl 30", options, "}"))
        with serving(tmp_path, f".:PORT {{\nbind 127.0.0.1\n{lines}\n}}\n") as server:
            for zone in ("cluster.local", "clusterset.local"):
                synced(server, zone)
            yield server

    return serve


def addresses(server: Running, name: str, rtype: str = "A") -> set[str]:
    """The data that a name has; the status where it has none."""
    reply = server.ask(name if name.endswith(".local") else f"{name}.cluster.local", rtype)
    return {rdata.to_text() for rrset in reply.answer for rdata in rrset} or {f"rcode {reply.rcode()}"}


def becomes(server: Running, name: str, *expected: str, rtype: str = "A") -> None:
    """Waits until a name has this data."""
    eventually(lambda: addresses(server, name, rtype) == set(expected), f"{name} {expected}")


def pod(space: str, name: str, ip: str, phase: str = "Running", labels: dict[str, str] | None = None) -> Object:
    """A pod."""
    spec = {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]}
    metadata = {"name": name, "namespace": space, "labels": labels or {}}
    status = {"phase": phase, "podIP": ip, "podIPs": [{"ip": ip}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def test_a_service_comes_and_goes(source: Source, serve: Serve) -> None:
    source.put(namespace("coming"))
    with serve("") as server:
        cart = service("coming", "cart", "10.96.3.1")
        source.put(cart)
        becomes(server, "cart.coming.svc", "10.96.3.1")
        becomes(server, "_http._tcp.cart.coming.svc", "0 100 80 cart.coming.svc.cluster.local.", rtype="SRV")
        source.put(service("coming", "cart", "10.96.3.1", ports=[{"name": "http", "port": 81, "protocol": "TCP"}]))
        becomes(server, "_http._tcp.cart.coming.svc", "0 100 81 cart.coming.svc.cluster.local.", rtype="SRV")
        source.delete(cart)
        becomes(server, "cart.coming.svc", "rcode 3")


def test_what_was_there_before_the_start_is_served(source: Source, serve: Serve) -> None:
    source.put(namespace("before"))
    source.put(service("before", "cart", "None"))
    source.put(endpoint_slice("before", "cart-1", "cart", ["10.1.0.1", "10.1.0.2!"]))
    with serve("") as server:
        assert addresses(server, "cart.before.svc") == {"10.1.0.1"}


def test_endpoints_become_ready_and_unready(source: Source, serve: Serve) -> None:
    source.put(namespace("ready"))
    source.put(service("ready", "db", "None"))
    with serve("") as server:
        source.put(endpoint_slice("ready", "db-1", "db", ["10.2.0.1", "10.2.0.2"], hostnames=True))
        becomes(server, "db.ready.svc", "10.2.0.1", "10.2.0.2")
        becomes(server, "h1.db.ready.svc", "10.2.0.2")
        source.put(endpoint_slice("ready", "db-1", "db", ["10.2.0.1", "10.2.0.2!"], hostnames=True))
        becomes(server, "db.ready.svc", "10.2.0.1")
        becomes(server, "h1.db.ready.svc", "rcode 3")
        source.put(endpoint_slice("ready", "db-2", "db", ["10.2.0.3"]))
        becomes(server, "db.ready.svc", "10.2.0.1", "10.2.0.3")
        source.delete(endpoint_slice("ready", "db-1", "db", []))
        becomes(server, "db.ready.svc", "10.2.0.3")


def test_a_slice_that_moves_to_another_service_leaves_the_first(source: Source, serve: Serve) -> None:
    source.put(namespace("moving"))
    for name in ("one", "two"):
        source.put(service("moving", name, "None"))
    with serve("") as server:
        source.put(endpoint_slice("moving", "x", "one", ["10.3.0.1"]))
        becomes(server, "one.moving.svc", "10.3.0.1")
        source.put(endpoint_slice("moving", "x", "two", ["10.3.0.1"]))
        becomes(server, "two.moving.svc", "10.3.0.1")
        becomes(server, "one.moving.svc", "rcode 3")


def test_the_same_name_made_again_is_another_service(source: Source, serve: Serve) -> None:
    source.put(namespace("again"))
    with serve("") as server:
        first = service("again", "cart", "10.96.4.1")
        source.put(first)
        becomes(server, "cart.again.svc", "10.96.4.1")
        source.delete(first)
        source.put(service("again", "cart", "None"))
        source.put(endpoint_slice("again", "cart-1", "cart", ["10.4.0.1"]))
        becomes(server, "cart.again.svc", "10.4.0.1")


def test_N1_a_namespace_takes_its_names_along(source: Source, serve: Serve) -> None:
    source.put(namespace("leaving"))
    with serve("") as server:
        cart = service("leaving", "cart", "10.96.5.1")
        source.put(cart)
        becomes(server, "cart.leaving.svc", "10.96.5.1")
        source.delete(cart)
        source.delete(namespace("leaving"))
        becomes(server, "leaving.svc", "rcode 3", rtype="A")


def test_N3_what_leaves_the_selector_is_gone(source: Source, serve: Serve) -> None:
    source.put(namespace("chosen"))
    source.put(service("chosen", "out", "10.96.6.1", {"tier": "b"}))
    with serve("labels tier=a") as server:
        source.put(service("chosen", "in", "10.96.6.2", {"tier": "a"}))
        becomes(server, "in.chosen.svc", "10.96.6.2")
        assert addresses(server, "out.chosen.svc") == {"rcode 3"}
        source.put(service("chosen", "in", "10.96.6.2", {"tier": "b"}))
        becomes(server, "in.chosen.svc", "rcode 3")
        source.put(service("chosen", "out", "10.96.6.1", {"tier": "a"}))
        becomes(server, "out.chosen.svc", "10.96.6.1")


def test_D3_pods_have_names_while_they_live(source: Source, serve: Serve) -> None:
    source.put(namespace("pods"))
    with serve("pods verified") as server:
        source.put(pod("pods", "web", "10.5.0.1"))
        becomes(server, "10-5-0-1.pods.pod", "10.5.0.1")
        source.put(pod("pods", "web", "10.5.0.1", phase="Succeeded"))
        becomes(server, "10-5-0-1.pods.pod", "rcode 3")
        source.put(pod("pods", "next", "10.5.0.1"))
        becomes(server, "10-5-0-1.pods.pod", "10.5.0.1")
        source.delete(pod("pods", "next", ""))
        becomes(server, "10-5-0-1.pods.pod", "rcode 3")


def test_M1_services_of_several_clusters_come_and_go(source: Source, serve: Serve) -> None:
    source.put(namespace("many"))
    with serve("multicluster clusterset.local") as server:
        web = service_import("many", "web", ["10.112.0.1"])
        source.put(web)
        becomes(server, "web.many.svc.clusterset.local", "10.112.0.1")
        assert addresses(server, "web.many.svc") == {"rcode 3"}
        source.put(service_import("many", "web", ["10.112.0.2"]))
        becomes(server, "web.many.svc.clusterset.local", "10.112.0.2")
        source.delete(web)
        becomes(server, "web.many.svc.clusterset.local", "rcode 3")


def test_M2_endpoints_of_other_clusters_come_and_go(source: Source, serve: Serve) -> None:
    source.put(namespace("hosts"))
    with serve("multicluster clusterset.local") as server:
        source.put(service_import("hosts", "db", None))
        source.put(imported("hosts", "db", "east", ["10.7.0.1", "10.7.0.2!"]))
        becomes(server, "db.hosts.svc.clusterset.local", "10.7.0.1")
        source.put(imported("hosts", "db", "west", ["10.7.1.1"]))
        becomes(server, "db.hosts.svc.clusterset.local", "10.7.0.1", "10.7.1.1")
        becomes(server, "10-7-1-1.west.db.hosts.svc.clusterset.local", "10.7.1.1")
        assert addresses(server, "10-7-1-1.db.hosts.svc.clusterset.local") == {"rcode 3"}
        source.delete(imported("hosts", "db", "east", []))
        becomes(server, "db.hosts.svc.clusterset.local", "10.7.1.1")
        assert addresses(server, "10-7-0-1.east.db.hosts.svc.clusterset.local") == {"rcode 3"}
        assert addresses(server, "db.hosts.svc") == {"rcode 3"}


def test_noendpoints_needs_no_slices(source: Source, serve: Serve) -> None:
    source.put(namespace("bare"))
    source.put(service("bare", "cart", "10.96.7.1"))
    source.put(service("bare", "db", "None"))
    source.put(endpoint_slice("bare", "db-1", "db", ["10.6.0.1"]))
    with serve("noendpoints") as server:
        assert addresses(server, "cart.bare.svc") == {"10.96.7.1"}
        assert addresses(server, "db.bare.svc") == {"rcode 3"}
