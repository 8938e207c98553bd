"""The directive, from the Corefile to the answer."""

from __future__ import annotations

from collections.abc import Iterator

import dns.message
import dns.query
import dns.rcode
import pytest

import clusterdns.directives
from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.engine import Engine
from clusterdns.sources import sources_of_texts
from examples.directive.sinkhole import DIRECTIVE

COREFILE = """
. {
    bind 127.0.0.1
    whoami
    sinkhole ads.example.org tracker.example.net {
        ttl 60
    }
}
"""


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when its package is installed."""
    monkeypatch.setattr(clusterdns.directives, "installed_directives", lambda: {"sinkhole": DIRECTIVE})


def compiled(corefile: str) -> Compilation:
    """What the compiler makes of it."""
    sources = sources_of_texts({"Corefile": corefile})
    return compile_plan(parse_corefile("Corefile", sources), sources, default_port=0)


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that has it."""
    plan = compiled(COREFILE).plan
    assert plan is not None
    engine = Engine(workers=1)
    engine.prepare(plan).commit()
    yield int(engine.bound()[0][1].rpartition(":")[2])
    engine.stop(0)


@pytest.mark.parametrize("name", ["ads.example.org.", "www.ads.example.org.", "WWW.Tracker.Example.Net."])
def test_a_name_in_a_sinkhole_does_not_exist(port: int, name: str) -> None:
    reply = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=10)
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.ttl for rrset in reply.authority] == [60]


def test_other_names_are_answered_by_the_directives_behind(port: int) -> None:
    reply = dns.query.udp(dns.message.make_query("loads.example.org.", "A"), "127.0.0.1", port=port, timeout=10)
    assert reply.rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sinkhole", "`sinkhole` takes at least 1 argument, found 0"),
        ("sinkhole a..b", "`a..b` is no zone: a label cannot be empty: two dots in a row, or a dot at the start"),
        ("sinkhole a {\nttl x\n}", "`x` is no whole number"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(line: str, message: str) -> None:
    assert [(problem.message, problem.place.line) for problem in compiled(f". {{\n{line}\n}}").problems] == [
        (message, 3 if "ttl" in line else 2)
    ]
