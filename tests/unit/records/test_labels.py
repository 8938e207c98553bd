"""Metadata of a cluster: the parts of names, and the pods behind addresses."""

import pytest

from clusterdns.cluster import Pod
from clusterdns.plan.labels import NameGrammar
from clusterdns.records.labels import client_labels, client_values, name_grammar, pod_labels

NAMESPACE, NAME, APP = "kubernetes/client-namespace", "kubernetes/client-pod-name", "kubernetes/client-label/app"


def parts(name: str, grammar: NameGrammar) -> dict[str, str] | None:
    """What a grammar says of a relative name, read as the engine reads it; None: it has no shape."""
    labels = list(reversed(name.split("."))) if name else []
    for shape in grammar.shapes:
        rest = bool(shape) and shape[-1].rest
        if len(labels) < len(shape) or (len(labels) > len(shape) and not rest):
            continue
        if any(
            (part.words and label not in part.words) or (part.prefixed and not label.startswith(part.prefix))
            for part, label in zip(shape, labels, strict=False)
        ):
            continue
        texts = [label.removeprefix(part.prefix) for part, label in zip(shape, labels, strict=False)]
        if rest:
            texts[-1] = ".".join(reversed(labels[len(shape) - 1 :]))
        return {part.label.removeprefix("kubernetes/"): text for part, text in zip(shape, texts, strict=True) if part.label}
    return None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", {}),
        ("svc", {}),
        ("pod", {}),
        ("shop.svc", {"kind": "svc", "namespace": "shop"}),
        ("web.shop.svc", {"kind": "svc", "namespace": "shop", "service": "web"}),
        ("10-0-0-1.shop.pod", {"kind": "pod", "namespace": "shop", "service": "10-0-0-1"}),
        ("ep.web.shop.svc", {"kind": "svc", "namespace": "shop", "service": "web", "endpoint": "ep"}),
        ("_http._tcp.web.shop.svc", {"kind": "svc", "namespace": "shop", "service": "web", "protocol": "tcp", "port-name": "http"}),
        ("http.tcp.web.shop.svc", {"kind": "svc", "namespace": "shop", "service": "web", "protocol": "tcp", "port-name": "http"}),
        ("a.b.c.web.shop.svc", None),
        ("zone-a.pin._zone.web.shop.svc", None),
        ("dns", None),
    ],
)
def test_P1_a_name_has_the_parts_that_coredns_tells(name: str, expected: dict[str, str] | None) -> None:
    assert parts(name, name_grammar(["cluster.local."])) == expected


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("eu.west.pin._zone.web.shop.svc", "eu.west"),
        ("a.prefer._zone.web.shop.svc", "a"),
        ("a.near._zone.web.shop.svc", None),
        ("a.pin._zone.web.shop.pod", None),
    ],
)
def test_Z1_zonal_names_have_a_zone(name: str, zone: str | None) -> None:
    found = parts(name, name_grammar(["cluster.local."], zonal=True))
    assert (found or {}).get("zone") == zone


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ep.east.web.shop.svc", ("ep", "east", None)),
        ("_http._tcp.web.shop.svc", (None, None, "http")),
        ("http._tcp.web.shop.svc", (None, None, "http")),
        ("_http.tcp.web.shop.svc", (None, None, "http")),
    ],
)
def test_M2_names_of_several_clusters_have_a_cluster(name: str, expected: tuple[str | None, ...]) -> None:
    found = parts(name, name_grammar(["clusterset.local."], multicluster=True)) or {}
    assert (found.get("endpoint"), found.get("cluster"), found.get("port-name")) == expected


def test_only_labels_of_clients_are_wanted_from_pods() -> None:
    wanted = client_labels(["kubernetes/service", NAME, APP, "kubernetes/client-nonsense", "a/b", NAMESPACE])
    assert wanted == (APP, NAMESPACE, NAME)
    assert pod_labels(wanted) == {"app"}


def test_a_client_is_its_pod() -> None:
    pod = Pod("shop", "web-0", "10.0.0.1", labels=(("app", "web"), ("empty", "")))
    assert client_values([pod], (NAMESPACE, NAME, APP, "kubernetes/client-label/empty")) == ("shop", "web-0", "web", "")
    assert client_values([pod], ("kubernetes/client-label/none",)) == (None,)
    assert client_values([], (NAMESPACE,)) == ()


def test_pods_that_share_an_address_tell_what_they_agree_about() -> None:
    pods = [Pod("shop", "proxy-a", "10.0.0.1", labels=(("app", "proxy"),)), Pod("shop", "agent-b", "10.0.0.1")]
    assert client_values(pods, (NAMESPACE, NAME, APP)) == ("shop", None, None)
    assert client_values([*pods, Pod("kube-system", "dns", "10.0.0.1")], (NAMESPACE, NAME)) == (None, None)
