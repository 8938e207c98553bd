"""Host names: who is asked, what counts as an answer, and that nobody waits for long."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from threading import Event

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from clusterdns.control import lookup
from clusterdns.control.lookup import Lookups, addresses_in, look_up
from clusterdns.scalars import Endpoint
from clusterdns.sources import Resolve, UnresolvedError
from tests.nameserver import name_server, reply_with

SERVER = Endpoint("192.0.2.53", 53)


def nothing(query: dns.message.Message) -> Sequence[bytes]:
    """No answer."""
    return ()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are not waited for."""
    monkeypatch.setattr(lookup, "TRY", 0.02)


def refusal(name: str, servers: Sequence[Endpoint], resolve: Resolve = look_up) -> str:
    """Why a name has no address."""
    with pytest.raises(UnresolvedError) as raised:
        resolve(name, servers)
    return str(raised.value)


def test_a_server_is_asked_for_both_families_with_recursion() -> None:
    asked: list[tuple[str, bool]] = []

    def answer(query: dns.message.Message) -> Sequence[bytes]:
        asked.append((query.question[0].to_text(), bool(query.flags & dns.flags.RD)))
        records = ("DNS.example. CNAME b.example.", "b.example. A 192.0.2.2", "b.example. A 192.0.2.1", "b.example. AAAA 2001:db8::1")
        return reply_with(*records)(query)

    with name_server(answer) as server:
        assert look_up("dns.example.", [server]) == ["192.0.2.2", "192.0.2.1", "2001:db8::1"]
    assert sorted(asked) == [("dns.example. IN A", True), ("dns.example. IN AAAA", True)]


def test_one_family_is_enough() -> None:
    with name_server(reply_with("dns.example. AAAA 2001:db8::1")) as server:
        assert look_up("dns.example", [server]) == ["2001:db8::1"]


def test_the_next_server_is_asked_where_one_knows_nothing() -> None:
    good, refusing = reply_with("dns.example. A 192.0.2.1"), reply_with(rcode=dns.rcode.NXDOMAIN)
    with name_server(refusing) as first, name_server(reply_with()) as second, name_server(good) as third:
        assert look_up("dns.example", [first, second, third]) == ["192.0.2.1"]
        assert refusal("dns.example", [first, second]) == f"{first} says NXDOMAIN; {second} knows no address of it"


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        server = Endpoint("127.0.0.1", gone.getsockname()[1])
    assert refusal("dns.example", [server]) == f"{server}: Connection refused"


def test_what_is_lost_on_the_way_is_asked_again(impatient: None) -> None:
    asked: list[str] = []

    def answer(query: dns.message.Message) -> Sequence[bytes]:
        asked.append(dns.rdatatype.to_text(query.question[0].rdtype))
        lost = asked[-1] == "A" and asked.count("A") == 1
        return [] if lost else reply_with("dns.example. A 192.0.2.1", "dns.example. AAAA 2001:db8::1")(query)

    with name_server(answer) as server:
        assert look_up("dns.example", [server]) == ["192.0.2.1", "2001:db8::1"]
    assert asked.count("A") == 2


def test_silence_is_told(impatient: None) -> None:
    with name_server(nothing) as server:
        assert refusal("dns.example", [server]) == f"{server} does not answer"


def test_what_is_no_reply_to_the_question_is_not_believed(impatient: None) -> None:
    def lie(query: dns.message.Message) -> Sequence[bytes]:
        good = bytearray(reply_with("dns.example. A 192.0.2.66")(query)[0])
        other_id, other_name, no_response = good.copy(), good.copy(), good.copy()
        other_id[0] ^= 0xFF
        other_name[13] ^= 0x01
        no_response[2] &= 0x7F
        return [bytes(wire) for wire in (other_id, other_name, no_response, good[:5], b"\x00")]

    with name_server(lie) as server:
        assert refusal("dns.example", [server]) == f"{server} does not answer"


def test_a_reply_is_read_as_far_as_it_can_be() -> None:
    query = dns.message.make_query("dns.example", "A")
    wire = reply_with("dns.example. A 192.0.2.1", "dns.example. A 192.0.2.2")(query)[0]
    assert addresses_in(wire) == ["192.0.2.1", "192.0.2.2"]
    assert [addresses_in(wire[:-cut]) for cut in (1, 16, 17)] == [["192.0.2.1"], ["192.0.2.1"], []]
    assert addresses_in(wire[:12]) == []


def test_the_system_knows_localhost() -> None:
    assert "127.0.0.1" in look_up("localhost", [])


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "there is no such name"),
        (socket.gaierror(socket.EAI_NODATA, "No address associated with hostname"), "there is no such name"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "no name server of the system answers"),
        (socket.gaierror(socket.EAI_MEMORY, "Memory allocation failure"), "Memory allocation failure"),
    ],
)
def test_what_the_system_cannot_is_told(fault: Exception, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*arguments: object, **more: object) -> None:
        raise fault

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert refusal("dns.example", []) == why


def test_each_name_is_asked_for_once() -> None:
    asked: list[str] = []

    def resolve(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
        asked.append(f"{name} {len(servers)}")
        if name == "bad":
            raise UnresolvedError("there is no such name")
        return ["192.0.2.1"]

    lookups = Lookups(resolve)
    for _ in range(2):
        assert lookups.resolve("good", []) == ["192.0.2.1"]
        assert lookups.resolve("good", [SERVER]) == ["192.0.2.1"]
        assert refusal("bad", [], lookups.resolve) == "there is no such name"
    assert asked == ["good 0", "good 1", "bad 0"]


def test_nobody_waits_longer_than_there_is_time_for_all_names_together() -> None:
    """Difference D61."""
    now, released = 100.0, Event()

    def resolve(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
        nonlocal now
        if name == "hanging":
            released.wait()
        now += 4.999
        return ["192.0.2.1"]

    lookups = Lookups(resolve, 5.0, lambda: now)
    assert lookups.resolve("slow", []) == ["192.0.2.1"]
    why = "it took longer than the 5s that there are for all names of a Corefile"
    assert [refusal("hanging", [], lookups.resolve) for _ in range(2)] == [why] * 2
    released.set()


def test_a_fault_of_ours_is_told_as_the_reason() -> None:
    def resolve(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
        raise ZeroDivisionError("a bug")

    assert refusal("dns.example", [], Lookups(resolve).resolve) == "ZeroDivisionError: a bug"
