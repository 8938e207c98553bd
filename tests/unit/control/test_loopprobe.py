"""The probe of `loop`: which blocks, which name, and what is made of what comes back."""

from __future__ import annotations

import re
import socket
from threading import Event, Thread

import dns.message
import pytest
from msgspec.structs import replace

from clusterdns.compiler import compile_plan
from clusterdns.control import loopprobe
from clusterdns.control.loopprobe import HINFO, Probed, find_loop, probe_name, probed_blocks
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.plan import Plan
from clusterdns.sources import sources_of_texts


def plan_of(corefile: str) -> Plan:
    """The plan of a Corefile."""
    sources = sources_of_texts({"Corefile": corefile})
    plan = compile_plan(parse_corefile("Corefile", sources), sources).plan
    assert plan is not None
    return plan


def test_each_block_with_loop_is_probed_once_at_its_first_zone_and_address() -> None:
    corefile = "example.org:1053 example.net {\nbind ::1 127.0.0.2\nloop\n}\n.:1053 {\nloop\n}\nother.test {\nwhoami\n}\n"
    first, second = probed_blocks(plan_of(corefile))
    assert (first.zone, first.host, first.port, first.address) == ("example.org.", "::1", 1053, "[::1]:1053")
    assert (second.zone, second.host, second.address) == (".", "", ":1053")
    assert first.lookout != second.lookout


def test_a_block_that_nobody_can_ask_in_plain_dns_is_not_probed() -> None:
    plan = plan_of(".:853 {\nloop\n}\n")
    secured = [replace(listener, server="tls://:853") for listener in plan.listeners]
    assert len(list(probed_blocks(plan))) == 1
    assert list(probed_blocks(replace(plan, listeners=secured))) == []


def test_the_name_is_another_one_each_time() -> None:
    assert re.fullmatch(r"\d+\.\d+\.", probe_name("."))
    assert re.fullmatch(r"\d+\.\d+\.example\.org\.", probe_name("example.org."))
    assert probe_name(".") != probe_name(".")
    assert probe_name("a." * 120) == ""


class Server:
    """On loopback: its lookout sees each question `times`, and it answers those of which `answers` says so."""

    def __init__(self, times: int, *answers: bool) -> None:
        self.told: list[tuple[str, int]] = []
        self.seen = 0
        self.asked: list[dns.message.Message] = []
        self._times = times
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(20)
        self.probed = Probed("l", "example.org.", "", self._socket.getsockname()[1])
        self._thread = Thread(target=self._serve, args=(answers,))

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._socket.close()

    def _serve(self, answers: tuple[bool, ...]) -> None:
        for answer in answers:
            octets, client = self._socket.recvfrom(512)
            self.asked.append(dns.message.from_wire(octets))
            self.seen += self._times
            if answer:
                self._socket.sendto(octets, client)

    def look_out(self, lookout: str, name: str, rtype: int) -> None:
        """As the engine does."""
        assert lookout == "l"
        self.told.append((name, rtype))
        self.seen = 0

    def sightings(self, lookout: str) -> tuple[int, str]:
        """As the engine does."""
        return self.seen, "127.0.0.1:4321"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopprobe, "PAUSE", 0.01)
    monkeypatch.setattr(loopprobe, "PATIENCE", 0.2)


def test_a_question_that_is_answered_is_asked_once_and_nothing_is_looked_out_for_any_more() -> None:
    with Server(1, True) as server:
        assert find_loop(server.probed, server, Event()) == ""
        (name, rtype), after = server.told
        assert (rtype, after) == (HINFO, (".", 0))
        (query,) = server.asked
        assert (query.question[0].to_text(), query.flags, query.edns) == (f"{name} IN HINFO", 0x0100, -1)


def test_what_comes_by_more_than_twice_is_a_loop() -> None:
    with Server(3, False) as server:
        words = find_loop(server.probed, server, Event())
        assert words == (
            f'plugin/loop: Loop (127.0.0.1:4321 -> {server.probed.address}) detected for zone "example.org.", '
            f'see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO {server.told[0][0]}"'
        )


def test_twice_is_none() -> None:
    with Server(2, True) as server:
        assert find_loop(server.probed, server, Event()) == ""


def test_without_an_answer_it_is_asked_again_and_counted_anew() -> None:
    with Server(2, False, True) as server:
        assert find_loop(server.probed, server, Event()) == ""
        assert len(server.asked) == 2
        assert server.told[0] == server.told[1], "it is the same question"


def test_nobody_is_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopprobe, "SECONDS", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with Server(1) as server:
        assert find_loop(replace(server.probed, port=port), server, Event()) == ""
        assert server.told[-1] == (".", 0)


def test_a_probe_that_is_ended_leaves_the_lookout_to_its_follower() -> None:
    ended = Event()
    ended.set()
    with Server(1) as server:
        assert find_loop(server.probed, server, ended) == ""
        assert server.told == []
