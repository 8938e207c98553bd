"""One pod address in one namespace, as an owner (`pods verified`)."""

from __future__ import annotations

from clusterdns.cluster import Pod
from clusterdns.records.oddities import Oddity, Report, canonical_address, is_label, unreported
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import MemberSet, Owner, Port


def pod_owners(pod: Pod, options: ClusterOptions, origin: int = 0, report: Report = unreported) -> tuple[Owner, ...]:
    """The name of a pod's address, `10-0-0-1.NAMESPACE.pod` (D3); nothing for a pod without one, and unless pods are verified.

    Several pods of a namespace may share an address (that of their node): each gives the same owner, so the key is the namespace
    with the address. Only the first address of a pod has a name. That its namespace is exposed is for the caller to know.
    """
    if options.pods != "verified" or not pod.ip:
        return ()
    address = canonical_address(pod.ip)
    if address is None:
        report(Oddity(pod.ref, "status.podIP", f"{pod.ip!r} is not an address"))
        return ()
    if not is_label(pod.namespace):
        report(Oddity(pod.ref, "metadata.namespace", f"{pod.namespace!r} cannot be a label of a DNS name"))
        return ()
    # Who asks turns the hyphens back into dots or colons; so here no zero is added to a label that ends in one.
    name = f"{address.replace('.', '-').replace(':', '-')}.{pod.namespace}.pod"
    # An unnamed port 0 gives the SRV record that CoreDNS has there (recorded); alone, the address gets no PTR (D4).
    return (Owner(name, origin, (MemberSet(options.ttl, (address,), (Port("", "", 0),), (), listed=False, alone=True),)),)
