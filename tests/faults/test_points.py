"""What an API server was seen to do, point by point, and what a reflector makes of it."""

from __future__ import annotations

import json
from threading import Semaphore, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from clusterdns.cluster import Ref, Service, View
from clusterdns.control.apifeed import Inbox
from clusterdns.control.origins import Origins
from clusterdns.control.zones import ClusterZone
from clusterdns.kube.api import watch_over
from clusterdns.kube.decode import Decoder, Delete, Flaw, Upsert
from clusterdns.kube.reflector import FORBIDDEN_PASSES, REFUSED_PAUSE, UNREACHABLE_PAUSE, Event, Listed, Relisting, Troubled
from clusterdns.records.options import ClusterOptions
from tests.faults.apiserver import Request, bookmark, page, recorded, refuse, stream
from tests.faults.following import following

SERVICES = recorded("watch-services-sendinitial.jsonl")
STREAMED, PAGES = "sendInitialEvents=true", "limit=500"
FORBIDDEN = recorded("list-403.json")


def service(name: str, version: int = 1, namespace: str = "shop", **metadata: Any) -> dict[str, Any]:
    """A Service as the API has it."""
    about = {"name": name, "namespace": namespace, "resourceVersion": str(version), **metadata}
    return {"metadata": about, "spec": {"clusterIP": "10.96.0.1"}}


def event(type_: str, thing: dict[str, Any]) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": type_, "object": thing}).encode() + b"\n"


def parameters(path: str) -> dict[str, str]:
    """The parameters of a request."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(path).query, keep_blank_values=True).items()}


def names(events: list[Event]) -> list[str]:
    """The objects of upserts."""
    return [event.view.ref.name for event in events if isinstance(event, Upsert)]


def initial(*versions: int, end: int) -> bytes:
    """A whole list as a stream."""
    return b"".join(event("ADDED", service(f"s{version}", version)) for version in versions) + bookmark("services", end, ends=True)


def test_01_a_streaming_list_is_asked_for_and_gone_on_with_after_a_normal_end() -> None:
    with following() as (server, follower):
        server.script["services"] += [
            stream(SERVICES + event("ADDED", service("late", 900))),
            page(b'{"metadata":{"resourceVersion":"901"},"items":[]}'),
            stream(event("MODIFIED", service("late", 902))),
        ]
        follower.until()
        assert names(follower.next(2)) == ["late", "late"]
    first, check, second = (parameters(path) for path in server.paths)
    assert first.pop("timeoutSeconds") == second["timeoutSeconds"] == "450"
    assert first == {
        **{"watch": "true", "allowWatchBookmarks": "true"},
        **{"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"},
    }
    assert check == {"limit": "1"}
    assert second["resourceVersion"] == "900"
    assert "sendInitialEvents" not in second
    assert "resourceVersionMatch" not in second


def test_02_resumed_is_from_the_end_mark_and_not_from_an_initial_event() -> None:
    with following() as (server, follower):
        server.script["services"] += [stream(initial(740, 12, end=803))]
        assert names(follower.until()) == ["s740", "s12"]
        assert follower.seen.version == "803"


def test_02_initial_events_that_are_cut_leave_no_version() -> None:
    with following() as (server, follower):
        server.script["services"] += [stream(event("ADDED", service("a", 740)), Request.cut), stream(initial(5, end=803))]
        follower.until()
        assert [path for path in server.paths if "resourceVersion=" in path] == []


@pytest.mark.parametrize("end", [Request.end, Request.cut, Request.reset])
def test_03_an_end_before_the_end_mark_is_no_list_and_the_next_one_is_paged(end: Any) -> None:
    with following() as (server, follower):
        server.put("services", service("b"))
        server.script["services"] += [stream(event("ADDED", service("a", 7)), end)]
        assert follower.next(2) == [Relisting(), Upsert(Service("shop", "a", cluster_ips=("10.96.0.1",)))]
        assert not follower.seen.listed
        events = follower.until()
        assert events[0] == Relisting()
        assert names(events) == ["b"]
        assert STREAMED in server.paths[0]
        assert PAGES in server.paths[1]


def test_04_a_server_without_streaming_lists_is_asked_for_pages() -> None:
    with following() as (server, follower):
        server.script["services"] += [refuse(422, recorded("watch-services-sendinitial-nomatch-422.jsonl"))]
        for number in range(501):
            server.put("services", service(f"s{number}"))
        assert len(names(follower.until())) == 501
        server.put("services", service("late"))
        assert names(follower.next()) == ["late"]
    assert [PAGES in path for path in server.paths] == [False, True, True, False]
    assert parameters(server.paths[2])["continue"] == "500"
    assert parameters(server.paths[3])["resourceVersion"] == "601"


def test_04_what_makes_no_sense_in_pages_is_counted_and_each_page_is_heard() -> None:
    with following() as (server, follower):
        nonsense = {"metadata": {"name": "b", "namespace": "shop"}, "spec": {"ports": 7}}
        half = {"metadata": {"resourceVersion": "9", "continue": "more"}, "items": [service("a"), nonsense]}
        server.script["services"] += [refuse(422), page(json.dumps(half).encode())]
        server.put("services", service("c"))
        follower.api.pauses.append(7.0)
        assert [type(event) for event in follower.next(3)] == [Relisting, Upsert, Flaw]
        assert (follower.seen.events, follower.seen.flaws) == (2, 1)
        assert follower.seen.heard == follower.api.clock() == 7.0


def test_04_an_answer_that_is_no_list_is_a_decode_error() -> None:
    with following() as (server, follower):
        server.script["services"] += [refuse(422), page(b"<html>"), stream(b"nonsense\n")]
        follower.until()
        assert follower.seen.flaws == 2


def test_05_an_event_410_means_to_list_again_at_once() -> None:
    with following() as (server, follower):
        server.script["services"] += [stream(initial(5, end=803) + recorded("watch-services-410.jsonl"))]
        follower.until()
        server.put("services", service("b"))
        events = follower.until()
        assert names(events) == ["b"]
        assert not any(isinstance(event, Troubled) for event in events)
        assert max(follower.api.pauses) <= 0.05


def test_05_a_list_that_expires_is_begun_again_in_one_piece() -> None:
    with following() as (server, follower):
        half = b'{"metadata":{"resourceVersion":"9","continue":"more"},"items":[{"metadata":{"name":"a","namespace":"shop"},"spec":{}}]}'
        server.script["services"] += [refuse(422), page(half), refuse(410, recorded("list-services-continue-410.json"))]
        server.put("services", service("b"))
        server.script["services"] += [refuse(422)]
        events = follower.until()
        assert names(events) == ["a", "b"]
        assert events.count(Relisting()) == 2
        assert "limit" not in server.paths[-1]
        assert not any("eyJ2IjoibWV0YS5" in path for path in server.paths)


def test_06_a_restart_that_expires_everything_changes_nothing() -> None:
    with following() as (server, follower):
        zone = ClusterZone(ClusterOptions(), [], Origins())
        server.put("services", service("a"))
        server.script["services"] += [stream(initial(5, end=803), Request.reset), page(b'{"metadata":{"resourceVersion":"803"}}')]
        server.script["services"] += [stream(recorded("watch-services-410.jsonl")), stream(initial(5, end=810))]
        for one in follower.until() + follower.until():
            if isinstance(one, Upsert):
                zone.put(one.view)
                assert zone.change(1) is not None or follower.seen.relists == 2
        assert zone.change(2) is None


def test_07_a_server_that_is_older_than_what_it_told_is_listed_again() -> None:
    """After a restore of its etcd a watch from the old version would say nothing, for ever."""
    with following() as (server, follower):
        server.script["services"] += [stream(initial(5, end=1000801))]
        follower.until()
        server.put("services", service("restored"))
        assert names(follower.until()) == ["restored"]
        assert not any("resourceVersion=1000801" in path for path in server.paths)


def test_07_a_future_version_in_a_stream_means_to_list_again() -> None:
    with following() as (server, follower):
        server.script["services"] += [stream(initial(5, end=803)), refuse(504, recorded("list-services-future-504.json"))]
        follower.until()
        follower.until()
        assert follower.seen.relists == 2


def test_08_a_403_that_passes_is_not_told() -> None:
    with following() as (server, follower):
        server.script["services"] += [refuse(403, FORBIDDEN), refuse(403, FORBIDDEN), stream(initial(5, end=803))]
        assert follower.until()[0] == Relisting()
        assert follower.api.clock() < 0.2


def test_08_a_403_that_lasts_names_the_missing_rule() -> None:
    with following("endpointslices") as (server, follower):
        server.script["endpointslices"] += [refuse(403, FORBIDDEN)] * 20
        [told] = follower.next()
        assert isinstance(told, Troubled)
        assert '{apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"]}' in told.why
        assert follower.api.clock() >= FORBIDDEN_PASSES
        assert follower.until(Troubled) == [Relisting(), Listed(), Troubled("")]


def test_08_a_stream_that_says_nothing_is_ended_when_its_server_is_gone() -> None:
    """After SIGTERM the port is closed at once, and open streams stay up and silent for a minute."""
    with following() as (server, follower):
        server.script["services"] += [stream(initial(5, end=803), Request.hang)]
        follower.until()
        server.hanging.wait()
        server.shutdown()
        server.server_close()
        told: list[Event] = []
        reader = Thread(target=lambda: told.extend(follower.next()))
        follower.api.on_rest = lambda: None if reader.is_alive() else follower.api.close()
        reader.start()
        watch_over(follower.api, 0.001)
        reader.join()
        assert isinstance(told[0], Troubled)
        server.stopping.set()


def test_08_a_live_server_keeps_its_silent_streams() -> None:
    with following() as (server, follower):
        server.script["services"] += [stream(initial(5, end=803), Request.hang)]
        follower.until()
        assert all(follower.api.alive() for _ in range(3))
        assert server.paths[-3:] == ["/version"] * 3
        follower.api.cut()
        follower.api.on_rest = follower.api.close
        assert follower.next() == []


def test_09_pauses_grow_to_a_second_while_nobody_listens_and_never_more() -> None:
    with following() as (server, follower):
        server.shutdown()
        server.server_close()
        follower.api.on_rest = lambda: follower.api.close() if len(follower.api.pauses) == 20 else None
        [told] = follower.next(2)
        assert isinstance(told, Troubled)
        assert "Connection refused" in told.why
        pauses = follower.api.pauses
        assert pauses == sorted(pauses)
        assert pauses[0] < 0.1
        assert pauses[-1] == UNREACHABLE_PAUSE * 0.75


def test_09_who_is_refused_asks_less_and_less() -> None:
    with following() as (server, follower):
        server.script["services"] += [refuse(500)] * 20
        follower.api.on_rest = lambda: follower.api.close() if len(follower.api.pauses) == 12 else None
        assert len(follower.next(2)) == 1
        assert follower.api.pauses[-1] == REFUSED_PAUSE * 0.75


def test_09_a_server_that_is_back_is_asked_without_the_pauses_of_its_absence() -> None:
    with following() as (server, follower):
        server.script["services"] += [stream([], Request.reset)] * 8 + [refuse(403, FORBIDDEN)] * 3
        follower.until()
        assert sum(follower.api.pauses[8:]) < 0.4


def test_10_a_bookmark_is_no_object_and_its_version_counts() -> None:
    with following() as (server, follower):
        server.script["services"] += [stream(initial(5, end=803) + recorded("bookmarks-services.jsonl"), Request.end)]
        assert len(names(follower.until())) == 1
        server.version = 870
        server.put("services", service("next"))
        assert names(follower.next()) == ["next"]
        assert "resourceVersion=870" in server.paths[-1]


def test_11_selectors_are_the_servers_work_and_leaving_one_is_a_deletion() -> None:
    with following("services", ClusterOptions(labels="k8sd=fixture,tier in (a,b)")) as (server, follower):
        server.put("services", service("in", labels={"k8sd": "fixture", "tier": "a"}))
        server.put("services", service("out", labels={"k8sd": "fixture", "tier": "c"}))
        assert names(follower.until()) == ["in"]
        server.put("services", service("in", labels={"tier": "a"}))
        assert follower.next() == [Delete(Ref("Service", "shop", "in"))]
    assert parameters(server.paths[0])["labelSelector"] == "k8sd=fixture,tier in (a,b)"


def test_11_recorded_lines_of_a_selector_watch() -> None:
    decoder = Decoder("Service")
    events = [decoder.line(line)[1] for line in recorded("live-services-selector.jsonl").splitlines()]
    assert [type(event) for event in events] == [Upsert, Upsert, Delete]


def test_11_pods_that_are_done_are_not_asked_for() -> None:
    with following("pods") as (server, follower):
        follower.until()
        wanted = "status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown"
        assert parameters(server.paths[0])["fieldSelector"] == wanted


def test_12_deleted_and_made_again_are_two_events() -> None:
    with following() as (server, follower):
        server.put("services", service("a"))
        follower.until()
        server.delete("services", "shop", "a")
        server.put("services", service("a", uid="another"))
        events = follower.next(2)
        assert [type(event) for event in events] == [Delete, Upsert]


@pytest.mark.parametrize("plural", ["namespaces", "services", "endpointslices", "pods"])
def test_13_a_list_and_a_stream_tell_the_same(plural: str) -> None:
    kind = {"namespaces": "Namespace", "services": "Service", "endpointslices": "EndpointSlice", "pods": "Pod"}[plural]
    decoder = Decoder(kind)
    listed: list[View] = [event.view for event in decoder.page(recorded(f"list-{plural}.json")).events if isinstance(event, Upsert)]
    lines = [decoder.line(line)[1] for line in recorded(f"watch-{plural}-sendinitial.jsonl").splitlines()]
    streamed = [event.view for event in lines if isinstance(event, Upsert)]
    by_ref = {view.ref: view for view in listed}
    assert len(listed) > 15
    # The recordings are some changes apart; what both have is the same.
    assert {view.ref for view in streamed if by_ref.get(view.ref) == view} >= set(list(by_ref)[:15])


def test_14_a_dual_stack_service_has_slices_of_both_families() -> None:
    decoder = Decoder("EndpointSlice")
    events = decoder.page(recorded("list-endpointslices.json")).events
    slices = [event.view for event in events if isinstance(event, Upsert)]
    families = [view.address_type for view in slices if getattr(view, "service", "") == "web-headless-dual"]  # type: ignore[union-attr]
    assert set(families) == {"IPv4", "IPv6"}


def test_15_nothing_is_to_be_compressed_and_a_watch_has_no_limit() -> None:
    with following() as (server, follower):
        follower.until()
        [(path, headers)] = server.requests
        assert headers["Accept-Encoding"] == "identity"
        assert headers["Accept"] == "application/json"
        assert "limit" not in path


def test_16_the_user_agent_is_our_own() -> None:
    with following() as (server, follower):
        follower.until()
        assert server.requests[0][1]["User-Agent"].startswith("clusterdns/")


def test_16_a_version_that_is_none_is_refused_with_500_and_listed_anew() -> None:
    with following() as (server, follower):
        server.script["services"] += [stream(initial(5, end=803)), page(b'{"metadata":{"resourceVersion":"803"}}')]
        server.script["services"] += [refuse(500, recorded("watch-services-badrv.jsonl"))]
        follower.until()
        assert follower.until()[-1] == Listed()
        assert max(follower.api.pauses) <= 0.05


def test_17_an_update_that_dns_does_not_see_is_no_change() -> None:
    with following() as (server, follower):
        zone = ClusterZone(ClusterOptions(), [], Origins())
        server.put("services", service("a"))
        for one in follower.until():
            if isinstance(one, Upsert):
                zone.put(one.view)
        assert zone.change(1) is not None
        server.put("services", service("a", annotations={"touched": "1"}, managedFields=[{"manager": "kubectl"}]))
        [update] = follower.next()
        assert isinstance(update, Upsert)
        zone.put(update.view)
        assert zone.change(2) is None


def test_18_a_wake_for_what_was_taken_already_does_not_swallow_the_next_one() -> None:
    """Else the thread that decides sleeps for a minute, the inbox fills up, and the readers wait with it."""
    woken: list[int] = []
    inbox = Inbox(lambda: woken.append(1))
    inbox.put("Service", ())
    releases = iter([lambda: inbox.put("EndpointSlice", ())])
    room = inbox._room

    class Interrupted(Semaphore):
        def release(self, n: int = 1) -> None:
            room.release(n)
            next(releases, lambda: None)()

    inbox._room = Interrupted()
    assert [kind for kind, _ in inbox.take()] == ["Service", "EndpointSlice"]
    told = len(woken)
    inbox._room = room
    inbox.put("Service", ())
    assert len(woken) == told + 1


def test_19_a_list_on_its_way_outlives_the_process_that_was_asked_before() -> None:
    """After a restart the connection of the probe is gone, while the new process is telling everything: that is not cut off."""
    with following() as (server, follower):
        server.script["services"] += [stream(initial(5, end=803), Request.hang)]
        follower.until()
        [streaming] = follower.api._streams
        cut: list[str] = []
        streaming.cut = lambda: cut.append("closed" if follower.api.closed else "in the middle")  # type: ignore[method-assign]
        follower.api.alive = lambda: False  # type: ignore[method-assign]
        follower.api.silent = lambda seconds: True  # type: ignore[method-assign]
        follower.api.on_rest = lambda: follower.api.close() if len(follower.api.pauses) > 3 else None
        watch_over(follower.api, 0.001)
        assert cut == ["closed"]
        server.stopping.set()


ABSENT = refuse(404, b"404 page not found\n", Content_Type="text/plain; charset=utf-8")
IMPORTS = ClusterOptions(multicluster=True)


def test_20_a_kind_that_the_cluster_does_not_know_keeps_nobody_waiting() -> None:
    """A CRD may be installed later, or never. It is told once, and asked for again, less and less."""
    with following("serviceimports", IMPORTS) as (server, follower):
        server.script["serviceimports"] += [ABSENT] * 12
        server.put("serviceimports", {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "Headless"}})
        assert follower.next(2) == [Relisting(), Listed()]
        assert follower.seen.listed
        [told] = follower.next()
        assert isinstance(told, Troubled)
        assert "there is no CRD for /apis/multicluster.x-k8s.io/v1alpha1/serviceimports" in told.why
        later = follower.until(Troubled)
        assert [type(event) for event in later] == [Relisting, Upsert, Listed, Troubled]
        assert later[-1] == Troubled("")
        assert follower.api.pauses[-1] == REFUSED_PAUSE * 0.75


def test_20_a_kind_that_the_cluster_knows_no_more_stays_as_it_was_told() -> None:
    with following("serviceimports", IMPORTS) as (server, follower):
        server.put("serviceimports", {"metadata": {"name": "web", "namespace": "shop"}, "spec": {}})
        server.script["serviceimports"] += [stream(bookmark("serviceimports", 101, ends=True)), ABSENT, ABSENT, ABSENT]
        follower.until()
        [told] = follower.next()
        assert isinstance(told, Troubled)
        assert follower.next() == [Troubled("")]


def test_20_every_cluster_has_services() -> None:
    with following() as (server, follower):
        server.script["services"] += [ABSENT] * 3
        [told] = follower.next()
        assert told == Troubled("services: the API server has nothing at /api/v1/services")
        assert not follower.seen.listed
