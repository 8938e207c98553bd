"""The API server goes away and comes back under questions: none is lost, none answered wrongly, and the data is current soon."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic

import pytest

from tests.controlplane.changes import Changes
from tests.controlplane.eventually import eventually, synced
from tests.controlplane.load import Load, Truth
from tests.controlplane.objects import endpoint_slice, namespace, service
from tests.controlplane.plane import ControlPlane
from tests.servers import Running, free_port, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KNOWN = {"cart.shop.svc.cluster.local": Truth("10.96.1.1"), "absent.shop.svc.cluster.local": Truth()}


def corefile(plane: ControlPlane, more: str = "") -> str:
    """A Corefile for the rights of a DNS server."""
    return f".:PORT {{\n bind 127.0.0.1\n {more}\n kubernetes cluster.local {{\n kubeconfig {plane.kubeconfig('dns')}\n }}\n}}\n"


def fill(plane: ControlPlane) -> None:
    """A namespace, a Service and its slice."""
    plane.put(namespace("shop"))
    plane.put(service("shop", "cart", "10.96.1.1"))
    plane.put(endpoint_slice("shop", "cart-1", "cart", ["10.0.0.1"]))


@contextmanager
def asking(plane: ControlPlane, server: Running) -> Iterator[Load]:
    """Asks for names that stay and for names that change all the time, once all is known. Not one may be lost or answered wrongly."""
    changes = Changes(plane)
    synced(server)
    eventually(lambda: exists(server, "h0.moving"), "what is about to change")
    with changes, Load(server.port, KNOWN | changes.expected) as load:
        yield load
    assert changes.done > 10
    assert load.asked > 1000
    assert (load.lost, load.wrong) == (0, {})


def addresses(server: Running, name: str) -> list[str]:
    """The addresses of a name."""
    return sorted(rdata.to_text() for rrset in server.ask(f"{name}.shop.svc.cluster.local").answer for rdata in rrset)


def exists(server: Running, name: str) -> bool:
    """Whether a name has an address."""
    return bool(addresses(server, name))


@pytest.mark.parametrize("compacted", [False, True], ids=["", "compacted"])
def test_killed_and_back_is_current_within_two_seconds(plane: ControlPlane, tmp_path: Path, compacted: bool) -> None:
    fill(plane)
    with serving(tmp_path, corefile(plane)) as server, asking(plane, server):
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
    with serving(tmp_path, corefile(plane)) as server, asking(plane, server):
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


def test_replaced_at_once_is_noticed_too(plane: ControlPlane, tmp_path: Path) -> None:
    """Behind one address another process answers already; the streams of the old one are as silent as before."""
    fill(plane)
    with serving(tmp_path, corefile(plane)) as server, asking(plane, server):
        plane.end("kube-apiserver", signal.SIGTERM, wait=False)
        plane.start_api_server()
        plane.put(service("shop", "after"))
        assert eventually(lambda: exists(server, "after"), "a new Service") < 5.0


def test_a_restore_of_etcd_takes_back_what_was_told(plane: ControlPlane, tmp_path: Path) -> None:
    """The versions go back: a watch from the old one would be silent, and a Service that is no more would be served for ever."""
    fill(plane)
    snapshot = tmp_path / "snapshot"
    changes, kept = Changes(plane), ["10.0.2.1", "10.0.2.2"]
    changes.become(kept)
    with serving(tmp_path, corefile(plane)) as server:
        synced(server)
        with Load(server.port, KNOWN | changes.expected) as load:
            plane.end("kube-apiserver", signal.SIGKILL)
            plane.end("etcd", signal.SIGKILL)
            shutil.copytree(plane.directory / "etcd", snapshot)
            plane.start_etcd()
            plane.start_api_server()
            for number in range(20):
                plane.put(service("shop", f"lost-{number}"))
                changes.change()
            eventually(lambda: exists(server, "lost-19"), "a Service")
            plane.end("kube-apiserver", signal.SIGKILL)
            plane.end("etcd", signal.SIGKILL)
            shutil.rmtree(plane.directory / "etcd")
            shutil.copytree(snapshot, plane.directory / "etcd")
            plane.start_etcd()
            with changes.becoming(kept):
                plane.start_api_server()
            ready = monotonic()
            eventually(lambda: not exists(server, "lost-19"), "the restore")
            eventually(lambda: addresses(server, "moving") == kept, "the addresses of before")
            assert monotonic() - ready < 3.0
            plane.put(service("shop", "after"))
            changes.become(["10.0.2.3", "10.0.2.4"])
            eventually(lambda: exists(server, "after"), "a new Service")
            eventually(lambda: addresses(server, "moving") == ["10.0.2.3", "10.0.2.4"], "changed addresses")
    assert (load.lost, load.wrong) == (0, {})
