"""Namespaces: rules P3, P4, N1, T1 and D1, D2 as far as they are data."""

import pytest

from clusterdns.cluster import Namespace
from clusterdns.records.namespaces import TXT, is_exposed, namespace_owners
from clusterdns.records.oddities import Oddity
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import Exists, Owner, Synthesis
from tests.unit.records.reference import AAAA, SRV, A, Reference

SHOP = Namespace("shop")


def test_P4_T1_a_namespace_exists_without_data_and_not_for_txt() -> None:
    owners = namespace_owners(SHOP, ClusterOptions(), origin=3)
    assert owners == (Owner("shop.svc", 3, (Exists(),), absent=(TXT,)),)
    zone = Reference(owners)
    assert [zone.answer("shop.svc.cluster.local.", rtype)[0] for rtype in (A, SRV, TXT)] == ["NODATA", "NODATA", "NXDOMAIN"]


@pytest.mark.parametrize(
    ("mode", "owner"),
    [
        ("insecure", Owner("shop.pod", 0, (Synthesis(30),), absent=(TXT,))),
        ("verified", Owner("shop.pod", 0, (Exists(),), absent=(TXT,))),
    ],
)
def test_P4_a_namespace_exists_for_pods_if_these_have_names(mode: str, owner: Owner) -> None:
    assert owner in namespace_owners(SHOP, ClusterOptions(pods=mode, ttl=30))  # type: ignore[arg-type]


def test_D1_pods_that_are_disabled_have_no_namespace() -> None:
    assert [owner.name for owner in namespace_owners(SHOP, ClusterOptions(pods="disabled"))] == ["shop.svc"]


def test_D2_insecure_pods_echo_the_address_in_their_name() -> None:
    zone = Reference(namespace_owners(SHOP, ClusterOptions(pods="insecure")))
    assert {record[3] for record in zone.answer("10-0-0-1.shop.pod.cluster.local.", A)[1]} == {"10.0.0.1"}
    assert zone.answer("10-0-0-1.shop.pod.cluster.local.", AAAA)[0] == "NODATA"
    assert {record[3] for record in zone.answer("fd00--1.shop.pod.cluster.local.", AAAA)[1]} == {"fd00::1"}
    assert zone.answer("web-0.shop.pod.cluster.local.", A)[0] == "NXDOMAIN"
    assert zone.answer("10-0-0-1.other.pod.cluster.local.", A)[0] == "NXDOMAIN"


@pytest.mark.parametrize(
    ("namespace", "listed", "exposed"),
    [(SHOP, (), True), (SHOP, ("data", "shop"), True), (SHOP, ("data",), False), (None, (), False), (None, ("shop",), False)],
)
def test_N1_a_namespace_has_to_exist_and_to_be_listed_if_any_is(
    namespace: Namespace | None, listed: tuple[str, ...], exposed: bool
) -> None:
    options = ClusterOptions(namespaces=listed)
    assert is_exposed("shop", namespace, options) is exposed
    if namespace:
        assert bool(namespace_owners(namespace, options)) is exposed


@pytest.mark.parametrize("name", ["", "a.b", "x" * 64, "*"])
def test_a_namespace_whose_name_is_no_label_has_no_owner(name: str) -> None:
    found: list[Oddity] = []
    assert namespace_owners(Namespace(name), ClusterOptions(), report=found.append) == ()
    assert [oddity.field for oddity in found] == ["metadata.name"]
