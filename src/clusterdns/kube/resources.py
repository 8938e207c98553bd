"""Which kinds of objects a cluster's names are made of, and how to ask for them."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from clusterdns.cluster import IMPORT_NAME
from clusterdns.records.options import ClusterOptions

MCS = "multicluster.x-k8s.io"
LIVING_PODS = "status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown"


class Resource(msgspec.Struct, frozen=True):
    """One kind: its name, where it is, and which of its objects are wanted. `optional`: clusters may lack it, and then have none of it."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    labels: str = ""
    fields: str = ""
    optional: bool = False

    @property
    def path(self) -> str:
        """Where its objects are, those of all namespaces."""
        return f"/apis/{self.group}/{self.version}/{self.plural}" if self.group else f"/api/{self.version}/{self.plural}"

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
    """The kinds that these options need, and no more (N2, N3, D3). ServiceImports are selected like namespaces (N4)."""
    kinds = [Resource("Namespace", "namespaces", labels=options.namespace_labels)]
    slices = Resource("EndpointSlice", "endpointslices", "discovery.k8s.io", labels=options.labels)
    if options.multicluster:
        kinds.append(Resource("ServiceImport", "serviceimports", MCS, "v1alpha1", labels=options.namespace_labels, optional=True))
        kinds.append(replace(slices, labels=",".join(filter(None, (options.labels, IMPORT_NAME)))))
    else:
        kinds.append(Resource("Service", "services", labels=options.labels))
        kinds += [] if options.noendpoints else [slices]
    if options.pods == "verified":
        kinds.append(Resource("Pod", "pods", labels=options.labels, fields=LIVING_PODS))
    return tuple(kinds)
