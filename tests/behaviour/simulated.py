"""Plays a scenario on the simulator: the same questions and upstreams, but machines without sockets, and time that passes at once."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from clusterdns.plan import Plan, encode_plan
from tests.behaviour.client import FIRST_OF_BURST, FIRST_QUERY, FIRST_TIMED, counted, numbered, repeated, with_time
from tests.behaviour.messages import query_wire, told
from tests.behaviour.missing import DIRECTORY, compiled
from tests.behaviour.placeholders import Placeholders
from tests.behaviour.scenario import Burst, Document, Query, Repeat, Scenario, Step, Timed, UpstreamSpec
from tests.behaviour.script import Script, told_events
from tools.console import ROOT
from tools.setup import rust_environment

BUILD = ("cargo", "build", "--quiet", "--package", "clusterdns-core", "--example", "simulator")
PROGRAM = ROOT / "target/debug/examples/simulator"
FIRST_PORT, FIRST_CLIENT = 20_000, 40_000
_DURATION = re.compile(r"(?<= )\d+(\.\d+)?s(?=$| )")
"""How long a query took, as `log` tells it: rounder than a clock would have it."""
STEPS = ("query", "repeat", "burst", "async_", "wait", "upstream")


def build() -> Path:
    """The simulator, built from what is there."""
    subprocess.run(BUILD, cwd=ROOT, env=rust_environment(), check=True)
    return PROGRAM


def can_simulate(scenario: Scenario) -> bool:
    """Whether all of it can be played without sockets, files and a process."""
    queries = [query for step in scenario.steps for query in _queries(step)]
    rules = [rule for spec in _specs(scenario) for rule in spec.rules]
    return (
        bool(scenario.recorded["start"]["started"] and queries)
        and not (scenario.args or scenario.stdin or scenario.cert or scenario.record_start_upstream)
        and all(any(getattr(step, kind) is not None for kind in STEPS) for step in scenario.steps)
        and all(query.proto != "tls" and query.addr == "127.0.0.1" for query in queries)
        and not any(rule.slow_tcp_ms or rule.twice for rule in rules)
        and _plan(scenario, Placeholders(Path(DIRECTORY), "", _ports())) is not None
    )


def simulate(scenario: Scenario, program: Path, machines: int) -> list[Document]:
    """What happens in each step. Questions go to the machines in turn, as they go to the threads of a server."""
    placeholders = Placeholders(Path(DIRECTORY), str(program), _ports())
    plan = _plan(scenario, placeholders)
    assert plan is not None
    with NamedTemporaryFile(suffix=".json") as file:
        file.write(encode_plan(plan))
        file.flush()
        addresses = {name: f"127.0.0.1:{placeholders.port(name)}" for name in sorted(scenario.upstreams)}
        with _running([str(program), str(machines), file.name, *addresses.values()]) as process:
            simulation = _Simulation(scenario, plan, placeholders, machines, process)
            return [simulation.do(step) for step in scenario.steps]


def _ports() -> Callable[[], int]:
    """Ports that nobody binds."""
    return itertools.count(FIRST_PORT).__next__


class _Upstream:
    """A script, and whether it can be reached."""

    def __init__(self, spec: UpstreamSpec) -> None:
        self.script = Script(spec.rules)
        self.is_up = spec.up
        self.lanes: set[tuple[int, int]] = set()
        self._spec = spec

    def hears(self, tcp: bool) -> bool:
        """Whether a query gets to it."""
        return self.is_up and (self._spec.tcp if tcp else self._spec.udp)


class _Simulation:
    """One play."""

    def __init__(self, scenario: Scenario, plan: Plan, placeholders: Placeholders, machines: int, process: subprocess.Popen[str]) -> None:
        self._scenario = scenario
        self._plan = plan
        self._placeholders = placeholders
        self._machines = itertools.cycle(range(machines))
        self._process = process
        self._upstreams = {name: _Upstream(spec) for name, spec in sorted(scenario.upstreams.items())}
        self._number = itertools.count(FIRST_QUERY)
        self._port = itertools.count(FIRST_CLIENT)
        self._now = 0.0
        self._log: list[str] = []
        self._pass(scenario.settle)
        for upstream in self._upstreams.values():
            upstream.script.taken()
        self._log.clear()

    def do(self, step: Step) -> Document:
        """One step, as `play.py` tells it."""
        happened = self._happen(step)
        self._pass(step.settle)
        happened |= told_events(step, {name: upstream.script for name, upstream in self._upstreams.items()})
        if self._log:
            happened["stdout"], self._log = self._log, []
        restored = self._placeholders.restore(happened)
        assert isinstance(restored, dict)
        return restored

    def _happen(self, step: Step) -> Document:
        if step.query is not None:
            return {"result": self._ask_next(step.query)}
        if step.repeat is not None:
            return self._repeat(step.repeat)
        if step.burst is not None:
            return self._burst(step.burst)
        if step.async_ is not None:
            return {"results": self._timed(step.async_)}
        if step.wait is not None:
            self._pass(step.wait)
        for name, change in (step.upstream or {}).items():
            self._change(self._upstreams[name], change)
        return {}

    def _ask_next(self, query: Query) -> Document:
        return self._timed([Timed(query)], next(self._number))[0]

    def _repeat(self, repeat: Repeat) -> Document:
        return repeated(repeat, [self._ask_next(numbered(repeat.query, number)) for number in range(repeat.n)])

    def _burst(self, burst: Burst) -> Document:
        return counted(self._timed([Timed(numbered(burst.query, number)) for number in range(burst.n)], FIRST_OF_BURST))

    def _timed(self, questions: Sequence[Timed], first: int = FIRST_TIMED) -> list[Document]:
        """The replies to questions that are each sent at their time, or what came instead within their patience."""
        began = self._now
        asked: dict[int, tuple[float, int]] = {}
        for number, question in sorted(enumerate(questions), key=lambda item: item[1].at_ms):
            self._pass(began + question.at_ms / 1000 - self._now)
            asked[number] = (self._now, self._send(question.query, first + number))
        patience = max(at + questions[number].query.timeout for number, (at, _) in asked.items()) - self._now
        answers = self._pass(patience, [sent for _, sent in asked.values()])
        return [self._reply(question.query, *asked[number], first + number, answers) for number, question in enumerate(questions)]

    def _send(self, query: Query, number: int) -> int:
        """Sends a question; gives the number that the simulator has for it."""
        to = f"127.0.0.1:{self._placeholders.port(query.to)}"
        source = next(self._port)
        self._placeholders.clients.add(source)
        listener = next(one.id for one in self._plan.listeners if one.port == self._placeholders.port(query.to))
        message = query_wire(query, number).hex()
        ask = {"machine": next(self._machines), "listener": listener, "from": f"{query.from_ or '127.0.0.1'}:{source}", "to": to}
        sent = self._request({"ask": {**ask, "tcp": query.proto == "tcp", "message": message}})
        assert isinstance(sent, int)
        return sent

    def _reply(self, query: Query, sent_at: float, sent: int, number: int, answers: Document) -> Document:
        at, message = answers.get(str(sent), (sent_at + query.timeout, None))
        if message is None or at - sent_at >= query.timeout:
            return with_time({"error": "timeout"}, query.timeout)
        return with_time(told(bytes.fromhex(message), number), at - sent_at)

    def _pass(self, seconds: float, answered: Sequence[int] = ()) -> Document:
        """Lets time pass, for some queries only until they are answered; gives their answers."""
        passed = self._request({"wait": {"seconds": max(0.0, seconds), "answered": answered}})
        self._now = passed["now"]
        self._log += [line if " plugin/" in line else _DURATION.sub("${DURATION}", line) for line in passed["log"]]
        return dict(passed["answers"])

    def _change(self, upstream: _Upstream, change: UpstreamSpec | str) -> None:
        if isinstance(change, UpstreamSpec):
            upstream.script.follow(change.rules)
            return
        upstream.is_up = change == "up"
        lanes, upstream.lanes = upstream.lanes, set()
        for machine, lane in lanes:
            self._request({"close": {"machine": machine, "lane": lane}})

    def _request(self, request: Document) -> Any:
        """What the simulator replies; the upstreams that it asks meanwhile are consulted."""
        self._tell(request)
        while isinstance(heard := self._hear(), dict) and "upstream" in heard:
            self._tell(self._deed(list(self._upstreams.values())[heard["upstream"]], heard))
        return heard

    def _deed(self, upstream: _Upstream, question: Document) -> Any:
        """What an upstream does with a query."""
        tcp, lane = question["tcp"], (question["machine"], question["lane"])
        if not upstream.hears(tcp):
            return "refuse"
        if tcp:
            upstream.lanes.add(lane)
        rule, wire = upstream.script.reply(bytes.fromhex(question["message"]), "tcp" if tcp else "udp", lane)
        if rule.drop or (rule.close and not tcp):
            return "drop"
        if rule.close:
            return "close"
        return {"say": {"message": wire.hex(), "after_ms": rule.delay_ms, "close": rule.close_after and tcp}}

    def _tell(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def _running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is talked with line by line, until its stdin ends."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def _plan(scenario: Scenario, placeholders: Placeholders) -> Plan | None:
    """The plan of a Corefile whose questions all have a listener, and which needs no zones and no HTTP."""
    if scenario.corefile is None:
        return None
    for name in sorted(scenario.upstreams):
        placeholders.port(name)
    compilation = compiled(scenario, scenario.corefile, placeholders.fill)
    plan = compilation.plan
    if plan is None or plan.zones or plan.http:
        return None
    ports = {one.port for one in plan.listeners if one.host == ""}
    asked = {placeholders.port(query.to) for step in scenario.steps for query in _queries(step)}
    return plan if asked <= ports else None


def _queries(step: Step) -> Iterator[Query]:
    """The questions of a step."""
    if step.query is not None:
        yield step.query
    for several in (step.repeat, step.burst):
        if several is not None:
            yield several.query
    yield from (timed.query for timed in step.async_ or ())


def _specs(scenario: Scenario) -> Iterator[UpstreamSpec]:
    """What upstreams are and become."""
    yield from scenario.upstreams.values()
    for step in scenario.steps:
        yield from (change for change in (step.upstream or {}).values() if isinstance(change, UpstreamSpec))
