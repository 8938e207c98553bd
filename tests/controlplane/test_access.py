"""Ways to a real API server, and what is said when there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.controlplane.eventually import synced
from tests.controlplane.plane import ControlPlane
from tests.servers import Running, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def corefile(*options: str) -> str:
    """A Corefile with these options."""
    lines = "\n".join(("kubernetes cluster.local {", *options, "}"))
    return f".:PORT {{\nbind 127.0.0.1\n{lines}\n}}\n"


def answers(server: Running) -> bool:
    """Whether a name of the recorded cluster has an address."""
    return bool(server.ask("web.shop.svc.cluster.local").answer)


def with_files(plane: ControlPlane, ca: Path, server: str = "") -> str:
    """The options `endpoint` and `tls`."""
    client = plane.directory / "client"
    return corefile(f"endpoint {server or plane.url}", f"tls {client}.crt {client}.key {ca}")


def test_B5_endpoint_and_certificates(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    with serving(tmp_path, with_files(recorded_cluster, recorded_cluster.directory / "ca.crt")) as server:
        synced(server)
        assert answers(server)


def test_B5_the_endpoint_may_be_a_name(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    to = f"https://localhost:{recorded_cluster.port}"
    with serving(tmp_path, with_files(recorded_cluster, recorded_cluster.directory / "ca.crt", to)) as server:
        synced(server)


def test_an_authority_that_did_not_sign_is_told_and_a_new_file_is_taken_up(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    shutil.copy(recorded_cluster.make_authority("other"), ca)
    with serving(tmp_path, with_files(recorded_cluster, ca)) as server:
        for plural in ("namespaces", "services", "endpointslices"):
            why = "its certificate is not trusted: unable to get local issuer certificate"
            server.wait_for(f"{plural}: no connection to {recorded_cluster.url}: {why}")
        assert server.ask("web.shop.svc.cluster.local").rcode() == 2
        shutil.copy(recorded_cluster.directory / "ca.crt", tmp_path / "next")
        (tmp_path / "next").rename(ca)
        synced(server)
        assert answers(server)
        assert sum("not trusted" in line for line in server.lines) == 3, "once for each kind"


def test_an_authority_that_cannot_be_read_is_one_line_and_tried_again(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    with serving(tmp_path, with_files(recorded_cluster, ca)) as server:
        server.wait_for(f"the API server's CA cannot be read from {ca}: No such file or directory")
        shutil.copy(recorded_cluster.directory / "ca.crt", ca)
        synced(server)


def test_another_name_than_the_endpoints_may_be_checked(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    kubeconfig = recorded_cluster.kubeconfig("named", tls_server_name="localhost")
    with serving(tmp_path, corefile(f"kubeconfig {kubeconfig}")) as server:
        synced(server)


def test_a_certificate_for_another_name_is_not_trusted(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    kubeconfig = recorded_cluster.kubeconfig("misnamed", tls_server_name="api.example.org")
    with serving(tmp_path, corefile(f"kubeconfig {kubeconfig}")) as server:
        server.wait_for("its certificate is not trusted: Hostname mismatch, certificate is not valid for 'api.example.org'")
        assert server.ask("web.shop.svc.cluster.local").rcode() == 2
