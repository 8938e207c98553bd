"""What the admin socket says, told to people."""

from __future__ import annotations

from typing import Any

import pytest

from clusterdns.diagnose.story import answer_in_short, query_line, tell

A = {"name": "cart.shop.svc.cluster.local.", "ttl": 5, "type": "A", "data": "10.96.0.1"}
SOA = {"name": "cluster.local.", "ttl": 5, "type": "SOA", "data": "ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"}


def reply(**more: Any) -> dict[str, Any]:
    """A reply of the admin socket."""
    found: dict[str, Any] = {
        "name": "cart.shop.svc.cluster.local.",
        "type": "A",
        "rcode": "NOERROR",
        "flags": ["qr", "aa", "rd"],
        "answer": [A],
        "authority": [],
        "additional": [],
        "origins": ["Service shop/cart (shop.yaml:12:1)"],
        "nanoseconds": 7400,
    }
    explained = {"listener": "127.0.0.1:53", "size": 73, "steps": [], "place": "Corefile:4:5", "line": "kubernetes cluster.local"}
    return found | explained | more


def test_a_story_has_the_answer_and_then_its_reasons() -> None:
    steps = [
        {"what": "block", "detail": ".", "place": "Corefile:1:1", "line": ".:53", "at": 999},
        {"what": "zone", "detail": "", "place": "Corefile:4:5", "line": "kubernetes cluster.local", "at": 2100},
        {"what": "alias", "detail": "CNAME a.test.", "place": None, "line": None, "at": 12345},
    ]
    assert tell(reply(steps=steps, authority=[SOA])) == (
        "cart.shop.svc.cluster.local. A: NOERROR (qr aa rd), 73 octets, 7 µs\n"
        "  answer     cart.shop.svc.cluster.local. 5 A 10.96.0.1\n"
        "  authority  cluster.local. 5 SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5\n"
        "because\n"
        "  listener          127.0.0.1:53\n"
        "  block       0 µs  .  Corefile:1:1  .:53\n"
        "  zone        2 µs  Corefile:4:5  kubernetes cluster.local\n"
        "  alias      12 µs  CNAME a.test.\n"
        "  object            Service shop/cart (shop.yaml:12:1)"
    )


def test_silence_is_told() -> None:
    steps = [{"what": "acl", "detail": "", "place": "Corefile:6:9", "line": "drop type TXT", "at": 1}]
    story = tell(reply(rcode="", flags=[], size=0, answer=[], origins=[], steps=steps))
    assert story == (
        "cart.shop.svc.cluster.local. A: no reply, 7 µs\nbecause\n"
        "  listener        127.0.0.1:53\n"
        "  acl       0 µs  Corefile:6:9  drop type TXT"
    )


def test_long_words_keep_the_columns() -> None:
    steps = [{"what": "loadbalance", "detail": "", "place": "Corefile:7:5", "line": "loadbalance", "at": 1}]
    assert tell(reply(steps=steps)).splitlines()[1:] == [
        "  answer       cart.shop.svc.cluster.local. 5 A 10.96.0.1",
        "because",
        "  listener           127.0.0.1:53",
        "  loadbalance  0 µs  Corefile:7:5  loadbalance",
        "  object             Service shop/cart (shop.yaml:12:1)",
    ]


@pytest.mark.parametrize(
    ("nanoseconds", "time"),
    [(0, "0 µs"), (1999, "1 µs"), (999_999, "999 µs"), (1_000_000, "1.0 ms"), (99_940_000, "99.9 ms"), (2_003_120_000, "2003 ms")],
)
def test_a_step_tells_when_it_was(nanoseconds: int, time: str) -> None:
    step = {"what": "reply", "detail": "NOERROR", "place": None, "line": None, "at": nanoseconds}
    lines = tell(reply(steps=[step], nanoseconds=nanoseconds)).splitlines()
    assert lines[0].endswith(f", {time}")
    assert lines[-2:] == [f"  reply     {time}  NOERROR", f"  object    {' ' * len(time)}  Service shop/cart (shop.yaml:12:1)"]


def test_a_query_is_one_line() -> None:
    assert query_line(reply()) == (
        "cart.shop.svc.cluster.local. A | 10.96.0.1 | Service shop/cart (shop.yaml:12:1) | Corefile:4:5 kubernetes cluster.local | 7 µs"
    )


def test_what_is_not_known_is_left_out_of_the_line() -> None:
    line = query_line(reply(answer=[], rcode="REFUSED", origins=[], place=None, line=None))
    assert line == "cart.shop.svc.cluster.local. A | REFUSED | 7 µs"


@pytest.mark.parametrize(
    ("more", "short"),
    [
        ({"answer": []}, "no data"),
        ({"answer": [], "rcode": "NXDOMAIN"}, "NXDOMAIN"),
        ({"answer": [A | {"data": f"10.0.0.{number}"} for number in range(5)]}, "10.0.0.0, 10.0.0.1, 10.0.0.2, and 2 more"),
        ({"answer": [A | {"type": "CNAME", "data": "b.test."}, A]}, "CNAME b.test., 10.96.0.1"),
    ],
)
def test_an_answer_in_short(more: dict[str, Any], short: str) -> None:
    assert answer_in_short(reply(**more)) == short
