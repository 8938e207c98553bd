"""Metadata that a cluster has to tell of a query: the parts of the name that is asked for, and the pod behind the client's address.

The labels are those of CoreDNS. Knows views of pods and the plan's grammars. Must not know who reads a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from clusterdns.cluster import Pod
from clusterdns.plan.labels import NameGrammar, NamePart

NAMESPACE = "kubernetes/client-namespace"
POD_NAME = "kubernetes/client-pod-name"
POD_LABEL = "kubernetes/client-label/"

_KIND = NamePart("kubernetes/kind", ["svc", "pod"])
_BELOW = (NamePart("kubernetes/namespace"), NamePart("kubernetes/service"))
_ENDPOINT = NamePart("kubernetes/endpoint")
_PORT = (NamePart("kubernetes/protocol", prefix="_"), NamePart("kubernetes/port-name", prefix="_"))
_PORT_WITH = (
    (replace(_PORT[0], prefixed=True), _PORT[1]),
    (_PORT[0], replace(_PORT[1], prefixed=True)),
)
_CLUSTER = NamePart("kubernetes/cluster")
_ZONE = (NamePart(words=["_zone"]), NamePart(words=["pin", "prefer"]), NamePart("kubernetes/zone", rest=True))


def name_grammar(origins: Sequence[str], *, zonal: bool = False, multicluster: bool = False) -> NameGrammar:
    """The parts of a cluster's names (P1, Z1, M2). The kind alone, `svc.cluster.local`, has no parts, as in CoreDNS."""
    shapes = [[], [NamePart(words=_KIND.words)], [_KIND, _BELOW[0]], [_KIND, *_BELOW], [_KIND, *_BELOW, _ENDPOINT]]
    if multicluster:
        shapes += [*([_KIND, *_BELOW, *port] for port in _PORT_WITH), [_KIND, *_BELOW, _CLUSTER, _ENDPOINT]]
    else:
        shapes.append([_KIND, *_BELOW, *_PORT])
    if zonal:
        shapes.append([replace(_KIND, words=["svc"]), *_BELOW, *_ZONE])
    return NameGrammar(list(origins), shapes, error="kubernetes/parse-error", message="invalid query name")


def client_labels(mentioned: Iterable[str]) -> tuple[str, ...]:
    """Those of some labels that tell of the pod behind the client's address."""
    return tuple(sorted(label for label in mentioned if label in (NAMESPACE, POD_NAME) or label.startswith(POD_LABEL)))


def pod_labels(wanted: Iterable[str]) -> frozenset[str]:
    """The labels of pods that these labels tell."""
    return frozenset(label.removeprefix(POD_LABEL) for label in wanted if label.startswith(POD_LABEL))


def client_values(pods: Sequence[Pod], wanted: Sequence[str]) -> tuple[str | None, ...]:
    """What is known of a client whose address these pods have; None: nothing.

    Pods on the network of their node share its address. Who of them asks cannot be told, so only what they agree about is known.
    """
    values = [tuple(_value(pod, label) for label in wanted) for pod in pods]
    return tuple(of[0] if len(set(of)) == 1 else None for of in zip(*values, strict=True))


def _value(pod: Pod, label: str) -> str | None:
    """What a label says of one pod."""
    if label == NAMESPACE:
        return pod.namespace
    if label == POD_NAME:
        return pod.name
    return dict(pod.labels).get(label.removeprefix(POD_LABEL))
