"""A cluster of manifests, compiled, filled and asked over real sockets, in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import msgspec
from msgspec.structs import replace

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.control.manifestfeed import ManifestFeed
from clusterdns.control.origins import Origins
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.engine import Engine
from clusterdns.manifests import files_of_texts
from clusterdns.records.options import ClusterOptions
from clusterdns.sources import sources_of_texts

PATIENCE = 5.0
SERIAL = 1_700_000_000
ZONES = "cluster.local in-addr.arpa ip6.arpa"
NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Reply:
    """An answer, its sections as sorted lines `owner ttl type data`."""

    message: dns.message.Message

    @property
    def rcode(self) -> str:
        """The response code, but NODATA for NOERROR without an answer."""
        code = dns.rcode.to_text(self.message.rcode())
        return "NODATA" if code == "NOERROR" and not self.message.answer else code

    @property
    def flags(self) -> set[str]:
        """The flags that are set: qr aa tc rd ra ad cd."""
        return set(dns.flags.to_text(self.message.flags).lower().split())

    @property
    def answer(self) -> list[str]:
        """The answer section."""
        return lines(self.message.answer)

    @property
    def authority(self) -> list[str]:
        """The authority section."""
        return lines(self.message.authority)

    @property
    def additional(self) -> list[str]:
        """The additional section without OPT."""
        return lines(self.message.additional)

    @property
    def data(self) -> list[str]:
        """The data of the answer's records."""
        return sorted(line.split(" ", 3)[3] for line in self.answer)


def lines(section: Sequence[dns.rrset.RRset]) -> list[str]:
    """The records of a section, each in one line, sorted."""
    return sorted(f"{rrset.name} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {rdata}" for rrset in section for rdata in rrset)


@dataclass(frozen=True)
class Cluster:
    """What answers on this port of 127.0.0.1."""

    port: int

    def ask(self, name: str, rtype: str = "A", *, tcp: bool = False, edns: int = 4096, rd: bool = True) -> Reply:
        """The answer to one question; a name without a trailing dot is below cluster.local. `edns` 0: none is offered."""
        full = name if name.endswith(".") else f"{name}.cluster.local."
        query = dns.message.make_query(full, rtype, use_edns=0, payload=edns) if edns else dns.message.make_query(full, rtype)
        if not rd:
            query.flags &= ~dns.flags.RD
        send = dns.query.tcp if tcp else dns.query.udp
        return Reply(send(query, "127.0.0.1", port=self.port, timeout=PATIENCE))


class Clusters:
    """One engine for many clusters, one after the other: each is a new plan on the same socket."""

    def __init__(self) -> None:
        self._engine = Engine(workers=1)
        self._serials = count(SERIAL)

    def serve(
        self,
        manifests: str,
        options: str = "",
        zones: str = ZONES,
        *,
        own: Sequence[str] = ("127.0.0.1",),
        complete: bool = True,
        key: str = ".:0",
        before: str = "",
        behind: str = "",
    ) -> Cluster:
        """Serves these manifests. `options` are lines of the `kubernetes` block; `before` and `behind` further directives."""
        indented = options.replace("\n", "\n    ")
        block = f"kubernetes {zones} {{\n    manifests cluster.yaml\n    {indented}\n}}"
        return self.serve_corefile(
            f"{key} {{\nbind 127.0.0.1\n{before}\n{block}\n{behind}\n}}", {"cluster.yaml": manifests}, own=own, complete=complete
        )

    def serve_corefile(self, corefile: str, files: dict[str, str], *, own: Sequence[str] = (), complete: bool = True) -> Cluster:
        """Serves a Corefile whose manifests are among these files. A zone that is not `complete` has no past either."""
        if not complete:
            self.serve_corefile(".:0 {\nbind 127.0.0.1\nwhoami\n}", {})
        compilation = compile_corefile(corefile)
        assert compilation.plan is not None, compilation.problems
        prepared = self._engine.prepare(compilation.plan)
        for feed in compilation.feeds:
            assert isinstance(feed.options, ClusterOptions)
            fed = ManifestFeed(feed.zone, feed.options, own, Origins(), files_of_texts(files)).poll(next(self._serials))
            assert fed.change is not None
            self._engine.apply(feed.zone, replace(fed.change, complete=complete))
        prepared.commit()
        port = int(self._engine.bound()[0][1].rpartition(":")[2])
        return Cluster(port)

    def stop(self) -> None:
        """Ends the engine."""
        self._engine.stop(0)


def compile_corefile(corefile: str) -> Compilation:
    """A Corefile's plan, or its problems."""
    sources = replace(sources_of_texts({"Corefile": corefile}), interfaces={"lo": ("127.0.0.1",)})
    return compile_plan(parse_corefile("Corefile", sources), sources, default_port=0)


def service(name: str, namespace: str = "testns", **spec: object) -> str:
    """A Service as a document of YAML in flow style; `spec` in the API's words."""
    value = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    return f"---\n{msgspec.json.encode(value).decode()}\n"


def service_import(name: str, namespace: str = "testns", labels: Mapping[str, str] = NO_LABELS, **spec: object) -> str:
    """A ServiceImport; `spec` in the API's words."""
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    value = {"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport", "metadata": metadata, "spec": spec}
    return f"---\n{msgspec.json.encode(value).decode()}\n"


def imported_slice(service: str, cluster: str, *endpoints: dict[str, object], ports: object = (), kind: str = "IPv4") -> str:
    """An EndpointSlice that another cluster has exported; from nowhere if `cluster` is empty."""
    labels = {"multicluster.kubernetes.io/service-name": service} | (
        {"multicluster.kubernetes.io/source-cluster": cluster} if cluster else {}
    )
    return endpoint_slice(service, *endpoints, name=f"{service}-{cluster}-{kind.lower()}", ports=ports, kind=kind, labels=labels)


def endpoint_slice(
    service: str,
    *endpoints: dict[str, object],
    namespace: str = "testns",
    name: str = "",
    ports: object = (),
    kind: str = "IPv4",
    labels: Mapping[str, str] = NO_LABELS,
) -> str:
    """An EndpointSlice of a Service, unless its labels say something else."""
    owner = labels or {"kubernetes.io/service-name": service}
    metadata = {"name": name or f"{service}-{kind.lower()}", "namespace": namespace, "labels": owner}
    head = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": kind}
    return f"---\n{msgspec.json.encode(head | {'endpoints': endpoints, 'ports': ports}).decode()}\n"


def endpoint(address: str, **more: object) -> dict[str, object]:
    """One endpoint of a slice."""
    return {"addresses": [address], **more}


def port(name: str, number: int | None, protocol: str = "TCP") -> dict[str, object]:
    """One port of a Service or a slice."""
    return {"name": name, "port": number, "protocol": protocol} if number is not None else {"name": name, "protocol": protocol}
