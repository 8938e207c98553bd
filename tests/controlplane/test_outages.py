"""The API server goes away and comes back under questions: none is lost, none answered wrongly, and the data is current soon."""

from __future__ import annotations

import shutil
import signal
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic

import pytest

from tests.controlplane.eventually import eventually, synced
from tests.controlplane.load import Load
from tests.controlplane.objects import endpoint_slice, namespace, service
from tests.controlplane.plane import ControlPlane
from tests.servers import Running, free_port, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KNOWN = {"cart.shop.svc.cluster.local": "10.96.1.1", "absent.shop.svc.cluster.local": None}


def corefile(plane: ControlPlane, more: str = "") -> str:
    """A Corefile for the rights of a DNS server."""
    return f".:PORT {{\n bind 127.0.0.1\n {more}\n kubernetes cluster.local {{\n kubeconfig {plane.kubeconfig('dns')}\n }}\n}}\n"


def fill(plane: ControlPlane) -> None:
    """A namespace, a Service and its slice."""
    plane.put(namespace("shop"))
    plane.put(service("shop", "cart", "10.96.1.1"))
    plane.put(endpoint_slice("shop", "cart-1", "cart", ["10.0.0.1"]))


def exists(server: Running, name: str) -> bool:
    """Whether a name has an address."""
    return bool(server.ask(f"{name}.shop.svc.cluster.local").answer)


@pytest.mark.parametrize("compacted", [False, True], ids=["", "compacted"])
def test_killed_and_back_is_current_within_two_seconds(plane: ControlPlane, tmp_path: Path, compacted: bool) -> None:
    fill(plane)
    with serving(tmp_path, corefile(plane)) as server, Load(server.port, KNOWN) as load:
        synced(server)
        load.wrong.clear()
        for number in range(3):
            if compacted:
                plane.put(service("shop", f"before-{number}"))
                plane.compact()
            plane.end("kube-apiserver", signal.SIGKILL)
            plane.start_api_server()
            ready = monotonic()
            plane.put(service("shop", f"after-{number}"))
            plane.put(endpoint_slice("shop", "cart-1", "cart", [f"10.0.1.{number}"]))
            eventually(lambda number=number: exists(server, f"after-{number}"), "a new Service")  # type: ignore[misc]
            eventually(lambda number=number: exists(server, f"10-0-1-{number}.cart"), "a changed slice")  # type: ignore[misc]
            assert monotonic() - ready < 2.0
    assert load.asked > 1000
    assert (load.lost, load.wrong) == (0, {})


def test_B3_who_was_ready_stays_so_while_the_api_server_is_away(plane: ControlPlane, tmp_path: Path) -> None:
    fill(plane)
    port = free_port()

    def status() -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/ready")
        return connection.getresponse().status

    with serving(tmp_path, corefile(plane, f"ready 127.0.0.1:{port}")) as server:
        synced(server)
        assert status() == 200
        plane.end("kube-apiserver", signal.SIGKILL)
        server.wait_for("no connection to")
        assert status() == 200
        assert exists(server, "cart")


def test_terminated_and_silent_is_noticed_within_five_seconds(plane: ControlPlane, tmp_path: Path) -> None:
    """The old process keeps its streams open and says nothing for a minute, while a new one serves on the same port."""
    fill(plane)
    with serving(tmp_path, corefile(plane)) as server, Load(server.port, KNOWN) as load:
        synced(server)
        load.wrong.clear()
        plane.end("kube-apiserver", signal.SIGTERM, wait=False)
        terminated = monotonic()
        server.wait_for("no connection to")
        assert monotonic() - terminated < 5.0
        plane.start_api_server()
        ready = monotonic()
        plane.put(service("shop", "after"))
        eventually(lambda: exists(server, "after"), "a new Service")
        assert monotonic() - ready < 2.0
        server.wait_for("followed again")
    assert (load.lost, load.wrong) == (0, {})


def test_replaced_at_once_is_noticed_too(plane: ControlPlane, tmp_path: Path) -> None:
    """Behind one address another process answers already; the streams of the old one are as silent as before."""
    fill(plane)
    with serving(tmp_path, corefile(plane)) as server, Load(server.port, KNOWN) as load:
        synced(server)
        load.wrong.clear()
        plane.end("kube-apiserver", signal.SIGTERM, wait=False)
        plane.start_api_server()
        plane.put(service("shop", "after"))
        assert eventually(lambda: exists(server, "after"), "a new Service") < 5.0
    assert (load.lost, load.wrong) == (0, {})


def test_a_restore_of_etcd_takes_back_what_was_told(plane: ControlPlane, tmp_path: Path) -> None:
    """The versions go back: a watch from the old one would be silent, and a Service that is no more would be served for ever."""
    fill(plane)
    snapshot = tmp_path / "snapshot"
    with serving(tmp_path, corefile(plane)) as server, Load(server.port, KNOWN) as load:
        synced(server)
        plane.end("kube-apiserver", signal.SIGKILL)
        plane.end("etcd", signal.SIGKILL)
        shutil.copytree(plane.directory / "etcd", snapshot)
        plane.start_etcd()
        plane.start_api_server()
        for number in range(20):
            plane.put(service("shop", f"lost-{number}"))
        eventually(lambda: exists(server, "lost-19"), "a Service")
        load.wrong.clear()
        plane.end("kube-apiserver", signal.SIGKILL)
        plane.end("etcd", signal.SIGKILL)
        shutil.rmtree(plane.directory / "etcd")
        shutil.copytree(snapshot, plane.directory / "etcd")
        plane.start_etcd()
        plane.start_api_server()
        ready = monotonic()
        eventually(lambda: not exists(server, "lost-19"), "the restore")
        assert monotonic() - ready < 3.0
        plane.put(service("shop", "after"))
        eventually(lambda: exists(server, "after"), "a new Service")
    assert (load.lost, load.wrong) == (0, {})
