"""Credentials from a program, as kubeconfigs name them (client.authentication.k8s.io): `aws eks get-token` and its like."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any

import msgspec

from clusterdns.cluster import Api
from clusterdns.kube.access import AccessError, Material, reason

VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
PATIENCE = 30.0
# A token that ends while a request is on its way is as good as none.
MARGIN = 10.0


class ExecVariable(Api, frozen=True):
    """One of `env`."""

    name: str
    value: str = ""


class ExecPlugin(Api, frozen=True):
    """`exec` of a user."""

    command: str
    api_version: str = ""
    args: tuple[str, ...] | None = None
    env: tuple[ExecVariable, ...] | None = None
    interactive_mode: str = "IfAvailable"
    provide_cluster_info: bool = False


class ExecStatus(Api, frozen=True):
    """`status` of an ExecCredential."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: str | None = None


class ExecCredential(Api, frozen=True):
    """What a plugin prints."""

    api_version: str = ""
    status: ExecStatus | None = None


Run = Callable[[list[str], Mapping[str, str]], bytes]


def run_program(command: list[str], environment: Mapping[str, str]) -> bytes:
    """Runs a program and gives what it printed. Raises `AccessError`."""
    import subprocess  # most kubeconfigs name no program

    try:
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=True).stdout
    except subprocess.TimeoutExpired as why:
        raise AccessError(f"exec {command[0]}: no answer within {PATIENCE:.0f} s") from why
    except subprocess.CalledProcessError as why:
        said = why.stderr.decode(errors="replace").strip().splitlines()
        raise AccessError(f"exec {command[0]}: exit code {why.returncode}{f': {said[-1]}' if said else ''}") from why
    except OSError as why:
        raise AccessError(f"exec {command[0]}: {reason(why)}") from why


class ExecCredentials:
    """Asks the program when there is nothing, when it has expired, and when the API server did not take it."""

    def __init__(
        self,
        plugin: ExecPlugin,
        directory: str,
        cluster: Mapping[str, Any],
        environment: Mapping[str, str],
        run: Run = run_program,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if plugin.api_version not in VERSIONS:
            raise AccessError(f"exec {plugin.command}: apiVersion {plugin.api_version or '(none)'} is not one of {', '.join(VERSIONS)}")
        if plugin.interactive_mode == "Always":
            raise AccessError(f"exec {plugin.command}: it wants to ask a person (interactiveMode: Always), and there is none here")
        self._plugin = plugin
        # As for kubectl: a path with a slash is relative to the kubeconfig, a bare name is looked up in PATH.
        self._command = os.path.join(directory, plugin.command) if "/" in plugin.command else plugin.command
        self._cluster = cluster
        self._environment = environment
        self._run = run
        self._clock = clock
        self._status: ExecStatus | None = None
        self._ends = 0.0
        self._lock = Lock()

    def authorization(self) -> str:
        """The token. Raises `AccessError`."""
        token = self._current().token
        return f"Bearer {token}" if token else ""

    def certificate(self) -> tuple[Material, Material] | None:
        """The certificate, if the program gives one. Raises `AccessError`."""
        status = self._current()
        if not status.client_certificate_data:
            return None
        return Material(pem=status.client_certificate_data.encode()), Material(pem=status.client_key_data.encode())

    def refused(self) -> None:
        """Ask the program next time."""
        with self._lock:
            self._status = None

    def _current(self) -> ExecStatus:
        # Several watches ask at once; one answer is enough for all.
        with self._lock:
            if self._status is None or (self._ends and self._clock() >= self._ends - MARGIN):
                self._status = self._ask()
                self._ends = _seconds(self._status.expiration_timestamp)
            return self._status

    def _ask(self) -> ExecStatus:
        plugin = self._plugin
        spec: dict[str, Any] = {"interactive": False}
        if plugin.provide_cluster_info:
            spec["cluster"] = self._cluster
        info = json.dumps({"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec})
        given = {variable.name: variable.value for variable in plugin.env or ()}
        try:
            printed = self._run([self._command, *(plugin.args or ())], {**self._environment, **given, "KUBERNETES_EXEC_INFO": info})
            credential = msgspec.json.decode(printed, type=ExecCredential)
        except msgspec.MsgspecError as why:
            raise AccessError(f"exec {plugin.command}: what it printed is no ExecCredential: {why}") from why
        status = credential.status
        if credential.api_version != plugin.api_version or status is None or not (status.token or status.client_certificate_data):
            raise AccessError(f"exec {plugin.command}: what it printed has no token or certificate in {plugin.api_version}")
        return status


def _seconds(timestamp: str | None) -> float:
    """An RFC 3339 time as seconds of the Unix clock; 0 for none, or what is no time."""
    try:
        return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp() if timestamp else 0.0
    except ValueError:
        return 0.0
