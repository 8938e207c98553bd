"""The engine through its face: two phases, zones, and that it answers while nobody steers it."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import dns.message
import dns.query
import dns.rcode
import msgspec
import pytest

from clusterdns.admin_socket import ask
from clusterdns.engine import Engine, EngineError, interfaces
from clusterdns.plan import VERSION, Block, Plan
from clusterdns.plan.listeners import HttpListener, Listener, Span
from clusterdns.plan.ops import ErrorsOp, LookoutOp, Origin, Soa, WhoamiOp, ZoneOp
from clusterdns.zones import Exists, MemberSet, Owner, Port, RRset, ZoneChange
from tests.servers import free_port

SOA = Soa("ns.dns", "hostmaster", 7200, 1800, 86400, 5, 5)
LISTENER = Listener("127.0.0.1:0", "127.0.0.1", 0, "dns://127.0.0.1:0")
ZONE = ZoneOp("one", [Origin("cluster.local.")], 0, SOA, [], [], True, True, "kubernetes", 1)
SPANS = [Span("Corefile", 1, 1, ".:0"), Span("Corefile", 2, 5, "kubernetes cluster.local")]
A = 1


def plan_of(*ops: object, zones: tuple[str, ...] = (), listeners: tuple[Listener, ...] = (LISTENER,)) -> Plan:
    """A plan of one block for everything."""
    block = Block(".", [listener.id for listener in listeners], list(ops), 0)  # type: ignore[arg-type]
    return Plan(VERSION, list(listeners), list(zones), [block], SPANS)


def owner(name: str, address: str, origin: int = 1) -> Owner:
    """A name with one address."""
    return Owner(name, origin, (MemberSet(5, (address,), (Port("http", "tcp", 80),), (), False),))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(workers=1, admin=str(tmp_path / "admin.sock"))
    yield engine
    engine.stop(0)


def port_of(engine: Engine) -> int:
    return int(engine.bound()[0][1].rpartition(":")[2])


def reply(engine: Engine, name: str, rtype: str = "A") -> dns.message.Message:
    """The engine's answer over UDP."""
    return dns.query.udp(dns.message.make_query(name, rtype), "127.0.0.1", port=port_of(engine), timeout=5)


def rcode(engine: Engine, name: str) -> str:
    return dns.rcode.to_text(reply(engine, name).rcode())


def test_a_plan_serves_once_it_is_committed(engine: Engine) -> None:
    prepared = engine.prepare(plan_of(WhoamiOp(1)))
    assert engine.bound() == []
    prepared.commit()
    assert reply(engine, "a.test").additional


def test_a_plan_that_is_abandoned_changes_nothing(engine: Engine) -> None:
    engine.prepare(plan_of(WhoamiOp(1))).commit()
    before = engine.bound()
    other = Listener("127.0.0.2:0", "127.0.0.2", 0, "dns://127.0.0.2:0")
    engine.prepare(plan_of(listeners=(LISTENER, other))).abandon()
    assert engine.bound() == before
    assert reply(engine, "a.test").additional


def test_a_plan_is_committed_once(engine: Engine) -> None:
    prepared = engine.prepare(plan_of(WhoamiOp(1)))
    prepared.commit()
    with pytest.raises(EngineError, match="used already"):
        prepared.commit()


def test_a_plan_that_was_overtaken_is_refused(engine: Engine) -> None:
    first, second = engine.prepare(plan_of(WhoamiOp(1))), engine.prepare(plan_of())
    first.commit()
    with pytest.raises(EngineError, match="meanwhile"):
        second.commit()
    assert reply(engine, "a.test").additional


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (Plan(VERSION + 1, [LISTENER], [], [], []), "version"),
        (Plan(VERSION, [], [], [Block(".", ["nosuch"], [], 0)], SPANS), "nosuch"),
        (plan_of(ZONE), "zone one"),
        (Plan(VERSION, [LISTENER], [], [Block("a..b.", [LISTENER.id], [], 0)], SPANS), "a..b."),
        (Plan(VERSION, [LISTENER], [], [Block(".", [LISTENER.id], [], 0)] * 2, SPANS), "served twice"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_its_reason(engine: Engine, plan: Plan, why: str) -> None:
    with pytest.raises(EngineError, match=why):
        engine.prepare(plan)


def test_a_port_that_is_taken_is_refused(engine: Engine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        listener = Listener(f"127.0.0.1:{port}", "127.0.0.1", port, "dns://")
        with pytest.raises(EngineError, match=f"127.0.0.1:{port}"):
            engine.prepare(plan_of(listeners=(listener,)))


def test_a_zone_is_filled_before_it_is_served(engine: Engine) -> None:
    prepared = engine.prepare(plan_of(ZONE, zones=("one",)))
    assert engine.apply("one", ZoneChange((owner("a", "10.0.0.1"), Owner("b", 0, (Exists(),))), 7, True)) == (2, [])
    prepared.commit()
    assert str(reply(engine, "a.cluster.local").answer[0][0]) == "10.0.0.1"
    assert rcode(engine, "b.cluster.local") == "NOERROR"
    assert rcode(engine, "c.cluster.local") == "NXDOMAIN"


def test_what_equals_what_is_held_is_no_change(engine: Engine) -> None:
    engine.prepare(plan_of(ZONE, zones=("one",))).commit()
    change = ZoneChange((owner("a", "10.0.0.1"),), 7, True)
    assert engine.apply("one", change) == (1, [])
    assert engine.apply("one", change) == (0, [])
    assert engine.apply("one", ZoneChange((owner("b", "10.0.0.2"),), 8, replace=True)) == (2, [])
    assert rcode(engine, "a.cluster.local") == "NXDOMAIN"


def test_a_relist_may_come_in_several_changes(engine: Engine) -> None:
    engine.prepare(plan_of(ZONE, zones=("one",))).commit()
    engine.apply("one", ZoneChange((owner("a", "10.0.0.1"), owner("b", "10.0.0.2")), 7, True))
    assert engine.apply("one", ZoneChange((owner("a", "10.0.0.1"),), 8, begins=True)) == (0, [])
    assert engine.apply("one", ZoneChange((owner("c", "10.0.0.3"),), 8)) == (1, [])
    assert engine.apply("one", ZoneChange((), 8, replace=True)) == (1, [])
    assert [rcode(engine, f"{name}.cluster.local") for name in "abc"] == ["NOERROR", "NXDOMAIN", "NOERROR"]


def test_nonsense_in_a_change_is_told_and_the_rest_is_applied(engine: Engine) -> None:
    engine.prepare(plan_of(ZONE, zones=("one",))).commit()
    wrong = Owner("bad", 0, (RRset(A, 5, ("nonsense",)),))
    changed, problems = engine.apply("one", ZoneChange((wrong, owner("a", "10.0.0.1")), 7, True))
    assert changed >= 1
    assert len(problems) == 1
    assert rcode(engine, "a.cluster.local") == "NOERROR"


def test_a_zone_that_no_plan_names_is_refused(engine: Engine) -> None:
    with pytest.raises(EngineError, match="nosuch"):
        engine.apply("nosuch", ZoneChange((), 1))


def test_until_all_is_seen_absent_names_fail(engine: Engine) -> None:
    engine.prepare(plan_of(ZONE, zones=("one",))).commit()
    assert rcode(engine, "a.cluster.local") == "SERVFAIL"
    engine.apply("one", ZoneChange((owner("a", "10.0.0.1"),), 1, complete=False))
    assert (rcode(engine, "a.cluster.local"), rcode(engine, "b.cluster.local")) == ("NOERROR", "SERVFAIL")
    engine.apply("one", ZoneChange((), 2))
    assert rcode(engine, "b.cluster.local") == "NXDOMAIN"


def describe_once(engine: Engine) -> None:
    """Names the objects that the engine asks for."""
    task = engine.next_task(10)
    assert task is not None
    assert task.kind == "describe"
    task.reply(msgspec.json.encode([f"Service number {number}" for number in msgspec.json.decode(task.body)]))


EXPLAIN = {"explain": {"name": "a.cluster.local", "type": "A"}}


def test_explain_asks_for_the_names_of_objects(engine: Engine, tmp_path: Path) -> None:
    engine.prepare(plan_of(ZONE, zones=("one",))).commit()
    engine.apply("one", ZoneChange((owner("a", "10.0.0.1", origin=42),), 1))
    steering = Thread(target=describe_once, args=(engine,))
    steering.start()
    assert ask(str(tmp_path / "admin.sock"), EXPLAIN)["origins"] == ["Service number 42"]
    steering.join()


def test_explain_answers_while_nobody_steers(engine: Engine, tmp_path: Path) -> None:
    """As when Python is stuck: the numbers of the objects stand for their names."""
    engine.prepare(plan_of(ZONE, ErrorsOp(1), zones=("one",))).commit()
    engine.apply("one", ZoneChange((owner("a", "10.0.0.1", origin=1),), 1))
    start = time.monotonic()
    explained = ask(str(tmp_path / "admin.sock"), EXPLAIN)
    assert time.monotonic() - start < 1
    assert explained["origins"] == ["object #1"]
    assert explained["rcode"] == "NOERROR"
    assert rcode(engine, "a.cluster.local") == "NOERROR"


def test_status_tells_listeners_and_zones(engine: Engine, tmp_path: Path) -> None:
    engine.prepare(plan_of(ZONE, zones=("one",))).commit()
    engine.apply("one", ZoneChange((owner("a", "10.0.0.1"),), 77))
    status = ask(str(tmp_path / "admin.sock"), {"status": {}})
    assert status["zones"] == [{"zone": "one", "owners": 1, "complete": True, "serial": 77}]


def test_what_python_counts_is_shown_without_python(engine: Engine) -> None:
    port = free_port()
    metrics = HttpListener(f"127.0.0.1:{port}", "metrics", required=False, zones=[], latched=False)
    engine.prepare(msgspec.structs.replace(plan_of(WhoamiOp(1)), http=[metrics])).commit()
    engine.set_metrics("# TYPE a_total counter\na_total 1\n")
    engine.set_metrics("# TYPE b_total counter\nb_total 2")
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        text = reply.read().decode()
    assert "a_total" not in text
    assert text.endswith("# TYPE b_total counter\nb_total 2\n")


def test_a_lookout_counts_the_question_that_it_was_told(engine: Engine) -> None:
    engine.prepare(plan_of(LookoutOp("l", 1), WhoamiOp(1))).commit()
    assert engine.sightings("l") == (0, "")
    engine.look_out("l", "1.2.test.", 13)
    reply(engine, "1.2.TEST", "HINFO")
    reply(engine, "1.2.test", "A")
    count, source = engine.sightings("l")
    assert (count, source.startswith("127.0.0.1:")) == (1, True)
    with pytest.raises(EngineError, match="no plan names the lookout x"):
        engine.look_out("x", "1.2.test.", 13)
    assert engine.sightings("x") == (0, "")


def test_a_task_that_does_not_come_is_not_waited_for(engine: Engine) -> None:
    start = time.monotonic()
    assert engine.next_task(0.05) is None
    assert time.monotonic() - start < 2


def test_stop_ends_all_waiting(tmp_path: Path) -> None:
    engine = Engine(workers=2, admin=str(tmp_path / "admin.sock"))
    engine.prepare(plan_of(WhoamiOp(1))).commit()
    port = port_of(engine)
    waiting = Thread(target=engine.next_task, args=(60,))
    waiting.start()
    engine.stop(0)
    waiting.join(20)
    assert not waiting.is_alive()
    assert not os.path.exists(tmp_path / "admin.sock")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_an_admin_socket_that_is_served_already_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="served by another process"):
        Engine(workers=1, admin=str(tmp_path / "admin.sock"))
    assert ask(str(tmp_path / "admin.sock"), {"status": {}})["zones"] == []


def test_requests_that_make_no_sense_get_an_error(engine: Engine, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "admin.sock"))
        with client.makefile("rw") as lines:
            for request in ("", "{", "[]", '{"nosuch": {}}', '{"explain": {"name": "a", "colour": 1}}'):
                lines.write(f"{request}\n")
                lines.flush()
                assert "not a request" in json.loads(lines.readline())["error"]


def test_the_interfaces_of_this_machine() -> None:
    assert "127.0.0.1" in interfaces()["lo"]
