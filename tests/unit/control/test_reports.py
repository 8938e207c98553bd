"""What is told of objects, and how often."""

from __future__ import annotations

from clusterdns.cluster import Ref
from clusterdns.control.reports import Reports, describe
from clusterdns.records.oddities import Oddity

CART, TILL = Ref("Service", "shop", "cart"), Ref("Service", "shop", "till")


def reports(most: int = 10) -> Reports:
    """Reports of objects that are odd."""
    return Reports("are odd", "odd_objects", most)


def test_an_object_is_told_of_once_until_it_is_mended() -> None:
    told = reports()
    assert told.tell(CART, ["spec.ports"], "odd ports") == ("Service shop/cart: odd ports",)
    assert told.tell(CART, ["spec.ports"], "other odd ports") == ()
    assert told.tell(TILL, ["spec.ports"], "odd ports") == ("Service shop/till: odd ports",)
    told.mended(CART)
    assert told.tell(CART, ["spec.ports"], "odd ports") == ("Service shop/cart: odd ports",)
    assert told.tell(TILL, ["spec.ports"], "odd ports") == ()


def test_what_is_wrong_with_it_besides_is_told_too() -> None:
    told = reports()
    told.tell(CART, ["spec.ports"], "odd ports")
    assert told.tell(CART, ["spec.ports", "spec.ips"], "odd ports and ips") == ("Service shop/cart: odd ports and ips",)
    assert told.tell(CART, ["spec.ips"], "odd ips") == ()


def test_where_too_many_are_wrong_it_is_said_once_that_further_ones_are_not_told() -> None:
    told = reports(most=4)
    lines = [line for number in range(20) for line in told.tell(Ref("Service", "shop", str(number)), ["x"], "odd")]
    assert lines[:4] == [f"Service shop/{number}: odd" for number in range(4)]
    assert lines[4:] == ["4 of the objects that are odd have been told of, and no more are until some are mended or gone: see odd_objects"]
    told.mended(Ref("Service", "shop", "0"))
    assert told.tell(CART, ["x"], "odd") == ("Service shop/cart: odd",)
    assert told.tell(TILL, ["x"], "odd") == (), "that has been said"
    for number in range(4):
        told.mended(Ref("Service", "shop", str(number)))
    assert len([line for number in range(20) for line in told.tell(Ref("Service", "shop", str(number)), ["x"], "odd")]) == 4
    assert len(told) == 4


def test_one_object_cannot_be_wrong_in_endless_ways() -> None:
    told = reports(most=4)
    assert len([line for number in range(20) for line in told.tell(CART, [f"way {number}"], "odd")]) == 5
    told.mended(CART)
    assert len(told) == 0


def test_the_objects_of_a_kind_are_known() -> None:
    told = reports()
    told.tell(CART, ["x"], "odd")
    told.tell(Ref("Pod", "shop", "web"), ["x"], "odd")
    told.tell("Service", ["no name"], "odd")
    assert list(told.refs("Service")) == [CART]


def test_fields_of_the_same_path_are_told_together() -> None:
    oddities = [Oddity(CART, f"spec.clusterIPs[{index}]", f"'{index}' is not an address") for index in range(3)]
    fields, words = describe([*oddities, Oddity(CART, "spec.ports[7].port", "0 is not a port number")])
    assert fields == {"spec.clusterIPs[]", "spec.ports[].port"}
    assert words == "spec.clusterIPs[0]: '0' is not an address (and 2 more like it); spec.ports[7].port: 0 is not a port number"


def test_a_text_of_any_length_is_cut() -> None:
    assert len(describe([Oddity(CART, "spec.externalName", f"{'x' * 100_000!r} is not a DNS name")])[1]) < 500
