"""The feed from the API server, its threads left out: what it makes of the events that they bring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Semaphore

import pytest

from clusterdns.cluster import Endpoint, EndpointSlice, Namespace, Ref, Service
from clusterdns.control.apifeed import AGAIN_SECONDS, GATHER_SECONDS, PORTION, ROOM, ApiFeed, Inbox
from clusterdns.control.feeds import Fed, Surroundings
from clusterdns.control.origins import Origins
from clusterdns.control.reports import MOST_TOLD
from clusterdns.kube.decode import Delete, Flaw, Upsert
from clusterdns.kube.reflector import Event, Listed, Relisting, Troubled
from clusterdns.metrics import Metrics
from clusterdns.records.options import ClusterOptions
from clusterdns.zones import Owner

SHOP, CART = Namespace("shop"), Service("shop", "cart", cluster_ips=("10.96.0.1",))
KINDS = ("Namespace", "Service", "EndpointSlice")


class Standing:
    """A feed whose time is set by hand and whose threads were not started."""

    def __init__(self, options: ClusterOptions = ClusterOptions()) -> None:  # noqa: B008
        self.now = 1000.0
        self.wakes = 0
        self.feed = ApiFeed("zone", options, ["127.0.0.1"], Origins(), self._wake, lambda: self.now)

    def _wake(self) -> None:
        self.wakes += 1

    def send(self, kind: str, *events: Event) -> None:
        self.feed._inbox.put(kind, events)

    def fill(self, **objects: list[Event]) -> list[Fed]:
        """All kinds are listed, with these objects."""
        for kind in KINDS:
            self.send(kind, Relisting(), *objects.get(kind, []), Listed())
        return self.polls()

    def is_idle(self) -> bool:
        """Whether there is nothing to do but to show the same figures again."""
        return self.feed.due() == self.feed._next_show > self.now

    def polls(self) -> list[Fed]:
        """All that the feed gives at this moment."""
        feds = [self.feed.poll(7)]
        while feds[-1].more:
            feds.append(self.feed.poll(7))
        return feds


def names(feds: list[Fed]) -> list[str]:
    """The names that have data in these transactions."""
    return [owner.name for fed in feds if fed.change for owner in fed.change.owners if owner.data]


def test_a_zone_is_complete_when_every_kind_has_been_listed() -> None:
    standing = Standing()
    standing.send("Namespace", Relisting(), Upsert(SHOP), Listed())
    standing.send("Service", Relisting(), Upsert(CART), Listed())
    assert [fed.change for fed in standing.polls()] == [None]
    standing.send("EndpointSlice", Relisting(), Listed())
    [fed] = standing.polls()
    assert fed.change is not None
    assert (fed.change.replace, fed.change.complete) == (True, True)
    assert "cart.shop.svc" in names([fed])
    assert standing.feed.filled


def test_B2_what_is_known_is_served_though_one_kind_cannot_be_had() -> None:
    standing = Standing()
    standing.send("Namespace", Relisting(), Upsert(SHOP), Listed())
    standing.send("Service", Relisting(), Upsert(CART), Listed())
    standing.polls()
    standing.now += GATHER_SECONDS
    assert standing.feed.due() <= standing.now
    [fed] = standing.polls()
    assert fed.change is not None
    assert not fed.change.complete
    assert "cart.shop.svc" in names([fed])
    standing.send("EndpointSlice", Relisting(), Listed())
    [fed] = standing.polls()
    assert fed.change is not None
    assert fed.change.complete


def test_the_first_fill_comes_in_portions_and_the_last_one_completes_it() -> None:
    standing = Standing()
    services: list[Event] = [Upsert(Service("shop", f"s{number}", cluster_ips=("10.96.0.1",))) for number in range(600)]
    feds = standing.fill(Namespace=[Upsert(SHOP)], Service=services)
    changes = [fed.change for fed in feds if fed.change]
    assert [change.replace for change in changes] == [True, False, False]
    assert [change.complete for change in changes] == [False, False, True]
    assert all(len(change.owners) <= PORTION + 10 for change in changes)


def test_a_change_is_given_at_once() -> None:
    standing = Standing()
    standing.fill(Namespace=[Upsert(SHOP)])
    standing.send("Service", Upsert(CART))
    assert standing.feed.due() <= standing.now
    assert names(standing.polls()) == ["cart.shop.svc"]
    standing.send("Service", Delete(CART.ref))
    [fed] = standing.polls()
    assert fed.change is not None
    assert fed.change.owners == (Owner("cart.shop.svc", 0, ()),)


def test_a_relist_is_applied_as_differences() -> None:
    standing = Standing()
    old = Upsert(Service("shop", "old", cluster_ips=("10.96.0.2",)))
    standing.fill(Namespace=[Upsert(SHOP)], Service=[Upsert(CART), old])
    standing.send("Service", Relisting(), Upsert(CART), Upsert(Service("shop", "new", cluster_ips=("10.96.0.3",))))
    assert names(standing.polls()) == ["new.shop.svc"]
    standing.send("Service", Listed())
    [fed] = standing.polls()
    assert fed.change is not None
    assert fed.change.owners == (Owner("old.shop.svc", 0, ()),)
    assert not fed.change.replace


def test_a_list_that_is_begun_again_removes_nothing_before_its_end() -> None:
    standing = Standing()
    standing.fill(Namespace=[Upsert(SHOP)], Service=[Upsert(CART)])
    standing.send("Service", Relisting())
    standing.send("Service", Relisting(), Upsert(CART), Listed())
    assert [fed.change for fed in standing.polls()] == [None]


def test_a_storm_is_coalesced() -> None:
    standing = Standing()
    standing.fill(Namespace=[Upsert(SHOP)])
    made = 0
    for number in range(1000):
        standing.now += 1 / 1000
        standing.send("Service", Upsert(Service("shop", "cart", cluster_ips=(f"10.96.{number // 250}.{number % 250}",))))
        if standing.feed.due() <= standing.now:
            made += sum(fed.change is not None for fed in standing.polls())
    assert 90 <= made <= 130
    standing.now = max(standing.now, standing.feed.due()) + 0.001
    standing.polls()
    assert standing.is_idle()


def test_a_huge_service_that_keeps_changing_does_not_keep_others_waiting() -> None:
    standing = Standing()
    standing.fill(Namespace=[Upsert(SHOP)], Service=[Upsert(Service("shop", "huge", cluster_ips=("None",)))])

    def huge(round_: int) -> Event:
        endpoints = tuple(Endpoint(f"10.{round_}.{number // 250}.{number % 250}") for number in range(2000))
        return Upsert(EndpointSlice("shop", "huge-1", "huge", endpoints=endpoints))

    standing.send("EndpointSlice", huge(0))
    fed = standing.feed.poll(7)
    assert fed.change is not None
    standing.now += 0.1  # that is what the engine took
    assert not standing.feed.poll(7).more
    standing.send("EndpointSlice", huge(1))
    standing.send("Service", Upsert(CART))
    assert names(standing.polls()) == ["cart.shop.svc"]
    assert standing.now + 0.39 <= standing.feed.due() <= standing.now + 0.41
    standing.now += 0.5
    assert names(standing.polls()) == ["huge.shop.svc"]


def test_an_object_that_makes_no_sense_is_left_out_and_told_of_once() -> None:
    standing = Standing()
    standing.fill(Namespace=[Upsert(SHOP)], Service=[Upsert(CART)])
    standing.send("Service", Flaw(CART.ref, "Expected `int`"), Flaw(CART.ref, "Expected `int`"), Flaw(None, "nonsense"))
    [fed] = standing.polls()
    assert fed.change is not None
    assert fed.change.owners == (Owner("cart.shop.svc", 0, ()),)
    assert fed.lines == (
        "[WARNING] plugin/kubernetes: Service shop/cart: left out, as it makes no sense: Expected `int`",
        "[WARNING] plugin/kubernetes: Service: left out, as it makes no sense: nonsense",
    )


def test_what_dns_cannot_say_is_told_once() -> None:
    standing = Standing()
    odd = Upsert(Service("shop", "odd", cluster_ips=("10.96.0.300",)))
    [fed] = standing.fill(Namespace=[Upsert(SHOP)], Service=[odd])
    assert len(fed.lines) == 1
    assert "Service shop/odd: spec.clusterIPs[0]: '10.96.0.300' is not an address" in fed.lines[0]
    standing.send("Service", Delete(Ref("Service", "shop", "odd")), odd)
    assert [fed.lines for fed in standing.polls()] == [()]


ODD = Upsert(Service("shop", "odd", cluster_ips=("10.96.0.300",)))
MENDED = Upsert(Service("shop", "odd", cluster_ips=("10.96.0.30",)))


def lines(standing: Standing) -> list[str]:
    """What is said now."""
    return [line for fed in standing.polls() for line in fed.lines]


@pytest.mark.parametrize(
    "between", [MENDED, Delete(ODD.view.ref), Flaw(ODD.view.ref, "Expected `int`")], ids=["mended", "deleted", "flawed"]
)
def test_what_is_broken_again_in_the_same_way_is_told_again(between: Event) -> None:
    standing = Standing()
    standing.fill(Namespace=[Upsert(SHOP)], Service=[ODD])
    standing.send("Service", between)
    lines(standing)
    standing.send("Service", ODD)
    assert len(lines(standing)) == 1


@pytest.mark.parametrize("between", [(MENDED,), (Delete(ODD.view.ref),), (Relisting(), Listed())], ids=["mended", "deleted", "unlisted"])
def test_an_object_that_makes_no_sense_again_is_told_of_again(between: tuple[Event, ...]) -> None:
    standing = Standing()
    flaw = Flaw(ODD.view.ref, "Expected `int`")
    standing.fill(Namespace=[Upsert(SHOP)], Service=[flaw])
    standing.send("Service", flaw)
    assert lines(standing) == []
    standing.send("Service", *between, flaw)
    assert len(lines(standing)) == 1


def test_what_is_listed_again_as_broken_as_before_is_not_told_again() -> None:
    standing = Standing()
    flaw = Flaw(CART.ref, "Expected `int`")
    standing.fill(Namespace=[Upsert(SHOP)], Service=[flaw, ODD])
    standing.send("Service", Relisting(), flaw, ODD, Listed())
    standing.send("Service", flaw, ODD)
    assert lines(standing) == []


def test_a_cluster_full_of_nonsense_does_not_fill_the_log() -> None:
    standing = Standing()
    standing.send("Service", *(Flaw(Ref("Service", "shop", str(number)), "nonsense") for number in range(MOST_TOLD + 50)))
    said = lines(standing)
    assert len(said) == MOST_TOLD + 1
    assert said[-1] == (
        f"[WARNING] plugin/kubernetes: {MOST_TOLD} of the objects that make no sense have been told of, and no more are until some are"
        " mended or gone: see clusterdns_kubernetes_decode_errors_total"
    )


def test_a_cluster_full_of_oddities_does_not_fill_the_log_and_is_counted() -> None:
    standing = Standing()
    feds = standing.fill(
        Namespace=[Upsert(SHOP)],
        Service=[Upsert(Service("shop", f"s{number}", cluster_ips=("nonsense",) * 3)) for number in range(MOST_TOLD + 50)],
    )
    said = [line for fed in feds for line in fed.lines]
    assert len(said) == MOST_TOLD + 1
    assert said[0].endswith("Service shop/s0: spec.clusterIPs[0]: 'nonsense' is not an address (and 2 more like it)")
    assert said[-1].endswith("see clusterdns_kubernetes_odd_objects")
    assert standing.feed._cluster.odd["Service"] == MOST_TOLD + 50


def test_trouble_and_its_end_are_told() -> None:
    standing = Standing()
    standing.fill()
    standing.send("Service", Troubled("services: connection refused"))
    standing.send("Service", Troubled(""))
    assert [line for fed in standing.polls() for line in fed.lines] == [
        "[WARNING] plugin/kubernetes: services: connection refused",
        "[INFO] plugin/kubernetes: Service: the API server is followed again",
    ]


def test_B1_what_is_said_while_the_API_server_is_waited_for() -> None:
    standing = Standing()
    lines = []
    while standing.now < standing.feed._began + 10.0:
        standing.now = standing.feed.due()
        lines += [(round(standing.now - 1000, 1), line) for fed in standing.polls() for line in fed.lines]
    waiting = "[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server"
    assert lines[:-1] == [(step / 2, waiting) for step in range(1, 10)]
    assert lines[-1] == (5.0, "[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API")


def test_a_sender_wakes_once_until_its_events_are_taken() -> None:
    woken: list[int] = []
    inbox = Inbox(lambda: woken.append(1))
    inbox.put("Service", ())
    inbox.put("Service", ())
    assert len(woken) == 1
    assert len(list(inbox.take())) == 2
    inbox.put("Service", ())
    assert len(woken) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_deletion_of_what_was_not_known_is_nothing(kind: str) -> None:
    standing = Standing()
    standing.fill()
    standing.send(kind, Delete(Ref(kind, "shop" if kind != "Namespace" else "", "never")))
    assert names(standing.polls()) == []


def test_how_long_a_change_took_is_seen_once_one_says_when_it_began() -> None:
    standing = Standing()
    standing.fill(EndpointSlice=[Upsert(EndpointSlice("shop", "listed", "cart"), "2026-01-01T00:00:00Z")])
    seen = standing.feed.seen["EndpointSlice"]
    for triggered in ("", "nonsense"):
        standing.send("EndpointSlice", Upsert(EndpointSlice("shop", "x", "cart"), triggered))
        standing.polls()
        assert seen.lag is None
    standing.send("EndpointSlice", Upsert(EndpointSlice("shop", "x", "cart"), "2026-01-01T00:00:00.123456Z"))
    standing.polls()
    assert seen.lag is not None
    assert seen.lag >= 1.0
    seen.lag = None
    standing.send("EndpointSlice", Relisting(), Upsert(EndpointSlice("shop", "x", "cart"), "2026-01-01T00:00:00.123456Z"), Listed())
    standing.polls()
    assert seen.lag is None, "what is listed again was told when it changed"


def test_what_comes_without_end_does_not_hold_up_what_has_come() -> None:
    inbox = Inbox(lambda: None)
    inbox.put("Service", ())
    room = inbox._room

    class Refilled(Semaphore):
        def release(self, n: int = 1) -> None:
            room.release(n)
            inbox._portions.append(("Service", ()))

    inbox._room = Refilled()
    assert len(inbox.take()) == ROOM
    assert inbox


def test_what_could_not_be_applied_is_given_again_after_a_while() -> None:
    standing = Standing()
    standing.fill(Namespace=[Upsert(SHOP)])
    standing.send("Service", Upsert(CART))
    assert names(standing.polls()) == ["cart.shop.svc"]
    standing.feed.undo()
    assert standing.feed.due() == standing.now + AGAIN_SECONDS
    standing.now += AGAIN_SECONDS
    assert names(standing.polls()) == ["cart.shop.svc"]
    assert standing.is_idle()


def test_what_was_seen_is_shown_and_a_change_is_counted_when_it_is_answered() -> None:
    metrics = Metrics()
    feed = ApiFeed("zone", ClusterOptions(), ["127.0.0.1"], Origins(), lambda: None, lambda: 1000.0, metrics)
    for kind in KINDS:
        feed._inbox.put(kind, (Relisting(), Listed()))
    feed.poll(1)
    assert "clusterdns_kubernetes" not in metrics.text(), "the zone is not in use yet"
    feed.taken_up(Surroundings(lambda zone: ["127.0.0.1"], Origins(), lambda: None, metrics, {"zone": "cluster.local."}))
    assert feed.due() <= 1000.0
    feed._inbox.put("Namespace", [Upsert(SHOP)])
    feed._inbox.put("Service", [Upsert(Service("shop", "db", cluster_ips=("None",)))])
    piece = EndpointSlice("shop", "db-1", "db", endpoints=(Endpoint("10.0.0.1"),))
    began = datetime.now(UTC) + timedelta(seconds=1)
    feed._inbox.put("EndpointSlice", [Upsert(piece, began.isoformat())])
    feed.poll(2)
    feed._inbox.put("EndpointSlice", [Upsert(piece, began.isoformat())])
    feed._inbox.put("Service", [Upsert(Service("shop", "odd", cluster_ips=("nonsense",)))])
    feed.poll(3)
    text = metrics.text()
    assert 'dns_programming_duration_seconds_count{service_kind="headless_with_selector"} 1\n' in text, "the second one changed nothing"
    assert 'clusterdns_kubernetes_listed{kind="Service",zone="cluster.local."} 0\n' in text
    feed.close()
    assert "clusterdns_kubernetes_listed" not in metrics.text()
