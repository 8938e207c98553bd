"""With the real controllers: a pod becomes ready, a controller writes its slice, and the name has an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlplane.binary import Unavailable
from tests.controlplane.eventually import eventually, synced
from tests.controlplane.objects import Object, namespace, service
from tests.controlplane.plane import ControlPlane
from tests.servers import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def pod(name: str, ip: str, ready: bool) -> Object:
    """A pod of the Service `db`."""
    conditions = [{"type": kind, "status": str(ready)} for kind in ("Ready", "ContainersReady")]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "db"}},
        "spec": {
            "containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}],
            "hostname": name,
            "subdomain": "db",
            "nodeName": "node",
        },
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions},
    }


def test_a_pod_that_becomes_ready_gets_its_name(plane: ControlPlane, tmp_path: Path) -> None:
    try:
        plane.start_controllers()
    except Unavailable as why:
        pytest.skip(str(why))
    plane.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})
    plane.put(namespace("shop"))
    plane.put(service("shop", "db", "None", selector={"app": "db"}))
    corefile = f".:PORT {{\n bind 127.0.0.1\n kubernetes cluster.local {{\n kubeconfig {plane.kubeconfig('dns')}\n }}\n}}\n"
    with serving(tmp_path, corefile) as server:
        synced(server)
        for number in range(2):
            plane.put(pod(f"db-{number}", f"10.0.0.{number}", ready=False))
        assert not server.ask("db.shop.svc.cluster.local").answer
        for number in range(2):
            plane.put(pod(f"db-{number}", f"10.0.0.{number}", ready=True))
            eventually(lambda number=number: bool(server.ask(f"db-{number}.db.shop.svc.cluster.local").answer))  # type: ignore[misc]
        plane.delete(pod("db-0", "", ready=False))
        eventually(lambda: server.ask("db-0.db.shop.svc.cluster.local").rcode() == 3)
        assert [rdata.to_text() for rrset in server.ask("db.shop.svc.cluster.local").answer for rdata in rrset] == ["10.0.0.1"]
