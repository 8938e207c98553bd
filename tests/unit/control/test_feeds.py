"""What feeds are called."""

from __future__ import annotations

from clusterdns.control.feeds import zone_names
from clusterdns.directives.block import Feed
from clusterdns.records.options import ClusterOptions


def feed(zone: str, name: str) -> Feed:
    """A feed of a zone that the Corefile calls by this name."""
    return Feed("kubernetes", zone, ClusterOptions(), name)


def test_a_zone_is_called_as_in_the_corefile() -> None:
    assert zone_names([feed("kubernetes/1", "cluster.local."), feed("kubernetes/2", "clusterset.local.")]) == {
        "kubernetes/1": "cluster.local.",
        "kubernetes/2": "clusterset.local.",
    }


def test_zones_of_the_same_name_are_numbered_in_the_order_of_the_corefile() -> None:
    feeds = [feed("kubernetes/9", "cluster.local."), feed("kubernetes/1", "cluster.local."), feed("kubernetes/5", "cluster.local.")]
    assert list(zone_names(feeds).values()) == ["cluster.local.", "cluster.local.#2", "cluster.local.#3"]
    assert list(zone_names(feeds)) == ["kubernetes/9", "kubernetes/1", "kubernetes/5"]
