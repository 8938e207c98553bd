"""`health`"""

import pytest

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.plan.listeners import HttpListener
from clusterdns.scalars import NO_TIME, Duration
from clusterdns.sources import sources_of_texts
from tests.unit.directives.blocks import compile_lines, ops, problems


def compiled(corefile: str) -> Compilation:
    """What becomes of a Corefile."""
    sources = sources_of_texts({"Corefile": corefile})
    return compile_plan(parse_corefile("Corefile", sources), sources)


def listeners(compilation: Compilation) -> list[HttpListener]:
    """What it serves over HTTP."""
    assert compilation.plan is not None
    return compilation.plan.http


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("health", ":8080"),
        ("health :8081", ":8081"),
        ("health localhost:1234", "localhost:1234"),
        ("health 127.0.0.1:8080", "127.0.0.1:8080"),
        ("health 0.0.0.0:8080", ":8080"),
        ("health [::]:8080", ":8080"),
        ("health [2001:db8:0::1]:8080", "[2001:db8::1]:8080"),
        ("health {\nlameduck 4s\n}", ":8080"),
    ],
)
def test_the_process_has_an_address_for_it_that_it_must_get(line: str, address: str) -> None:
    assert compile_lines(line).problems == ()
    assert listeners(compile_lines(line)) == [HttpListener(address, "health", required=True, zones=[], latched=False)]
    assert ops(line) == []


@pytest.mark.parametrize(
    ("line", "length"),
    [("health", "0s"), ("health {\nlameduck 4s\n}", "4s"), ("health {\nlameduck 0\n}", "0s"), ("health :1 {\nlameduck 1m30s\n}", "1m30s")],
)
def test_lameduck_is_a_duration(line: str, length: str) -> None:
    assert compile_lines(line).lameduck == Duration.parse(length)


def test_of_several_blocks_the_longest_lameduck_counts() -> None:
    block = "{{\n    health {{\n        lameduck {0}\n    }}\n}}\n"
    corefile = "".join(f"{zone} {block.format(length)}" for zone, length in [("a.org", "3s"), ("b.org", "5s"), ("c.org", "1s")])
    assert compiled(corefile).lameduck == Duration.parse("5s")
    assert compiled("a.org {\n    whoami\n}").lameduck == NO_TIME


def test_blocks_with_the_same_address_share_it() -> None:
    corefile = "a.org {\n    health\n}\nb.org {\n    health 0.0.0.0:8080\n}\nc.org {\n    health :8081\n}"
    assert [listener.address for listener in listeners(compiled(corefile))] == [":8080", ":8081"]


def test_of_several_lines_in_a_block_the_last_counts() -> None:
    assert [listener.address for listener in listeners(compile_lines("health :1\nhealth :2"))] == [":2"]
    assert [code for code, _ in problems("health :1\nhealth :2", Severity.WARNING)] == ["used-twice"]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("health bla", "`bla` has no port"),
        ("health bla:a", "`a` is no port"),
        ("health bla bla", "`health` takes at most 1 argument, found 2"),
        ("health {\nlameduck a\n}", "`a` is no duration"),
        ("health {\nlameduck -1s\n}", "-1s is out of range"),
        ("health {\nlameduck\n}", "`lameduck` takes 1 argument, found 0"),
        ("health {\nlameduck 1s 2s\n}", "`lameduck` takes 1 argument, found 2"),
        ("health {\nlamedudk 4\n}", "unknown option `lamedudk` of `health` | did you mean `lameduck`?"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    ((_, text),) = problems(line)
    assert part in text
