"""Numbers for objects, and back."""

from __future__ import annotations

from clusterdns.cluster import Ref
from clusterdns.control.origins import Origins

CART, SHOP = Ref("Service", "shop", "cart"), Ref("Namespace", "", "shop")


def test_an_object_keeps_its_number() -> None:
    origins = Origins()
    assert [origins.number(CART), origins.number(SHOP), origins.number(CART)] == [1, 2, 1]


def test_numbers_are_described_with_the_place_that_was_told_last() -> None:
    origins = Origins()
    origins.number(CART, "shop.yaml:1:1")
    origins.number(SHOP)
    origins.number(CART, "shop.yaml:7:1")
    origins.number(CART)
    assert origins.describe([1, 2]) == ["Service shop/cart (shop.yaml:7:1)", "Namespace shop"]


def test_what_is_no_number_is_said_to_be_unknown() -> None:
    origins = Origins()
    origins.number(CART)
    assert origins.describe([0, 2, -1]) == ["unknown object #0", "unknown object #2", "unknown object #-1"]
