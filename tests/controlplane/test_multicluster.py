"""Zones of several clusters: with and without the CRD, and without the right to read it."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.controlplane.eventually import eventually, synced
from tests.controlplane.objects import imported, namespace, service_import
from tests.controlplane.plane import NOBODY, ControlPlane
from tests.servers import Running, free_port, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ZONE = "clusterset.local"


def corefile(plane: ControlPlane, ready: int, token: str = "dns-token") -> str:
    """A Corefile for a user."""
    options = f"kubeconfig {plane.kubeconfig(token, token)}\nmulticluster {ZONE}"
    return f".:PORT {{\nbind 127.0.0.1\nready 127.0.0.1:{ready}\nkubernetes cluster.local {ZONE} {{\n{options}\n}}\n}}\n"


def is_ready(port: int) -> bool:
    """What `/ready` says."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def addresses(server: Running, name: str) -> list[str]:
    """The addresses of a name in the zone of all clusters."""
    return sorted(rdata.to_text() for rrset in server.ask(f"{name}.shop.svc.{ZONE}").answer for rdata in rrset)


def test_without_the_crd_there_are_no_imports_and_with_it_they_come(plane: ControlPlane, tmp_path: Path) -> None:
    plane.put(namespace("shop"))
    ready = free_port()
    with serving(tmp_path, corefile(plane, ready)) as server:
        synced(server, ZONE)
        eventually(lambda: is_ready(ready), "readiness")
        server.wait_for("serviceimports: the cluster has none: there is no CRD for /apis/multicluster.x-k8s.io/v1alpha1/serviceimports")
        plane.define_service_imports()
        plane.put(service_import("shop", "db", None))
        plane.put(imported("shop", "db", "east", ["10.1.0.1"]))
        plane.put(imported("shop", "db", "west", ["10.2.0.1"]))
        eventually(lambda: addresses(server, "db") == ["10.1.0.1", "10.2.0.1"], "the import")
        assert addresses(server, "10-2-0-1.west.db") == ["10.2.0.1"]
        server.wait_for("ServiceImport: the API server is followed again")
        assert sum("no CRD" in line for line in server.lines) == 1


def test_a_crd_that_goes_takes_its_imports_along(plane: ControlPlane, tmp_path: Path) -> None:
    plane.put(namespace("shop"))
    plane.define_service_imports()
    plane.put(service_import("shop", "web", ["10.112.0.1"]))
    with serving(tmp_path, corefile(plane, free_port())) as server:
        synced(server, ZONE)
        assert addresses(server, "web") == ["10.112.0.1"]
        plane.remove_service_imports()
        eventually(lambda: addresses(server, "web") == [], "its end")
        plane.define_service_imports()
        plane.put(service_import("shop", "web", ["10.112.0.2"]))
        eventually(lambda: addresses(server, "web") == ["10.112.0.2"], "its return")


def test_who_may_not_read_imports_is_told_the_rule(plane: ControlPlane, tmp_path: Path) -> None:
    plane.define_service_imports()
    ready = free_port()
    with serving(tmp_path, corefile(plane, ready, NOBODY)) as server:
        server.wait_for('{apiGroups: ["multicluster.x-k8s.io"], resources: ["serviceimports"], verbs: ["list", "watch"]}')
        assert server.ask(f"web.shop.svc.{ZONE}").rcode() == 2
        assert not is_ready(ready)
