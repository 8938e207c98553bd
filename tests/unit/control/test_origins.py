"""Numbers for objects, and back."""

from __future__ import annotations

from clusterdns.cluster import Ref
from clusterdns.control.origins import RESTING, Origins

CART, SHOP = Ref("Service", "shop", "cart"), Ref("Namespace", "", "shop")


def test_an_object_keeps_its_number() -> None:
    origins = Origins()
    assert [origins.take(CART), origins.take(SHOP), origins.take(CART)] == [1, 2, 1]


def test_numbers_are_described_with_the_place_that_was_told_last() -> None:
    origins = Origins()
    origins.place(CART, "shop.yaml:1:1")
    origins.take(CART)
    origins.take(SHOP)
    origins.place(CART, "shop.yaml:7:1")
    assert origins.describe([1, 2]) == ["Service shop/cart (shop.yaml:7:1)", "Namespace shop"]
    origins.place(CART, "")
    assert origins.describe([1]) == ["Service shop/cart"]


def test_what_is_no_number_is_said_to_be_unknown() -> None:
    origins = Origins()
    origins.take(CART)
    assert origins.describe([0, 2, -1]) == ["unknown object #0", "unknown object #2", "unknown object #-1"]


def test_a_number_is_kept_until_the_last_user_gives_it_back() -> None:
    origins = Origins()
    number = origins.take(CART)
    origins.take(CART)
    origins.give_back(number)
    assert origins.describe([number]) == ["Service shop/cart"]
    origins.give_back(number)
    assert origins.describe([number]) == [f"unknown object #{number}"]


def test_churn_does_not_make_the_table_grow() -> None:
    origins = Origins()
    for number in range(10 * RESTING):
        origins.give_back(origins.take(Ref("Pod", "shop", f"p{number}")))
    assert origins.take(CART) <= RESTING + 2
