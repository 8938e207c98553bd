"""Views on a real server: the client's address says who asks, and each view has its own answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import dns.message
import dns.query

from tests.servers import PATIENCE, Running, serving

COREFILE = """\
.:PORT {
    view shop {
        expr metadata('kubernetes/client-namespace') == 'shop'
    }
    metadata
    log . "{name} {/view/name} {/kubernetes/client-pod-name} {/kubernetes/service}"
    kubernetes cluster.local {
        manifests shop.yaml
        pods verified
    }
}
.:PORT {
    log . "{name} others"
    whoami
}
"""

SHOP = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: shop}
status: {phase: Running, podIP: 127.0.0.2}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}
"""

WEB = "web.shop.svc.cluster.local."


def ask(server: Running, source: str) -> list[str]:
    """The addresses of the Service as a client with this address sees it."""
    reply = dns.query.udp(dns.message.make_query(WEB, "A"), "127.0.0.1", port=server.port, source=source, timeout=PATIENCE)
    return [rdata.to_text() for rrset in reply.answer for rdata in rrset]


def test_a_client_comes_to_the_view_of_its_namespace_until_its_pod_is_gone(tmp_path: Path) -> None:
    manifest = tmp_path / "shop.yaml"
    manifest.write_text(SHOP.replace("NAME", "one"))
    with serving(tmp_path, COREFILE) as server:
        assert ask(server, "127.0.0.2") == ["10.96.0.1"]
        at = server.wait_for(f"[INFO] {WEB} shop one web")
        assert ask(server, "127.0.0.3") == []
        at = server.wait_for(f"[INFO] {WEB} others", at)
        manifest.write_text(SHOP.replace("NAME", "two"))
        while f"[INFO] {WEB} shop two web" not in server.lines:
            assert ask(server, "127.0.0.2") == ["10.96.0.1"]
        manifest.write_text(SHOP.replace("NAME", "two").replace("Running", "Failed"))
        while ask(server, "127.0.0.2"):
            assert server.process.poll() is None


def test_explain_tells_which_view_it_was_and_why_not_the_other(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP.replace("NAME", "one"))
    with serving(tmp_path, COREFILE) as server:
        steps = {client: explained(server, client) for client in ("127.0.0.2", "127.0.0.3")}
    condition = "metadata('kubernetes/client-namespace') == 'shop'"
    label = "metadata('kubernetes/client-namespace')"
    assert steps["127.0.0.2"] == [f"shop is for this query: {condition} is true, as {label} is 'shop'"]
    assert steps["127.0.0.3"] == [f"shop is not for this query: {condition} is false, as {label} is ''"]


def explained(server: Running, client: str) -> list[str]:
    """What an explanation says about views."""
    command = [
        sys.executable,
        "-m",
        "clusterdns.cli.main",
        "explain",
        WEB,
        "--server",
        f"unix:{server.admin}",
        "--client",
        client,
        "-o",
        "json",
    ]
    reply = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout)
    return [step["detail"] for step in reply["steps"] if step["what"] == "view"]
