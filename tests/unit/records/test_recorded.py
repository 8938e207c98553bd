"""All of what CoreDNS was recorded to answer for a cluster, answered from owners by the reference: data, status and glue."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from clusterdns.cluster import EndpointSlice, Namespace, Pod, Service
from clusterdns.manifests import read_manifests
from clusterdns.records.apex import apex_owners
from clusterdns.records.namespaces import is_exposed, namespace_owners
from clusterdns.records.options import ClusterOptions
from clusterdns.records.pods import pod_owners
from clusterdns.records.services import service_owners
from clusterdns.zones import Owner
from tests.unit.records.reference import Reference

RECORDINGS = Path(__file__).parents[2] / "conformance"
OPTIONS = {
    "disabled": ClusterOptions(ttl=30, noendpoints=True),
    "insecure": ClusterOptions(ttl=30, pods="insecure"),
    "plain": ClusterOptions(namespaces=("shop", "data", "edge")),
    "verified": ClusterOptions(ttl=30, pods="verified", endpoint_pod_names=True, ignore_empty_service=True),
}
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "HTTPS": 65, "ANY": 255}


def owners_of(options: ClusterOptions) -> list[Owner]:
    """The owners of the recorded cluster, whose server listened on loopback only."""
    objects = read_manifests([str(RECORDINGS / "objects.json")], options=options).objects
    spaces = {view.name: view for view in objects.values() if isinstance(view, Namespace)}
    services = {(view.namespace, view.name): view for view in objects.values() if isinstance(view, Service)}
    slices: dict[tuple[str, str], list[EndpointSlice]] = {key: [] for key in services}
    for view in objects.values():
        if isinstance(view, EndpointSlice):
            slices.setdefault((view.namespace, view.service), []).append(view)
    owners = list(apex_owners(["127.0.0.1"], (), options))
    for space in spaces.values():
        owners += namespace_owners(space, options)
    for key, pieces in slices.items():
        if is_exposed(key[0], spaces.get(key[0]), options):
            owners += service_owners(services.get(key), pieces, options)
    for view in objects.values():
        if isinstance(view, Pod) and is_exposed(view.namespace, spaces.get(view.namespace), options):
            owners += pod_owners(view, options)
    return owners


@pytest.mark.parametrize("name", OPTIONS)
def test_owners_answer_as_recorded(name: str) -> None:
    reference = Reference(owners_of(OPTIONS[name]))
    types = {number: text for text, number in TYPES.items()}
    wrong = []
    with gzip.open(RECORDINGS / f"{name}.answers.jsonl.gz", "rt") as lines:
        recordings = [json.loads(line) for line in lines]
    for recorded in recordings:
        status, answer, glue = reference.answer(recorded["name"], TYPES[recorded["type"]])
        # The recorded chain had nothing behind `fallthrough`: a name that fell through was SERVFAIL (F3).
        expected = {"SERVFAIL": "NXDOMAIN"}.get(recorded["rcode"], recorded["rcode"])
        if expected == "NOERROR" and not recorded["answer"]:
            expected = "NODATA"
        said = [{(owner, ttl, types[rtype], data) for owner, ttl, rtype, data in section if data} for section in (answer, glue)]
        meant = [
            {(owner.lower(), ttl, rtype, data.lower().strip('"')) for owner, ttl, rtype, data in recorded[section] if rtype != "SOA"}
            for section in ("answer", "additional")
        ]
        if [status, *said] != [expected, *meant]:
            wrong.append((recorded["name"], recorded["type"], expected, meant, status, said))
    assert wrong == []
