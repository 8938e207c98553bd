"""Three sources of a cluster's objects that a test can write to in the same way: manifests, a scripted API server, a real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

from tests.controlplane.objects import Object
from tests.controlplane.plane import ControlPlane
from tests.faults.apiserver import ApiServer


class Source(Protocol):
    """Where objects come from."""

    def option(self) -> str:
        """The option of `kubernetes` that names it."""

    def put(self, thing: Object) -> None:
        """Makes an object, or changes it."""

    def delete(self, thing: Object) -> None:
        """Deletes an object."""


class Manifests:
    """A file for each object."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def option(self) -> str:
        """The folder."""
        return f"manifests {self._directory}"

    def put(self, thing: Object) -> None:
        """Writes the file, whole or not at all."""
        written = self._directory / "next"
        written.write_text(json.dumps(thing))
        written.rename(self._path(thing))

    def delete(self, thing: Object) -> None:
        """Removes the file."""
        self._path(thing).unlink()

    def _path(self, thing: Object) -> Path:
        metadata = thing["metadata"]
        return self._directory / f"{thing['kind']}.{metadata.get('namespace', '')}.{metadata['name']}.json"


class Scripted:
    """The API server that is made for tests."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def option(self) -> str:
        """Its endpoint."""
        return f"endpoint {self._server.url}"

    def put(self, thing: Object) -> None:
        """The object, there."""
        self._server.put(f"{thing['kind'].lower()}s", thing)

    def delete(self, thing: Object) -> None:
        """And gone."""
        metadata = thing["metadata"]
        self._server.delete(f"{thing['kind'].lower()}s", metadata.get("namespace", ""), metadata["name"])


class Real:
    """A real API server, with the rights that CoreDNS has."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self.put = plane.put
        self.delete = plane.delete

    def option(self) -> str:
        """The kubeconfig."""
        return f"kubeconfig {self._plane.kubeconfig('battery')}"
