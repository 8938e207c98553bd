"""One namespace, as owners: the names that only exist."""

from __future__ import annotations

from clusterdns.cluster import Namespace
from clusterdns.records.oddities import Oddity, Report, is_label, unreported
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import Exists, Owner, Primitive, Synthesis

TXT = 16


def is_exposed(name: str, namespace: Namespace | None, options: ClusterOptions) -> bool:
    """Whether names below a namespace exist: it does itself (`namespace` is not None), and is listed if any is (N1)."""
    return namespace is not None and (not options.namespaces or name in options.namespaces)


def namespace_owners(namespace: Namespace, options: ClusterOptions, origin: int = 0, report: Report = unreported) -> tuple[Owner, ...]:
    """The names between the zone and the Services and pods of an exposed namespace (P4). For TXT they do not exist (T1)."""
    name = namespace.name
    if not is_exposed(name, namespace, options):
        return ()
    if not is_label(name):
        report(Oddity(namespace.ref, "metadata.name", f"{name!r} cannot be a label of a DNS name"))
        return ()
    below: dict[str, Primitive] = {"svc": Exists()}
    if options.pods == "insecure":
        below["pod"] = Synthesis(options.ttl)
    elif options.pods == "verified":
        below["pod"] = Exists()
    return tuple(Owner(f"{name}.{kind}", origin, (data,), absent=(TXT,)) for kind, data in below.items())
