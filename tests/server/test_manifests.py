"""Manifests while the server runs: what is edited is answered within a second, what is broken is told with its place."""

from __future__ import annotations

import time
from pathlib import Path

import dns.rcode
import pytest

from tests.server.process import KUBERNETES, replace, served
from tests.servers import PATIENCE, Running

NAME = "svc1.testns.svc.cluster.local."


def service(name: str, address: str) -> str:
    """A Service in YAML."""
    return f"---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: testns}}, spec: {{clusterIP: {address}}}}}\n"


def address(server: Running, name: str = NAME) -> str:
    """The address that is answered, or the response code."""
    reply = server.ask(name)
    return str(reply.answer[0][0]) if reply.answer else dns.rcode.to_text(reply.rcode())


def seconds_until(server: Running, wanted: str, name: str = NAME) -> float:
    """How long it takes until this is answered."""
    start = time.monotonic()
    while address(server, name) != wanted:
        assert time.monotonic() < start + PATIENCE, f"{address(server, name)} is answered, not {wanted}"
    return time.monotonic() - start


def test_an_edit_is_answered_within_a_second(tmp_path: Path) -> None:
    manifest = tmp_path / "manifests" / "one.yaml"
    replace(manifest, service("svc1", "10.96.0.1"))
    with served(tmp_path, KUBERNETES) as server:
        assert address(server) == "10.96.0.1"
        serial = server.ask("cluster.local.", "SOA").answer[0][0].serial
        replace(manifest, service("svc1", "10.96.0.2") + service("svc2", "10.96.0.3"))
        assert seconds_until(server, "10.96.0.2") < 1
        assert address(server, "svc2.testns.svc.cluster.local.") == "10.96.0.3"
        assert server.ask("cluster.local.", "SOA").answer[0][0].serial >= serial
        replace(manifest.with_name("two.yaml"), service("svc3", "10.96.0.4"))
        assert seconds_until(server, "10.96.0.4", "svc3.testns.svc.cluster.local.") < 1
        manifest.unlink()
        assert seconds_until(server, "NXDOMAIN") < 1
        assert address(server, "svc3.testns.svc.cluster.local.") == "10.96.0.4"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("---\napiVersion: v1\nkind: [\n", "manifests/two.yaml:4:1: not YAML"),
        ("---\napiVersion: v1\nkind: Service\nmetadata: {name: svc2}\nspec: 7\n", "manifests/two.yaml:2:1: Service: "),
        (service("svc2", "10.96.0.300"), "manifests/two.yaml:2:1: Service testns/svc2: spec.clusterIPs[0]: "),
    ],
)
def test_what_is_broken_is_told_with_its_place_and_the_rest_is_served(tmp_path: Path, broken: str, told: str) -> None:
    two = tmp_path / "manifests" / "two.yaml"
    replace(two.with_name("one.yaml"), service("svc1", "10.96.0.1"))
    replace(two, service("svc2", "10.96.0.2"))
    name = "svc2.testns.svc.cluster.local."
    with served(tmp_path, KUBERNETES) as server:
        assert address(server, name) == "10.96.0.2"
        before = len(server.lines)
        replace(two, broken)
        after = server.wait_for("[WARNING] plugin/kubernetes: ", before)
        assert server.lines[after - 1].startswith(f"[WARNING] plugin/kubernetes: {told}")
        assert seconds_until(server, "NXDOMAIN", name) < 1
        assert address(server) == "10.96.0.1"
        replace(two, service("svc2", "10.96.0.3"))
        assert seconds_until(server, "10.96.0.3", name) < 1
        assert len(server.lines) == after, "it was told once"
        replace(two, broken)
        server.wait_for(told, after)


def test_an_unreadable_file_does_not_hide_the_others(tmp_path: Path) -> None:
    replace(tmp_path / "manifests" / "one.yaml", service("svc1", "10.96.0.1"))
    (tmp_path / "manifests" / "two.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "manifests" / "three.yaml").symlink_to("nowhere")
    with served(tmp_path, KUBERNETES) as server:
        assert address(server) == "10.96.0.1"
        server.wait_for("[WARNING] plugin/kubernetes: manifests/two.yaml: cannot be read: it is not UTF-8 text")
        server.wait_for("[WARNING] plugin/kubernetes: manifests/three.yaml: cannot be read: No such file or directory")


def test_a_folder_that_goes_takes_its_names_along_and_brings_them_back(tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    replace(folder / "one.yaml", service("svc1", "10.96.0.1"))
    with served(tmp_path, KUBERNETES) as server:
        folder.rename(tmp_path / "elsewhere")
        assert seconds_until(server, "NXDOMAIN") < 1
        (tmp_path / "elsewhere").rename(folder)
        assert seconds_until(server, "10.96.0.1") < 1
