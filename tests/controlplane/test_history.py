"""A random history of changes: after each pause the answers are those computed from a fresh list."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from clusterdns.records.options import ClusterOptions
from tests.controlplane.eventually import eventually, synced
from tests.controlplane.fresh import differences, reference
from tests.controlplane.objects import Object, endpoint_slice, namespace, service
from tests.controlplane.plane import ControlPlane
from tests.servers import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SPACES = ("red", "green", "blue")
NAMES = tuple(f"s{number}" for number in range(8))
ROUNDS, CHANGES = 20, 100


class History:
    """Random changes to a small cluster, where the same names come and go again and again."""

    def __init__(self, plane: ControlPlane, seed: int) -> None:
        self._plane = plane
        self._random = random.Random(seed)
        self._there: dict[tuple[str, str, str], Object] = {}

    def step(self) -> None:
        """One change."""
        space, name = self._random.choice(SPACES), self._random.choice(NAMES)
        chance = self._random.random()
        if chance < 0.02 and ("Namespace", "", space) in self._there:
            self._empty(space)
        elif ("Namespace", "", space) not in self._there:
            self._put(namespace(space))
        elif chance < 0.35:
            self._change(self._service(space, name))
        else:
            self._change(self._slice(space, name))

    def _service(self, space: str, name: str) -> Object:
        kind = self._random.choice(("cluster", "headless", "alias"))
        if kind == "alias":
            target = f"{self._random.choice(NAMES)}.{self._random.choice(SPACES)}.svc.cluster.local"
            return service(space, name, type="ExternalName", externalName=target)
        return service(space, name, "None" if kind == "headless" else "")

    def _slice(self, space: str, name: str) -> Object:
        addresses = [f"10.{self._random.randrange(3)}.0.{number}{self._random.choice(('', '', '!'))}" for number in range(1, 6)]
        count = self._random.randrange(6)
        owner = name if self._random.random() < 0.95 else None
        return endpoint_slice(space, f"{name}-{self._random.randrange(2)}", owner, addresses[:count], self._random.random() < 0.5)

    def _change(self, thing: Object) -> None:
        """Makes it, or deletes what is there, or changes that; what cannot be changed into another kind is made anew."""
        key = self._key(thing)
        there = self._there.get(key)
        if there is not None and (self._random.random() < 0.3 or there["kind"] == "Service"):
            self._plane.delete(there)
            del self._there[key]
        else:
            self._put(thing)

    def _put(self, thing: Object) -> None:
        self._plane.put(thing)
        self._there[self._key(thing)] = thing

    def _empty(self, space: str) -> None:
        """A namespace goes with all that is in it."""
        for key in [key for key in self._there if key[1] == space]:
            self._plane.delete(self._there.pop(key))
        self._plane.delete(self._there.pop(("Namespace", "", space)))

    def _key(self, thing: Object) -> tuple[str, str, str]:
        return thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def questions() -> Iterator[tuple[str, str]]:
    """All names that there can be."""
    for space in SPACES:
        yield f"{space}.svc.cluster.local.", "TXT"
        for name in NAMES:
            below = f"{name}.{space}.svc.cluster.local."
            yield from ((below, "A"), (below, "SRV"), (f"_http._tcp.{below}", "SRV"), (f"h1.{below}", "A"), (f"10-1-0-2.{below}", "A"))
    for third in range(3):
        yield from ((ip_address(f"10.{third}.0.{last}").reverse_pointer + ".", "PTR") for last in range(1, 6))


@pytest.mark.parametrize("seed", [1, 2])
def test_answers_equal_those_of_a_fresh_list(seed: int, plane: ControlPlane, tmp_path: Path) -> None:
    options = ClusterOptions(ttl=30)
    corefile = f"""
        .:PORT {{
            bind 127.0.0.1
            kubernetes cluster.local in-addr.arpa {{
                kubeconfig {plane.kubeconfig("dns")}
                ttl 30
            }}
        }}"""
    history = History(plane, seed)
    with serving(tmp_path, corefile) as server:
        synced(server)
        for number in range(ROUNDS):
            for _ in range(CHANGES):
                history.step()
            marker = service("default", f"marker-{number}")
            plane.put(marker)
            plane.put(endpoint_slice("default", f"marker-{number}-1", f"marker-{number}", ["10.9.9.9"]))
            eventually(lambda number=number: bool(server.ask(f"marker-{number}.default.svc.cluster.local").answer))  # type: ignore[misc]
            eventually(lambda number=number: bool(server.ask(f"10-9-9-9.marker-{number}.default.svc.cluster.local").answer))  # type: ignore[misc]
            expected = reference(plane, options)
            eventually(lambda expected=expected: not differences(server, expected, questions()), f"seed {seed}, round {number}", 2.0)  # type: ignore[misc]
