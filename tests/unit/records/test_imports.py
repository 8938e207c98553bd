"""ServiceImports: rules M1 and M2, and what DNS cannot say of them."""

import pytest

from clusterdns.cluster import Endpoint, EndpointSlice, Port, ServiceImport
from clusterdns.records.imports import import_owners
from clusterdns.records.oddities import Oddity
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import ANY, Group, Member, MemberSet, Owner
from clusterdns.zones import Port as ZonePort
from tests.unit.records.reference import AAAA, PTR, SRV, TXT, A, Reference

DEFAULTS = ClusterOptions(multicluster=True)
HTTP, ZONE_HTTP = (Port("http", "TCP", 80),), (ZonePort("http", "tcp", 80),)
HEADLESS = ServiceImport("shop", "db", "Headless")


def piece(cluster: str, *endpoints: Endpoint, name: str = "") -> EndpointSlice:
    """A slice of the headless import."""
    return EndpointSlice("shop", name or f"db-{cluster}", "db", endpoints=endpoints, ports=HTTP, cluster=cluster)


EAST, WEST = piece("east", Endpoint("10.1.0.1", "db-0")), piece("west", Endpoint("10.2.0.1", "db-0"), Endpoint("10.2.0.2"))


def reference(*slices: EndpointSlice) -> Reference:
    """What the headless import answers."""
    return Reference(import_owners(HEADLESS, slices, DEFAULTS), "set.local.", bare_ports=False)


def test_M1_addresses_are_the_imports_own() -> None:
    imported = ServiceImport("shop", "web", ips=("10.112.0.1", "FD00:112::1"), ports=HTTP)
    assert import_owners(imported, (), DEFAULTS, 7) == (
        Owner("web.shop.svc", 7, (MemberSet(5, ("10.112.0.1", "fd00:112::1"), ZONE_HTTP, (), listed=False),)),
    )


def test_M1_M2_a_headless_import_lists_members_that_live_below_their_clusters() -> None:
    names = ["db.shop.svc", "east.db.shop.svc", "west.db.shop.svc"]
    east = Group(ZONE_HTTP, (Member("10.1.0.1", "db-0"),))
    west = Group(ZONE_HTTP, (Member("10.2.0.1", "db-0"), Member("10.2.0.2", "")))
    listed = tuple(Group(group.ports, group.members, name) for group, name in zip((east, west), names[1:], strict=True))
    assert import_owners(HEADLESS, (WEST, EAST), DEFAULTS, 7) == (
        Owner(names[0], 7, (MemberSet(5, (), (), listed, listed=True),)),
        Owner(names[1], 7, (MemberSet(5, (), (), (east,), listed=False),), absent=(ANY,)),
        Owner(names[2], 7, (MemberSet(5, (), (), (west,), listed=False),), absent=(ANY,)),
    )


def test_M2_endpoints_are_named_below_their_clusters() -> None:
    zone = reference(EAST, WEST)
    below = "db.shop.svc.set.local."
    assert zone.answer(f"db-0.west.{below}", A)[1] == {(f"db-0.west.{below}", 5, A, "10.2.0.1")}
    assert zone.answer(f"10-2-0-2.west.{below}", AAAA)[0] == "NODATA"
    assert {data for *_, data in zone.answer(f"_http._tcp.{below}", SRV)[1]} == {
        f"0 33 80 {host}.{below}" for host in ("db-0.east", "db-0.west", "10-2-0-2.west")
    }
    for name in (f"db-0.{below}", f"east.{below}", f"10-2-0-2.east.{below}"):
        assert {zone.answer(name, rtype)[0] for rtype in (A, AAAA, SRV, TXT)} == {"NXDOMAIN"}


def test_M1_the_order_of_slices_does_not_matter() -> None:
    other = piece("east", Endpoint("10.1.0.2"), name="db-2")
    assert import_owners(HEADLESS, (EAST, WEST, other), DEFAULTS) == import_owners(HEADLESS, (other, WEST, EAST), DEFAULTS)


def test_M1_without_a_ready_endpoint_a_headless_import_does_not_exist() -> None:
    assert import_owners(HEADLESS, (), DEFAULTS) == ()
    assert import_owners(HEADLESS, (piece("east"),), DEFAULTS) == ()


def test_M1_empty_imports_may_be_left_out() -> None:
    wanted = ClusterOptions(multicluster=True, ignore_empty_service=True)
    imported = ServiceImport("shop", "db", ips=("10.112.0.1",), ports=HTTP)
    assert import_owners(imported, (), wanted) == ()
    assert [owner.name for owner in import_owners(imported, (EAST,), wanted)] == ["db.shop.svc", "east.db.shop.svc"]


def test_M2_slices_from_nowhere_are_the_services_own() -> None:
    [owner] = import_owners(HEADLESS, (piece("", Endpoint("10.1.0.1")),), DEFAULTS)
    assert owner.data == (MemberSet(5, (), (), (Group(ZONE_HTTP, (Member("10.1.0.1", ""),)),), listed=True),)


def test_M2_a_cluster_is_found_in_lower_case() -> None:
    assert [owner.name for owner in import_owners(HEADLESS, (piece("East", Endpoint("10.1.0.1")),), DEFAULTS)][1:] == ["east.db.shop.svc"]


@pytest.mark.parametrize(
    ("imported", "slices", "field", "there"),
    [
        (ServiceImport("shop", "a.b", ips=("10.0.0.1",)), (), "metadata.name", False),
        (ServiceImport("", "db", ips=("10.0.0.1",)), (), "metadata.namespace", False),
        (ServiceImport("shop", "db", ips=("10.0.0.300",)), (), "spec.ips[0]", True),
        (ServiceImport("shop", "db", ips=("10.0.0.1",), ports=(Port("a.b", "TCP", 80),)), (), "spec.ports[0].name", True),
        (ServiceImport("shop", "db", ips=("10.0.0.1",), ports=(Port("", "TCP", 0),)), (), "spec.ports[0].port", True),
        (HEADLESS, (piece("a.b", Endpoint("10.1.0.1")),), "metadata.labels", True),
        (HEADLESS, (piece("east", Endpoint("nonsense")),), "endpoints[].addresses", False),
    ],
)
def test_what_dns_cannot_say_is_left_out_and_reported(
    imported: ServiceImport, slices: tuple[EndpointSlice, ...], field: str, there: bool
) -> None:
    found: list[Oddity] = []
    owners = import_owners(imported, slices, DEFAULTS, report=found.append)
    assert [oddity.field for oddity in found] == [field]
    assert bool(owners) == there


def test_R1_members_have_no_ptr_below_the_service() -> None:
    assert {data for *_, data in reference(EAST).answer("1.0.1.10.in-addr.arpa.", PTR)[1]} == {"db-0.east.db.shop.svc.set.local."}
