"""Verified pods: rules D3 and D4."""

import pytest

from clusterdns.cluster import Pod
from clusterdns.records.oddities import Oddity
from clusterdns.records.options import ClusterOptions
from clusterdns.records.pods import pod_owners
from tests.unit.records.reference import AAAA, PTR, SRV, TXT, A, Reference

VERIFIED = ClusterOptions(pods="verified", ttl=30)


@pytest.mark.parametrize(
    ("ip", "name", "rtype"),
    [
        ("10.0.0.1", "10-0-0-1.shop.pod", A),
        ("fd00:244::60", "fd00-244--60.shop.pod", AAAA),
        ("fd00::", "fd00--.shop.pod", AAAA),
        ("::1", "--1.shop.pod", AAAA),
    ],
)
def test_D3_a_pod_is_named_by_its_address(ip: str, name: str, rtype: int) -> None:
    owners = pod_owners(Pod("shop", "web-0", ip), VERIFIED, origin=4)
    assert [(owner.name, owner.origin) for owner in owners] == [(name, 4)]
    full = f"{name}.cluster.local."
    zone = Reference(owners)
    assert zone.answer(full, rtype)[1] == {(full, 30, rtype, ip)}
    assert zone.answer(full, A if rtype == AAAA else AAAA)[0] == "NODATA"
    assert zone.answer(full, TXT)[0] == "NODATA"


def test_D3_pods_with_one_address_in_a_namespace_are_one_owner() -> None:
    one, other = (pod_owners(Pod("shop", name, "192.168.0.1"), VERIFIED) for name in ("a", "b"))
    assert one == other


@pytest.mark.parametrize("mode", ["disabled", "insecure"])
def test_D1_D2_pods_have_owners_only_when_verified(mode: str) -> None:
    assert pod_owners(Pod("shop", "web-0", "10.0.0.1"), ClusterOptions(pods=mode)) == ()  # type: ignore[arg-type]


def test_D3_a_pod_without_address_has_no_name() -> None:
    assert pod_owners(Pod("shop", "web-0"), VERIFIED) == ()


def test_D4_a_pod_has_no_ptr_and_the_recorded_srv() -> None:
    zone = Reference(pod_owners(Pod("shop", "web-0", "10.0.0.1"), VERIFIED))
    assert zone.answer("1.0.0.10.in-addr.arpa.", PTR)[0] == "NXDOMAIN"
    name = "10-0-0-1.shop.pod.cluster.local."
    assert zone.answer(name, SRV) == ("NOERROR", {(name, 30, SRV, f"0 100 0 {name}")}, {(name, 30, A, "10.0.0.1")})


@pytest.mark.parametrize(
    ("pod", "field"),
    [
        (Pod("shop", "web-0", "10.0.0.300"), "status.podIP"),
        (Pod("shop", "web-0", "nonsense"), "status.podIP"),
        (Pod("a.b", "web-0", "10.0.0.1"), "metadata.namespace"),
        (Pod("", "web-0", "10.0.0.1"), "metadata.namespace"),
    ],
)
def test_nonsense_has_no_owner(pod: Pod, field: str) -> None:
    found: list[Oddity] = []
    assert pod_owners(pod, VERIFIED, report=found.append) == ()
    assert [oddity.field for oddity in found] == [field]
