"""Pods: those that manifests give, and those that their Deployments and StatefulSets would have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from clusterdns.cluster import Pod as PodView
from clusterdns.cluster import Ref, pod_view
from clusterdns.corefile.problems import Place, Problem, Severity
from clusterdns.digests import sha256
from clusterdns.manifests.addresses import PODS, Pool
from clusterdns.manifests.objects import Given, Pod, PodSpec, Workload

MOST_REPLICAS = 10_000


@dataclass(frozen=True)
class RunningPod:
    """A pod as the EndpointSlice controller sees it. `finished` ones give no endpoint, whatever their addresses are."""

    view: PodView
    place: Place
    labels: dict[str, str]
    spec: PodSpec
    addresses: tuple[str, ...]
    ready: bool
    finished: bool = False

    @property
    def ref(self) -> Ref:
        """Which object this is."""
        return self.view.ref


def running_pods(objects: Sequence[Given]) -> Iterator[RunningPod | Problem]:
    """All pods. A pod with a status is as that says; one without is ready and gets addresses, one of each family."""
    known: list[RunningPod] = []
    bare: list[_Wanted] = []
    for given in objects:
        if isinstance(given.object, Pod):
            if running := _with_status(given, given.object):
                known.append(running)
            else:
                bare.append(_Wanted(given.ref, given.place, given.labels, given.object.spec))
    labels_given = [(given.ref.namespace, given.labels) for given in objects if isinstance(given.object, Pod)]
    for given in objects:
        if isinstance(given.object, Workload) and not _has_pods(given.object, labels_given):
            replicas = 1 if given.object.spec.replicas is None else given.object.spec.replicas
            if replicas > MOST_REPLICAS:
                message = f"{given.ref}: {replicas} replicas are more than are made up here ({MOST_REPLICAS})"
                yield Problem(Severity.WARNING, "too-many-replicas", given.place, message, "write fewer, or give the pods themselves")
                continue
            bare += (
                _stateful(given, given.object, replicas) if given.ref.kind == "StatefulSet" else _deployed(given, given.object, replicas)
            )
    yield from known
    taken = [address for pod in known for address in pod.addresses]
    pools = [Pool(network, taken) for network in PODS.values()]
    for pod in sorted(bare, key=lambda pod: pod.ref):
        addresses = tuple(address for pool in pools if (address := pool.address(f"{pod.ref.namespace}/{pod.ref.name}")))
        view = PodView(pod.ref.namespace, pod.ref.name, addresses[0] if addresses else "")
        if not addresses:
            yield Problem(Severity.WARNING, "no-address-left", pod.place, f"{pod.ref}: all addresses for pods are taken")
        yield RunningPod(view, pod.place, pod.labels, pod.spec, addresses, ready=True)


@dataclass(frozen=True)
class _Wanted:
    """A pod without addresses."""

    ref: Ref
    place: Place
    labels: dict[str, str]
    spec: PodSpec


def _with_status(given: Given, pod: Pod) -> RunningPod | None:
    """A pod whose status says something."""
    status = pod.status
    if status is None or not (status.phase or status.pod_ip or status.pod_ips or status.conditions):
        return None
    addresses = [address.ip for address in status.pod_ips or () if address.ip] or [status.pod_ip or ""]
    ready = any(condition.type == "Ready" and condition.status == "True" for condition in status.conditions or ())
    return RunningPod(
        view=pod_view(pod),
        place=given.place,
        labels=given.labels,
        spec=pod.spec,
        addresses=tuple(address for address in addresses if address),
        ready=ready and not pod.metadata.deletion_timestamp,
        finished=status.phase in ("Succeeded", "Failed"),
    )


def _has_pods(workload: Workload, labels_given: Iterable[tuple[str, dict[str, str]]]) -> bool:
    """Whether some of the given pods are its own: then they are all that it has."""
    template = workload.spec.template.metadata
    selector = (workload.spec.selector and workload.spec.selector.match_labels) or (template and template.labels) or {}
    return bool(selector) and any(
        namespace == workload.metadata.namespace and selector.items() <= labels.items() for namespace, labels in labels_given
    )


def _stateful(given: Given, workload: Workload, replicas: int) -> Iterator[_Wanted]:
    """The pods of a StatefulSet: numbered, each with its own hostname below the Service that governs them."""
    first = workload.spec.ordinals.start if workload.spec.ordinals else 0
    for ordinal in range(first, first + replicas):
        name = f"{given.ref.name}-{ordinal}"
        own = {"statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(ordinal)}
        containers = workload.spec.template.spec.containers if workload.spec.template.spec else None
        spec = PodSpec(hostname=name, subdomain=workload.spec.service_name, containers=containers)
        yield _Wanted(Ref("Pod", given.ref.namespace, name), given.place, _template_labels(workload) | own, spec)


def _deployed(given: Given, workload: Workload, replicas: int) -> Iterator[_Wanted]:
    """The pods of a Deployment: their names end in letters and digits that only look random."""
    revision = _letters(str(given.ref), 10)
    for number in range(replicas):
        name = f"{given.ref.name}-{revision}-{_letters(f'{given.ref}/{number}', 5)}"
        labels = _template_labels(workload) | {"pod-template-hash": revision}
        yield _Wanted(Ref("Pod", given.ref.namespace, name), given.place, labels, workload.spec.template.spec or PodSpec())


def _template_labels(workload: Workload) -> dict[str, str]:
    """The labels that a workload gives its pods."""
    template = workload.spec.template.metadata
    return (template.labels if template else None) or {}


def _letters(text: str, count: int) -> str:
    """Letters and digits of Kubernetes' names, none that could make up a word."""
    alphabet = "bcdfghjklmnpqrstvwxz2456789"
    return "".join(alphabet[octet % len(alphabet)] for octet in sha256(text.encode()).digest()[:count])
