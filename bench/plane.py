"""A real API server that holds a cluster: etcd and kube-apiserver of the tests, on the cores that the measured server does not have."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from threading import local

from bench.cluster import Object, Size, objects
from bench.processes import CORES, SERVER_CORE
from tests.controlplane.plane import ADMIN, ControlPlane, running
from tools.console import Failed

WRITERS = 4
OF_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences")
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Service": "/api/v1/namespaces/{}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
}


@contextmanager
def api_server(folder: Path) -> Iterator[ControlPlane]:
    """An empty API server, ready to be filled. Raises `Unavailable`, which says what is missing here."""
    os.sched_setaffinity(0, set(CORES) - {SERVER_CORE} or set(CORES))
    try:
        folder.mkdir()
        with running(folder) as plane:
            yield plane
    finally:
        os.sched_setaffinity(0, CORES)


class Writer:
    """Makes and changes objects over connections that stay open, one for each thread that writes."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._own = local()
        self._connections: list[HTTPSConnection] = []
        self._made: set[tuple[str, str]] = set()

    def fill(self, size: Size) -> None:
        """Makes what is not there yet of a cluster of this size; kind by kind, as the later ones need the earlier."""
        by_kind: dict[str, list[Object]] = {kind: [] for kind in PATHS}
        for thing in objects(size):
            identity = (path_of(thing), thing["metadata"]["name"])
            if identity not in self._made:
                self._made.add(identity)
                by_kind[thing["kind"]].append(thing)
        with ThreadPoolExecutor(WRITERS) as pool:
            for things in by_kind.values():
                list(pool.map(self._make, things))

    def _make(self, thing: Object) -> None:
        metadata = {name: value for name, value in thing["metadata"].items() if name not in OF_THE_SERVER}
        self._send("POST", path_of(thing), {**thing, "metadata": metadata}, 201)

    def change(self, thing: Object, change: Object) -> None:
        """Changes some fields of an object; returns when the API server has it."""
        self._send("PATCH", f"{path_of(thing)}/{thing['metadata']['name']}", change, 200)

    def forget(self) -> None:
        """Lets go of this thread's connection, as after a restart of the API server."""
        self._own.connection = None

    def close(self) -> None:
        """Lets go of all connections."""
        for connection in self._connections:
            connection.close()

    def _send(self, method: str, path: str, body: Object, expected: int) -> None:
        connection: HTTPSConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            context = ssl.create_default_context(cafile=str(self._plane.directory / "ca.crt"))
            connection = self._own.connection = HTTPSConnection("127.0.0.1", self._plane.port, context=context, timeout=60)
            self._connections.append(connection)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        connection.request(method, path, json.dumps(body), {"Authorization": f"Bearer {ADMIN}", "Content-Type": kind})
        response = connection.getresponse()
        said = response.read()
        if response.status != expected:
            raise Failed(f"{method} {path}: {response.status} {said[:300]!r}")


def path_of(thing: Object) -> str:
    """Where objects of this kind and namespace are."""
    return PATHS[thing["kind"]].format(thing["metadata"].get("namespace", ""))
