"""`timeouts`: CoreDNS's own cases of what is right and wrong, and whose times a listener has."""

import pytest

from clusterdns.compiler import compile_plan
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.plan.listeners import Timeouts
from clusterdns.sources import sources_of_texts
from tests.unit.directives.blocks import compile_lines, problems


def timeouts(options: str) -> Timeouts:
    """What a listener has whose one block has these options."""
    compilation = compile_lines(f"timeouts {{\n{options}\n}}")
    assert compilation.problems == ()
    assert compilation.plan is not None
    return compilation.plan.listeners[0].timeouts


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("read 30s", Timeouts(read_ms=30_000)),
        ("read 1m\nwrite 2m", Timeouts(read_ms=60_000, write_ms=120_000)),
        ("idle 1h", Timeouts(idle_ms=3_600_000)),
        ("read 10\nwrite 20\nidle 60", Timeouts(read_ms=10_000, write_ms=20_000, idle_ms=60_000)),
        ("read 1500ms", Timeouts(read_ms=1500)),
        ("idle 24h", Timeouts(idle_ms=86_400_000)),
        ("maxtcpqueries 128", Timeouts(most_queries=128)),
        ("maxtcpqueries -1", Timeouts()),
        ("read 10s\nmaxtcpqueries 128", Timeouts(read_ms=10_000, most_queries=128)),
        ("read 10s\nread 20s", Timeouts(read_ms=20_000)),
    ],
)
def test_each_option_is_a_time_or_a_number(options: str, expected: Timeouts) -> None:
    assert timeouts(options) == expected


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        ("timeouts", ["`timeouts` says no time | write at least one of read, write, idle, maxtcpqueries"]),
        ("timeouts {\n}", ["says no time"]),
        ("timeouts 10s {\nread 10s\n}", ["takes no arguments, found 1"]),
        ("timeouts {\nread 10s\ngiraffe 30s\n}", ["unknown option `giraffe`"]),
        ("timeouts {\nread 10s 20s\nwrite 30s\n}", ["`read` takes 1 argument, found 2"]),
        ("timeouts {\nwrite snake\n}", ["`snake` is no duration"]),
        ("timeouts {\nidle 0s\nread 48h\n}", ["0s is out of range: from 1s to 24h0m0s", "48h0m0s is out of range"]),
        ("timeouts {\nmaxtcpqueries 0\n}", ["0 is out of range: from 1"]),
        ("timeouts {\nmaxtcpqueries -2\n}", ["-2 is out of range: from 1"]),
        ("timeouts {\nmaxtcpqueries snake\n}", ["`snake`"]),
        ("timeouts {\nmaxtcpqueries\n}", ["takes 1 argument, found 0 | write: maxtcpqueries NUMBER | maxtcpqueries -1"]),
    ],
)
def test_what_is_wrong_is_told(lines: str, parts: list[str]) -> None:
    found = [text for _, text in problems(lines)]
    assert len(found) == len(parts), found
    assert all(part in text for part, text in zip(parts, found, strict=True)), found


def test_the_last_block_that_sets_a_time_decides_for_a_shared_listener() -> None:
    text = "a.org a.net:54 {\n timeouts {\n read 1s\n write 2s\n }\n}\nb.org {\n timeouts {\n read 5s\n }\n}\nc.org {\n whoami\n}\n"
    sources = sources_of_texts({"Corefile": text})
    plan = compile_plan(parse_corefile("Corefile", sources), sources).plan
    assert plan is not None
    assert {listener.id: listener.timeouts for listener in plan.listeners} == {
        ":53": Timeouts(read_ms=5000, write_ms=2000),
        ":54": Timeouts(read_ms=1000, write_ms=2000),
    }
