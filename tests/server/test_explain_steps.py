"""What `explain` tells of upstreams, caches and the way back, on real servers that ask each other."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.process import served
from tests.server.test_explain import explained
from tests.servers import PATIENCE, Running, free_port
from tests.stories import steps_of

UPSTREAM = """\
.:PORT {
    bind 127.0.0.1
    template IN A example.org {
        answer "{{ .Name }} 300 IN A 192.0.2.1"
        answer "{{ .Name }} 300 IN A 192.0.2.2"
        authority "example.org. 600 IN NS ns.{{ .Name }}"
    }
}
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Running]:
    """Somebody to ask: each name of example.org has two addresses, and a name server below it."""
    (tmp_path / "upstream").mkdir()
    with served(tmp_path / "upstream", UPSTREAM) as running:
        yield running


@contextmanager
def asking(directory: Path, *lines: str) -> Iterator[Running]:
    """A server whose one block has these lines."""
    (directory / "server").mkdir()
    block = "".join(f"    {line}\n" for line in ("bind 127.0.0.1", "errors", *lines))
    with served(directory / "server", f".:PORT {{\n{block}}}\n") as running:
        yield running


def steps(server: Running, *arguments: str) -> list[str]:
    """Listener and block, which are the same each time, are left out, and so is the line of a directive."""
    told = steps_of(explained(server, *(arguments or ("a.example.org",))))[2:]
    return [re.sub(r" ?Corefile:\d+:\d+ .*", "", step) for step in told]


def test_an_upstream_that_refuses_is_never_called_healthy(tmp_path: Path, upstream: Running) -> None:
    dead, port = free_port(), upstream.port
    with asking(tmp_path, f"forward . 127.0.0.1:{dead} 127.0.0.1:{port} {{\npolicy sequential\nmax_fails 0\n}}") as server:
        for failures in ("no failures", "1 try has failed since its last answer", "2 tries have failed since its last answer"):
            assert steps(server) == [
                "forward",
                f"asks 127.0.0.1:{dead} over udp, upstream 1 of 2: policy sequential; {failures}",
                f"failed read udp 127.0.0.1:{dead}: read: connection refused",
                f"asks 127.0.0.1:{port} over udp, upstream 2 of 2: policy sequential; no failures",
                f"reply NOERROR from 127.0.0.1:{port}",
            ]
            server.ask("a.example.org")


def test_an_upstream_that_is_down_is_passed_over_and_it_is_told_why(tmp_path: Path, upstream: Running) -> None:
    dead, port = free_port(), upstream.port
    lines = f"forward . 127.0.0.1:{dead} 127.0.0.1:{port} {{\npolicy sequential\nmax_fails 1\nhealth_check 20ms\n}}"
    with asking(tmp_path, lines) as server:
        server.ask("a.example.org")
        until = time.monotonic() + PATIENCE
        while (told := steps(server))[1].startswith("asks "):
            assert time.monotonic() < until
        skips = (
            rf"skips 127\.0\.0\.1:{dead}: it is down, as 1 try and \d+ probes have failed since its last answer, "
            r"and it is being probed \(max_fails 1\)"
        )
        assert re.fullmatch(skips, told[1])
        assert told[2:] == [
            f"asks 127.0.0.1:{port} over udp, upstream 2 of 2: policy sequential; no failures",
            f"reply NOERROR from 127.0.0.1:{port}",
        ]


def test_a_miss_tells_what_would_be_kept_and_a_hit_since_when_it_is(tmp_path: Path, upstream: Running) -> None:
    with asking(tmp_path, "cache 30", f"forward . 127.0.0.1:{upstream.port}") as server:
        for _ in range(2):
            told = steps(server)
            assert told[:2] == ["cache", "miss nothing is kept for this question; the next directive is asked"]
            assert told[-2:] == ["cache TTL 300 → 30 (2 records); TTL 600 → 30", "keeps for 30 s as a success, were it not only explained"]
        server.ask("a.example.org")
        cache, hit = steps(server)
        assert cache == "cache"
        found = re.fullmatch(r"hit success kept (\d+) s ago for 30 s, (\d+) s left: not stale; prefetch is off", hit)
        assert found
        assert int(found[1]) + int(found[2]) == 30


def test_what_each_directive_made_of_the_answer_is_told(tmp_path: Path, upstream: Running) -> None:
    lines = (
        "rewrite continue {\nname exact a.example.org b.example.org\nanswer auto\n}",
        "rewrite ttl exact b.example.org 0-60",
        "minimal",
        "loadbalance",
        "header {\nresponse clear aa\n}",
        f"forward . 127.0.0.1:{upstream.port}",
    )
    with asking(tmp_path, *lines) as server:
        told = steps(server)
    back = told[told.index(f"reply NOERROR from 127.0.0.1:{upstream.port}") + 1 :]
    assert sorted(step for step in back if not step.startswith("loadbalance")) == [
        "header aa 1 → 0",
        "minimal authority: 1 record left out, NS ns.b.example.org.",
        "rewrite TTL 300 → 60 (2 records)",
        "rewrite name b.example.org. → a.example.org. (2 records)",
    ]
    (order,) = (step for step in back if step.startswith("loadbalance"))
    assert order in ("loadbalance changes nothing", "loadbalance order 192.0.2.1, 192.0.2.2 → 192.0.2.2, 192.0.2.1")
