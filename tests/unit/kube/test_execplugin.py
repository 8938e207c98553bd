"""Credentials that a program gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clusterdns.kube.access import AccessError, Material
from clusterdns.kube.execplugin import ExecCredentials, ExecPlugin, ExecVariable, run_program

V1, V1BETA1 = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"


class Program:
    """A program that says what it is told to say; the times are seconds after the epoch."""

    def __init__(self, **status: Any) -> None:
        self.status = status
        self.asked: list[tuple[list[str], Mapping[str, str]]] = []
        self.version = V1
        self.now = 0.0

    def credentials(self, **fields: Any) -> ExecCredentials:
        plugin = ExecPlugin(command="login", api_version=self.version, **fields)
        return ExecCredentials(plugin, "/dir", {"server": "https://x"}, {"PATH": "/bin"}, self.run, lambda: self.now)

    def run(self, command: list[str], environment: Mapping[str, str]) -> bytes:
        self.asked.append((command, environment))
        return json.dumps({"apiVersion": self.version, "kind": "ExecCredential", "status": self.status}).encode()


@pytest.mark.parametrize("version", [V1, V1BETA1])
def test_a_program_is_asked_once(version: str) -> None:
    program = Program(token="t")
    program.version = version
    credentials = program.credentials(args=("get-token", "--region=x"), env=(ExecVariable("PROFILE", "dns"),))
    assert [credentials.authorization(), credentials.authorization()] == ["Bearer t", "Bearer t"]
    [(command, environment)] = program.asked
    assert command == ["login", "get-token", "--region=x"]
    assert (environment["PATH"], environment["PROFILE"]) == ("/bin", "dns")
    assert json.loads(environment["KUBERNETES_EXEC_INFO"]) == {
        "apiVersion": version,
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }


def test_it_is_told_of_the_cluster_if_it_wants_to() -> None:
    program = Program(token="t")
    program.credentials(provide_cluster_info=True).authorization()
    assert json.loads(program.asked[0][1]["KUBERNETES_EXEC_INFO"])["spec"]["cluster"] == {"server": "https://x"}


def test_it_is_asked_again_shortly_before_what_it_gave_expires() -> None:
    program = Program(token="t", expirationTimestamp="1970-01-01T00:01:40Z")
    credentials = program.credentials()
    for now in (0.0, 80.0, 95.0):
        program.now = now
        credentials.authorization()
    assert len(program.asked) == 2


def test_it_is_asked_again_when_the_server_refused() -> None:
    program = Program(token="t")
    credentials = program.credentials()
    credentials.authorization()
    credentials.refused()
    credentials.authorization()
    assert len(program.asked) == 2


def test_it_may_give_a_certificate() -> None:
    program = Program(clientCertificateData="CERT", clientKeyData="KEY")
    credentials = program.credentials()
    assert credentials.certificate() == (Material(pem=b"CERT"), Material(pem=b"KEY"))
    assert credentials.authorization() == ""
    assert Program(token="t").credentials().certificate() is None


@pytest.mark.parametrize("printed", [b"", b"{}", b'{"apiVersion":"client.authentication.k8s.io/v1","status":{}}', b'{"apiVersion":"v2"}'])
def test_a_program_that_says_nothing_useful(printed: bytes) -> None:
    credentials = ExecCredentials(ExecPlugin("login", V1), "", {}, {}, lambda command, environment: printed)
    with pytest.raises(AccessError, match="exec login: what it printed"):
        credentials.authorization()


def test_a_program_that_wants_a_person() -> None:
    with pytest.raises(AccessError, match="interactiveMode: Always"):
        Program().credentials(interactive_mode="Always")


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    program = tmp_path / "login"
    program.write_text("#!/bin/sh\necho please log in >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(AccessError, match="exit code 3: please log in"):
        run_program([str(program)], {})


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(AccessError, match="exec /none: No such file or directory"):
        run_program(["/none"], {})
