"""Objects of manifests in a real API server: the recorded cluster, with what was leaving it on its way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.controlplane.plane import ControlPlane

RECORDED = Path(__file__).parents[1] / "conformance" / "objects.json"
SERVERS_OWN = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "deletionTimestamp",
    "ownerReferences",
    "selfLink",
)
ORDER = ("Namespace", "Service", "EndpointSlice", "Pod")

Object = dict[str, Any]


def load_recorded(plane: ControlPlane) -> None:
    """Puts the recorded cluster into this one."""
    things = [thing for thing in json.loads(RECORDED.read_text())["items"] if thing["kind"] in ORDER]
    leaving = []
    for thing in sorted(things, key=lambda thing: ORDER.index(thing["kind"])):
        if _is_the_api_servers(thing):
            continue
        if thing["metadata"].get("deletionTimestamp"):
            leaving.append(thing)
        plane.put(_bare(thing))
    for thing in reversed(leaving):
        path = f"{plane._path(thing)}/{thing['metadata']['name']}"
        plane.request("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 30}, expected=(200, 202))


def _is_the_api_servers(thing: Object) -> bool:
    """Whether it makes the object itself."""
    name = thing["metadata"]["name"]
    return (thing["kind"], name) in (("Service", "kubernetes"), ("EndpointSlice", "kubernetes")) or (
        thing["kind"] == "Namespace" and (name == "default" or name.startswith("kube-"))
    )


def _bare(thing: Object) -> Object:
    """An object as somebody would write it, so that it can be made again."""
    bare = {**thing, "metadata": {name: value for name, value in thing["metadata"].items() if name not in SERVERS_OWN}}
    if thing["kind"] == "Namespace":
        bare.pop("status", None)
    return bare
