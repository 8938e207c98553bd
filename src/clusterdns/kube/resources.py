"""Which kinds of objects a cluster's names are made of, and how to ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from clusterdns.records.options import ClusterOptions

LIVING_PODS = "status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown"


@dataclass(frozen=True)
class Resource:
    """One kind: its name, where it is, and which of its objects are wanted."""

    kind: str
    plural: str
    group: str = ""
    labels: str = ""
    fields: str = ""

    @property
    def path(self) -> str:
        """Where its objects are, those of all namespaces."""
        return f"/apis/{self.group}/v1/{self.plural}" if self.group else f"/api/v1/{self.plural}"

    @property
    def selectors(self) -> str:
        """The parameters that leave out what is not wanted, on the server's side."""
        wanted = (("labelSelector", self.labels), ("fieldSelector", self.fields))
        return "".join(f"&{name}={quote(text, safe='')}" for name, text in wanted if text)

    @property
    def rule(self) -> str:
        """The rule that a ClusterRole needs so that the kind can be read."""
        return f'{{apiGroups: ["{self.group}"], resources: ["{self.plural}"], verbs: ["list", "watch"]}}'


def watched(options: ClusterOptions) -> tuple[Resource, ...]:
    """The kinds that these options need, and no more (N2, N3, D3)."""
    kinds = [Resource("Namespace", "namespaces", labels=options.namespace_labels), Resource("Service", "services", labels=options.labels)]
    if not options.noendpoints:
        kinds.append(Resource("EndpointSlice", "endpointslices", "discovery.k8s.io", labels=options.labels))
    if options.pods == "verified":
        kinds.append(Resource("Pod", "pods", labels=options.labels, fields=LIVING_PODS))
    return tuple(kinds)
