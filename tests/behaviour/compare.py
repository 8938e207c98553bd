"""Two accounts of one scenario, what was recorded and what was played: where do they differ in what counts?"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.behaviour.scenario import SLOW, Document, Scenario
from tests.behaviour.server import STREAMS

ABSENT = "<nothing>"
_DURATIONS = ("took_s", "after_s")
_TTL = re.compile(r"(?<= )(\d+)(?= (?:IN|CH|HS|ANY) )")

_OWN_WORDS = (
    (re.compile(r"^(\[\w+\] plugin/errors: \d+ .+? [A-Z0-9]+: ).*"), r"\1${ERROR}"),
    (re.compile(r"^(\[ERROR\] Restart failed: ).*"), r"\1${ERROR}"),
    (re.compile(r"^(\[ERROR\] (?:SIGUSR1|plugin/reload: .+): starting with listener file descriptors: ).*"), r"\1${ERROR}"),
    (re.compile(r"^(\[WARNING\] plugin/reload: Corefile parse failed: ).*"), r"\1${ERROR}"),
    (re.compile(r"^(\[ERROR\] Failed to start metrics handler: ).*"), r"\1${ERROR}"),
    (re.compile(r"^linux/.*"), "linux/"),
)
"""Lines that every program ends in its own words: why something did not work, and what it was made with."""
_OWN_LINES = re.compile(
    r"""^maxprocs:\ |                                              # Go's runtime
        ^\[WARNING\]\ (?!plugin/) | ^Warning:\ Domain\ |           # about the Corefile
        ^\[\w+\]\ plugin/kubernetes:\ (waiting\ for|starting\ server\ with|\w+:\ no\ connection\ to)\   # when it has waited (D23)""",
    re.VERBOSE,
)
"""Lines that another program need not have."""


_ABOUT_UDP_SOCKETS = re.compile(r"^(# TYPE )?coredns_proxy_conn_cache_\w+( counter$|\{proto=\"udp\")")


class Difference(NamedTuple):
    """A path (`steps[0].result.answer[1]`) and what stands there in both accounts."""

    path: str
    recorded: Any
    played: Any

    def __str__(self) -> str:
        return f"{self.path}\n    recorded {self.recorded!r}\n    played   {self.played!r}"


@dataclass(frozen=True)
class Tolerance:
    """What may differ: seconds of a duration, seconds of a TTL, and how many connections stand for one (D20: each thread has its own)."""

    seconds: float
    ttl: int
    connections: int


REAL = Tolerance(seconds=0.5, ttl=1, connections=len(os.sched_getaffinity(0)))
"""For a process on this machine."""


def differences(scenario: Scenario, recorded: Document, played: Document, tolerance: Tolerance = REAL) -> list[Difference]:
    """Where the accounts differ beyond what time, chance and the choice of words explain."""
    left, right = (dict(_flat(_spelt_out(comparable(scenario, account)))) for account in (recorded, played))
    paths = [*left, *(path for path in right if path not in left)]
    pairs = (Difference(path, left.get(path, ABSENT), right.get(path, ABSENT)) for path in paths)
    return [pair for pair in pairs if pair.recorded != pair.played and not is_near(pair, tolerance) and not _may_vary(scenario, pair)]


def comparable(scenario: Scenario, account: Document) -> Document:
    """An account without what says nothing."""
    account = copy.deepcopy(account)
    start, steps = account["start"], account["steps"]
    if start["started"]:
        start["stdout"] = sorted(_comparable_lines(start.get("stdout", [])))
    else:
        start.pop("stdout", None)
    start.pop("stderr", None)
    greeted: dict[str, set[str]] = {}
    for told, step in zip(steps, scenario.steps, strict=True):
        for stream in STREAMS:
            if stream in told:
                lines = _comparable_lines(told.pop(stream))
                told |= {stream: sorted(lines) if step.burst or step.async_ else lines} if lines else {}
        if isinstance(told.get("result"), dict):
            _without_udp_sockets(told["result"])
            for section in scenario.compare.unordered:
                told["result"].get(section, []).sort()
        for name, events in told.get("upstream", {}).items():
            told["upstream"][name] = _comparable_events(events, greeted.setdefault(name, set()))
    _join_signals_with_what_follows(scenario, steps)
    return account


def _spelt_out(account: Document) -> Document:
    """An account whose counted replies stand one by one: of some the TTL may have become one less meanwhile."""
    for told in account["steps"]:
        if isinstance(told.get("results"), dict):
            told["results"] = [reply for reply, count in sorted(told["results"].items()) for _ in range(count)]
    return account


def _comparable_lines(lines: list[str]) -> list[str]:
    kept = []
    for line in lines:
        for pattern, words in _OWN_WORDS:
            line = pattern.sub(words, line)
        if not _OWN_LINES.search(line):
            kept.append(line)
    return kept


def _comparable_events(events: Any, greeted: set[str]) -> Any:
    """From which of its UDP sockets a server asks is its own choice (D19), and handshakes of several connections overlap."""
    if not isinstance(events, list):
        return events
    greetings = [event for event in events if event.keys() & {"sni", "handshake"}]
    queries = [event for event in events if event not in greetings]
    # Each thread has a connection of its own (D20), so what was said at a handshake may be said again.
    handshakes = [event for said, event in sorted({str(event): event for event in greetings}.items()) if said not in greeted]
    greeted.update(map(str, greetings))
    for event in queries:
        if event["proto"] == "udp":
            event.pop("sock", None)
    return handshakes + queries


def _without_udp_sockets(result: Document) -> None:
    """How often a question finds one open depends on how many there are (D19)."""
    for section in ("metrics", "families"):
        if section in result:
            result[section] = [line for line in result[section] if not _ABOUT_UDP_SOCKETS.search(line)]


def _join_signals_with_what_follows(scenario: Scenario, steps: list[Document]) -> None:
    """A server may take its time over a signal, so its lines and its end belong to the wait behind it as well."""
    for number, step in enumerate(scenario.steps[:-1]):
        following = scenario.steps[number + 1]
        if step.signal is not None and (following.wait is not None or following.exit is not None):
            for stream in STREAMS:
                if late := steps[number + 1].pop(stream, None):
                    steps[number][stream] = steps[number].get(stream, []) + late
        if step.signal is not None and any(later.exit is not None for later in scenario.steps[number:]):
            for told in steps[number:]:
                told.pop("died", None)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path, `null` is none; of lists their length too, as `path#`."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _flat(inner, f"{path}.{key}" if path else key)
        case list():
            yield f"{path}#", len(value)
            for number, inner in enumerate(value):
                yield from _flat(inner, f"{path}[{number}]")
        case _ if value is not None:
            yield path, value


def is_near(pair: Difference, tolerance: Tolerance = REAL) -> bool:
    """Whether it is no more than what may differ; the number of health checks may be any."""
    if pair.path.endswith(_DURATIONS):
        recorded, played = (SLOW if value == ABSENT else value for value in (pair.recorded, pair.played))
        return bool(abs(recorded - played) <= tolerance.seconds)
    if ABSENT in pair:
        return False
    if pair.path.endswith(".sock"):
        return bool(pair.recorded <= pair.played <= pair.recorded * tolerance.connections)
    if isinstance(pair.recorded, str) and isinstance(pair.played, str):
        recorded, played = _TTL.split(pair.recorded), _TTL.split(pair.played)
        ttls = zip(map(int, recorded[1::2]), map(int, played[1::2]), strict=False)
        return recorded[::2] == played[::2] and all(abs(left - right) <= tolerance.ttl for left, right in ttls)
    return pair.path.endswith("count_varies")


def _may_vary(scenario: Scenario, pair: Difference) -> bool:
    """Whether CoreDNS itself does not do the same every time there."""
    if any(re.search(pattern, pair.path) for pattern in scenario.compare.ignore):
        return True
    varying = [re.sub(r"(\[\d+\]|#|(?<=\.results)\..*)$", "", path) for path in scenario.varies]
    return any(pair.path.startswith(path) for path in varying)
