"""What an upstream replies and remembers, without sockets and time: its rules, and what it was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import dns.exception
import dns.message
import dns.opcode
import dns.rdataclass
import dns.rdatatype

from tests.behaviour.messages import edns_told, flag_names
from tests.behaviour.replies import matches, prepare, reply_wire
from tests.behaviour.scenario import Document, Rule, Step

HEALTH_CHECK = ". NS"
REFUSED = Rule(rcode="REFUSED")
NOTHING = Rule(drop=True)


class Reply(NamedTuple):
    """What becomes of a query: how it is replied to, and with what where it is."""

    rule: Rule
    wire: bytes


class Script:
    """The script of one upstream."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._matched: Counter[int] = Counter()
        self._events: list[Document] = []
        self._sockets: dict[tuple[str, Hashable], int] = {}
        self.follow(rules)

    def follow(self, rules: tuple[Rule, ...]) -> None:
        """Reply by these rules from now on."""
        self._rules = rules
        self._matched.clear()
        for rule in rules:
            prepare(rule)

    def reply(self, wire: bytes, proto: str, socket: Hashable) -> Reply:
        """What the first rule that matches says. `socket`: what tells the asker's socket from its others."""
        try:
            query = dns.message.from_wire(wire, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            self.note({"proto": proto, "unparsed": wire.hex()})
            return Reply(NOTHING, b"")
        self.note(self._told(query, proto, socket))
        rule = self._rule_for(query)
        return Reply(rule, b"" if rule.drop or rule.close else reply_wire(rule, query, proto))

    def note(self, event: Document) -> None:
        """Remember what happened."""
        self._events.append(event)

    @property
    def count(self) -> int:
        """How many events there are to take, health checks aside."""
        return sum(event.get("q") != HEALTH_CHECK for event in self._events)

    def taken(self) -> list[Document]:
        """What happened since the last time."""
        events, self._events = self._events, []
        return events

    def _told(self, query: dns.message.Message, proto: str, socket: Hashable) -> Document:
        """A query as the recordings tell it. `sock`: which of the server's sockets, by the order of their first queries."""
        entry = query.question[0] if query.question else None
        text = f"{entry.name} {dns.rdatatype.to_text(entry.rdtype)}" if entry is not None else ""
        told: Document = {"proto": proto, "q": text, "flags": flag_names(query.flags, ("rd", "ad", "cd"))}
        if text != HEALTH_CHECK:
            earlier = sum(known == proto for known, _ in self._sockets)
            told["sock"] = self._sockets.setdefault((proto, socket), earlier + 1)
        if entry is not None and entry.rdclass != dns.rdataclass.IN:
            told["class"] = dns.rdataclass.to_text(entry.rdclass)
        if query.opcode():
            told["opcode"] = dns.opcode.to_text(query.opcode())
        return told | {"edns": edns_told(query)}

    def _rule_for(self, query: dns.message.Message) -> Rule:
        for number, rule in enumerate(self._rules):
            if matches(rule, query) and (rule.times is None or self._matched[number] < rule.times):
                self._matched[number] += 1
                return rule
        return REFUSED


def told_events(step: Step, scripts: Mapping[str, Script]) -> Document:
    """What upstreams saw because of a step, as the step wants it told."""
    seen = {name: script.taken() for name, script in scripts.items()}
    told = _counts if step.count_upstream or step.burst else _folded
    asked = {name: told(events) for name, events in seen.items() if events}
    return {"upstream": asked} if asked and not step.no_upstream else {}


def _counts(events: Sequence[Document]) -> object:
    """How often each question came."""
    return dict(Counter(f"{event['proto']} {event.get('q')}" for event in events))


def _folded(events: Sequence[Document]) -> object:
    """What came, with all health checks as one entry: how many there are is a matter of time."""
    checks = [event for event in events if event.get("q") == HEALTH_CHECK]
    rest = [event for event in events if event.get("q") != HEALTH_CHECK]
    if not checks:
        return rest
    return [*rest, {"health_checks": HEALTH_CHECK, "flags": checks[0]["flags"], "proto": checks[0]["proto"], "count_varies": len(checks)}]
