"""Events in, transactions out: after any sequence of them the zone is what it would be from scratch."""

from __future__ import annotations

from random import Random

import pytest

from clusterdns.cluster import Endpoint, EndpointSlice, Namespace, Pod, Port, Ref, Service, ServiceImport, View
from clusterdns.control.origins import RESTING, Origins
from clusterdns.control.zones import ClusterZone
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import Owner, RRset, ZoneChange

OWN = "10.244.0.53"
OPTIONS = ClusterOptions(pods="verified")


def zone(options: ClusterOptions = OPTIONS) -> ClusterZone:
    """A zone without objects."""
    return ClusterZone(options, [OWN], Origins())


CLIENTS = ClusterOptions(pods="verified", client_labels=("kubernetes/client-namespace", "kubernetes/client-pod-name"))


def clients(changes: list[ZoneChange | None]) -> dict[str, tuple[str | None, ...]]:
    """What an engine knows of addresses after these transactions."""
    held: dict[str, tuple[str | None, ...]] = {}
    for change in changes:
        if change is not None:
            held = ({} if change.replace else held) | {row.address: row.values for row in change.addresses}
    return {address: values for address, values in held.items() if values}


def content(changes: list[ZoneChange | None]) -> dict[str, Owner]:
    """What an engine holds after these transactions. Origins do not matter."""
    held: dict[str, Owner] = {}
    for change in changes:
        if change is not None:
            if change.replace:
                held = {}
            held |= {owner.name: Owner(owner.name, 0, owner.data, owner.absent) for owner in change.owners}
    return {name: owner for name, owner in held.items() if owner.data}


SVC = Service("shop", "cart", cluster_ips=("10.96.0.1",), ports=(Port("http", "TCP", 80),))
SLICE = EndpointSlice("shop", "cart-1", "cart", "IPv4", (Endpoint("172.0.0.1"),), (Port("http", "TCP", 80),))
SHOP = Namespace("shop")


def test_the_first_transaction_replaces_all_and_the_others_do_not() -> None:
    cluster = zone()
    first = cluster.change(7)
    assert first is not None
    assert (first.replace, first.complete, first.serial) == (True, True, 7)
    assert {owner.name for owner in first.owners} >= {"", "svc", "pod", "ns.dns", "dns-version"}
    assert cluster.change(8) is None
    cluster.put(SHOP)
    second = cluster.change(9)
    assert second is not None
    assert (second.replace, {owner.name for owner in second.owners}) == (False, {"shop.svc", "shop.pod"})


def test_only_what_was_touched_is_made_again() -> None:
    cluster = zone()
    for view in (SHOP, SVC, SLICE, Service("shop", "other", cluster_ips=("10.96.0.2",))):
        cluster.put(view)
    cluster.change(1)
    cluster.put(EndpointSlice("shop", "cart-1", "cart", "IPv4", (Endpoint("172.0.0.2"),), ()))
    change = cluster.change(2)
    assert change is not None
    assert [owner.name for owner in change.owners] == ["cart.shop.svc"]


def test_a_name_that_goes_is_removed() -> None:
    cluster = zone()
    for view in (SHOP, SVC):
        cluster.put(view)
    cluster.change(1)
    cluster.remove(SVC.ref)
    change = cluster.change(2)
    assert change is not None
    assert [(owner.name, owner.data) for owner in change.owners] == [("cart.shop.svc", ())]


def test_a_slice_that_changes_its_service_leaves_the_old_one() -> None:
    cluster = zone()
    for view in (SHOP, Service("shop", "cart", cluster_ips=("None",)), Service("shop", "till", cluster_ips=("None",)), SLICE):
        cluster.put(view)
    changes = [cluster.change(1)]
    cluster.put(EndpointSlice("shop", "cart-1", "till", "IPv4", (Endpoint("172.0.0.1"),), ()))
    changes.append(cluster.change(2))
    assert "till.shop.svc" in content(changes)
    assert "cart.shop.svc" not in content(changes)


def test_two_pods_of_one_address_have_one_name_until_both_are_gone() -> None:
    cluster = zone()
    one, two = Pod("shop", "one", "192.0.2.1"), Pod("shop", "two", "192.0.2.1")
    for view in (SHOP, one, two):
        cluster.put(view)
    changes = [cluster.change(1)]
    cluster.remove(one.ref)
    changes.append(cluster.change(2))
    assert "192-0-2-1.shop.pod" in content(changes)
    cluster.remove(two.ref)
    changes.append(cluster.change(3))
    assert "192-0-2-1.shop.pod" not in content(changes)


def test_clients_are_known_by_all_their_addresses_while_they_live() -> None:
    cluster = zone(CLIENTS)
    one, two = Pod("shop", "one", "192.0.2.1", ("fd00::0:1", "nonsense")), Pod("shop", "two", "192.0.2.1")
    cluster.put(one)
    changes = [cluster.change(1)]
    assert clients(changes) == {"192.0.2.1": ("shop", "one"), "fd00::1": ("shop", "one")}, "their namespace need not be known"
    cluster.put(two)
    changes.append(cluster.change(2))
    assert clients(changes) == {"192.0.2.1": ("shop", None), "fd00::1": ("shop", "one")}
    cluster.remove(one.ref)
    changes.append(cluster.change(3))
    assert clients(changes) == {"192.0.2.1": ("shop", "two")}
    cluster.put(Pod("shop", "two"))
    changes.append(cluster.change(4))
    assert clients(changes) == {}
    assert zone(OPTIONS).change(1) is not None


def test_a_client_that_was_not_told_is_told_again() -> None:
    cluster = zone(CLIENTS)
    cluster.change(1)
    cluster.put(Pod("shop", "one", "192.0.2.1"))
    cluster.change(2)
    cluster.undo()
    assert clients([cluster.change(3)]) == {"192.0.2.1": ("shop", "one")}


def test_what_is_not_known_can_be_removed() -> None:
    cluster = zone()
    cluster.change(1)
    for kind in ("Service", "EndpointSlice", "Namespace", "Pod", "Secret"):
        cluster.remove(Ref(kind, "shop", "nobody"))
    change = cluster.change(2)
    assert change is None or all(owner.data == () for owner in change.owners)


def odd(cluster: ClusterZone) -> dict[str, list[str]]:
    """The fields that the objects of the last transaction hold and DNS cannot say."""
    return {ref.name: [oddity.field for oddity in oddities] for ref, oddities in cluster.oddities.items()}


def test_what_dns_cannot_say_is_known_of_each_transaction_and_counted_by_kind() -> None:
    cluster = zone()
    cluster.put(SHOP)
    cluster.put(Service("shop", "cart", cluster_ips=("nonsense", "more")))
    cluster.put(EndpointSlice("shop", "cart-1", "cart", "IPv4", (Endpoint("nonsense"),)))
    cluster.put(Service("shop", "till", cluster_ips=("10.96.0.1",)))
    cluster.change(1)
    assert odd(cluster) == {"cart": ["spec.clusterIPs[0]", "spec.clusterIPs[1]"], "cart-1": ["endpoints[].addresses"]}
    assert dict(cluster.odd) == {"Service": 1, "EndpointSlice": 1}
    assert not cluster.mended
    cluster.put(Service("shop", "till", cluster_ips=("10.96.0.2",)))
    cluster.change(2)
    assert (odd(cluster), cluster.mended, cluster.odd.total()) == ({}, set(), 2)


@pytest.mark.parametrize("how", ["mended", "deleted", "hidden"])
def test_what_was_odd_and_is_no_more_is_told(how: str) -> None:
    cluster = zone()
    cluster.put(SHOP)
    broken = Service("shop", "cart", cluster_ips=("nonsense",))
    cluster.put(broken)
    cluster.change(1)
    match how:
        case "mended":
            cluster.put(Service("shop", "cart", cluster_ips=("10.96.0.1",)))
        case "deleted":
            cluster.remove(broken.ref)
        case _:
            cluster.remove(SHOP.ref)
    cluster.change(2)
    assert (odd(cluster), cluster.mended, cluster.odd.total()) == ({}, {broken.ref}, 0)


def test_a_slice_that_moves_is_as_odd_as_before() -> None:
    cluster = zone()
    cluster.put(SHOP)
    for name in ("cart", "till"):
        cluster.put(Service("shop", name, cluster_ips=("None",)))
    cluster.put(EndpointSlice("shop", "x", "cart", "IPv4", (Endpoint("nonsense"),)))
    cluster.change(1)
    cluster.put(EndpointSlice("shop", "x", "till", "IPv4", (Endpoint("nonsense"),)))
    cluster.change(2)
    assert (list(odd(cluster)), cluster.mended, cluster.odd.total()) == (["x"], set(), 1)


def views(random: Random, options: ClusterOptions) -> View:
    """Any object out of few, so that they meet."""
    namespace, name = random.choice(("shop", "data")), random.choice(("cart", "till"))
    match random.randrange(4):
        case 0:
            return Namespace(namespace)
        case 1 if options.multicluster:
            ips = random.choice(((), ("10.112.0.1",)))
            return ServiceImport(namespace, name, random.choice(("ClusterSetIP", "Headless")), ips, (Port("http", "TCP", 80),))
        case 1:
            addresses = random.choice((("None",), ("10.96.0.1",), ("10.96.0.2", "fd00::2"), ("",), ("nonsense",)))
            return Service(namespace, name, cluster_ips=addresses, ports=(Port("http", "TCP", 80),))
        case 2:
            endpoints = tuple(Endpoint(address) for address in random.sample((OWN, "172.0.0.1", "172.0.0.2", "odd"), random.randrange(3)))
            cluster = random.choice(("", "east", "west")) if options.multicluster else ""
            return EndpointSlice(namespace, random.choice("abc"), name, "IPv4", endpoints, (Port("http", "TCP", 80),), cluster)
        case _:
            return Pod(namespace, name, random.choice(("", "172.0.0.1", "172.0.0.2", "192.0.2.1")))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        CLIENTS,
        ClusterOptions(pods="insecure", zonal=True),
        ClusterOptions(namespaces=("shop",)),
        ClusterOptions(multicluster=True),
    ],
)
def test_after_any_events_the_zone_is_as_if_made_from_scratch(options: ClusterOptions, seed: int) -> None:
    random = Random(seed)
    cluster, objects, changes = zone(options), dict[Ref, View](), list[ZoneChange | None]()
    for _ in range(60):
        view = views(random, options)
        if random.random() < 0.3:
            cluster.remove(view.ref)
            objects.pop(view.ref, None)
        else:
            cluster.put(view)
            objects[view.ref] = view
        if random.random() < 0.05:
            cluster.listen_on([random.choice(("172.0.0.1", "172.0.0.2"))])
        if random.random() < 0.4:
            changes.append(cluster.change(1))
    cluster.listen_on([OWN])
    changes.append(cluster.change(1))
    scratch = zone(options)
    for view in objects.values():
        scratch.put(view)
    expected = [scratch.change(1)]
    assert content(changes) == content(expected)
    assert clients(changes) == clients(expected)
    assert +cluster.odd == +scratch.odd


def test_A1_who_listens_elsewhere_is_another_name_server() -> None:
    cluster = zone()
    for view in (SHOP, SVC, SLICE):
        cluster.put(view)
    first = content([cluster.change(1)])
    assert first[""].data == (RRset(2, 5, ("ns.dns",)),)
    cluster.listen_on([OWN])
    assert cluster.change(2) is None
    cluster.listen_on(["172.0.0.1", "127.0.0.1"])
    second = content([cluster.change(3)])
    assert second[""].data == (RRset(2, 5, ("cart.shop.svc",)),)
    assert second["ns.dns"].data == (RRset(1, 5, ("10.96.0.1",)),)
    cluster.listen_on(["172.0.0.9"])
    assert content([cluster.change(4)])["ns.dns"].data == (RRset(1, 5, ("172.0.0.9",)),)


def test_what_was_not_applied_is_said_again() -> None:
    cluster = zone()
    for view in (SHOP, SVC):
        cluster.put(view)
    first = cluster.change(1)
    cluster.undo()
    again = cluster.change(2)
    assert first is not None
    assert again is not None
    assert again.replace
    assert set(content([again])) == set(content([first]))


def test_a_name_whose_removal_was_not_applied_is_removed_again() -> None:
    cluster = zone()
    for view in (SHOP, SVC):
        cluster.put(view)
    cluster.change(1)
    cluster.remove(SVC.ref)
    cluster.change(2)
    cluster.undo()
    change = cluster.change(3)
    assert change is not None
    assert [(owner.name, owner.data) for owner in change.owners] == [("cart.shop.svc", ())]
    assert cluster.change(4) is None


def test_pods_that_come_and_go_leave_no_numbers_behind() -> None:
    origins = Origins()
    cluster = ClusterZone(OPTIONS, [OWN], origins)
    cluster.put(SHOP)
    for number in range(3 * RESTING):
        pod = Pod("shop", f"p{number}", f"10.1.{number // 250}.{number % 250}")
        cluster.put(pod)
        cluster.change(1)
        cluster.remove(pod.ref)
        cluster.change(2)
    assert origins.take(Ref("Pod", "shop", "next")) <= RESTING + 10


def test_a_zone_that_is_closed_gives_all_numbers_back() -> None:
    origins = Origins()
    cluster = ClusterZone(OPTIONS, [OWN], origins)
    for view in (SHOP, SVC, SLICE):
        cluster.put(view)
    cluster.change(1)
    assert origins.describe([1, 2]) != ["unknown object #1", "unknown object #2"]
    cluster.close()
    assert origins.describe([1, 2]) == ["unknown object #1", "unknown object #2"]
