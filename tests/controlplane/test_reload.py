"""The configuration changes under questions, with an API server as the source: none is lost, none answered wrongly."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.controlplane.eventually import eventually, synced
from tests.controlplane.load import Load, Truth
from tests.controlplane.objects import endpoint_slice, namespace, service
from tests.controlplane.plane import NOBODY, ControlPlane
from tests.servers import Running, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KNOWN = {
    "cart.shop.svc.cluster.local": Truth("10.96.1.1"),
    "h0.db.shop.svc.cluster.local": Truth("10.0.0.1"),
    "absent.shop.svc.cluster.local": Truth(),
    "cart.absent.svc.cluster.local": Truth(),
}


def fill(plane: ControlPlane) -> None:
    """A Service with an address, and one with endpoints."""
    plane.put(namespace("shop"))
    plane.put(service("shop", "cart", "10.96.1.1"))
    plane.put(service("shop", "db", "None"))
    plane.put(endpoint_slice("shop", "db-1", "db", ["10.0.0.1"], hostnames=True))


def corefile(kubeconfig: Path, *options: str, behind: str = "errors") -> str:
    """A Corefile with more options."""
    lines = "\n".join((f"kubeconfig {kubeconfig}", *options))
    return f".:PORT {{\nbind 127.0.0.1\nkubernetes cluster.local in-addr.arpa {{\n{lines}\n}}\n{behind}\n}}\n"


def reload(server: Running, text: str, last: str = "Reloading complete") -> list[str]:
    """Takes another Corefile up; the lines that this gives, up to one with `last`."""
    written = server.directory / "next"
    written.write_text(text.replace("PORT", str(server.port)))
    written.rename(server.directory / "Corefile")
    before = len(server.lines)
    os.kill(server.process.pid, signal.SIGUSR1)
    return server.lines[before : server.wait_for(last, before)]


def test_no_query_is_lost_and_no_answer_wrong(plane: ControlPlane, tmp_path: Path) -> None:
    """Each configuration needs its zones filled anew, but the first two, which keep them."""
    fill(plane)
    kubeconfig = plane.kubeconfig("dns")
    configurations = [
        corefile(kubeconfig, behind="loadbalance"),
        corefile(kubeconfig),
        corefile(kubeconfig, "ttl 30"),
        corefile(kubeconfig, "pods verified"),
        corefile(kubeconfig, "namespaces shop"),
        corefile(plane.by_certificate()),
    ]
    with serving(tmp_path, corefile(kubeconfig)) as server:
        synced(server)
        with Load(server.port, KNOWN) as load:
            for number in range(12):
                plane.put(service("shop", f"new-{number}", f"10.96.2.{number}"))
                reload(server, configurations[number % len(configurations)])
                eventually(lambda number=number: bool(server.ask(f"new-{number}.shop.svc.cluster.local").answer))  # type: ignore[misc]
    assert load.asked > 1000
    assert (load.lost, load.wrong) == (0, {})


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "forbidden"])
def test_what_answers_is_kept_when_nothing_can_be_had_for_the_new_zone(plane: ControlPlane, tmp_path: Path, gone: bool) -> None:
    fill(plane)
    with serving(tmp_path, corefile(plane.kubeconfig("dns"))) as server:
        synced(server)
        with Load(server.port, KNOWN) as load:
            if gone:
                plane.end("kube-apiserver", signal.SIGKILL)
            kubeconfig = plane.kubeconfig("next", "dns-token" if gone else NOBODY)
            lines = reload(server, corefile(kubeconfig, "startup_timeout 1s"), "[ERROR] SIGUSR1")
            assert "services: " in lines[-1]
            assert ("Connection refused" if gone else "is forbidden") in lines[-1]
            if gone:
                plane.start_api_server()
                reload(server, corefile(kubeconfig))
    assert (load.lost, load.wrong) == (0, {})
