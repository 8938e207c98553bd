"""The recorded questions, asked of a server that follows a real API server with the rights of CoreDNS's ClusterRole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conformance.answers import answer_of, comparable
from tests.conformance.test_conformance import CONFIGURATIONS, HERE, recorded
from tests.controlplane.eventually import synced
from tests.controlplane.plane import NOBODY, ControlPlane
from tests.servers import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_answers_are_those_of_coredns(configuration: str, recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    kubeconfig = recorded_cluster.kubeconfig(configuration)
    corefile = re.sub(r"kubeconfig \S+", f"kubeconfig {kubeconfig}", (HERE / f"{configuration}.Corefile").read_text())
    wrong = []
    with serving(tmp_path, corefile.replace(":1053", ":PORT")) as server:
        synced(server)
        for expected in recorded(configuration):
            name, rtype = expected.pop("name"), expected.pop("type")
            answer = answer_of("127.0.0.1", server.port, name, rtype)
            if comparable(answer) != comparable(expected):
                wrong.append(f"{name} {rtype}\n  expected {expected}\n  got      {answer}")
    assert not wrong, f"{len(wrong)} answers differ:\n" + "\n".join(wrong[:5])


def corefile(kubeconfig: Path) -> str:
    """A Corefile for a user."""
    return f".:PORT {{\n bind 127.0.0.1\n kubernetes cluster.local {{\n kubeconfig {kubeconfig}\n }}\n}}\n"


def test_a_client_certificate_is_enough(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    with serving(tmp_path, corefile(recorded_cluster.by_certificate())) as server:
        synced(server)
        assert server.ask("web.shop.svc.cluster.local").answer


def test_who_has_no_rights_is_told_which_rules_are_missing(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    with serving(tmp_path, corefile(recorded_cluster.kubeconfig("nobody", NOBODY))) as server:
        for plural in ("services", "endpointslices", "namespaces"):
            server.wait_for(f'resources: ["{plural}"], verbs: ["list", "watch"]}}')
        assert server.ask("web.shop.svc.cluster.local").rcode() == 2


def test_B1_who_is_not_known_serves_unsynced(recorded_cluster: ControlPlane, tmp_path: Path) -> None:
    with serving(tmp_path, corefile(recorded_cluster.kubeconfig("unknown", "wrong"))) as server:
        server.wait_for("does not accept our credentials: Unauthorized")
        server.wait_for("waiting for Kubernetes API before starting server")
        assert server.ask("web.shop.svc.cluster.local").rcode() == 2
        server.wait_for("starting server with unsynced Kubernetes API")
