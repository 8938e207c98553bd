"""`ready`"""

import pytest

from clusterdns.plan.listeners import HttpListener
from tests.unit.directives.blocks import compile_lines, ops, problems
from tests.unit.directives.test_health import compiled, listeners

CLUSTER = "    kubernetes {0} {{\n        manifests {0}\n    }}\n"


@pytest.mark.parametrize(
    ("line", "address", "latched"),
    [
        ("ready", ":8181", True),
        ("ready localhost:1234", "localhost:1234", True),
        ("ready 0.0.0.0:8181", ":8181", True),
        ("ready {\nmonitor until-ready\n}", ":8181", True),
        ("ready {\nmonitor continuously\n}", ":8181", False),
        ("ready localhost:1234 {\nmonitor continuously\n}", "localhost:1234", False),
    ],
)
def test_the_process_has_an_address_for_it_that_it_can_do_without(line: str, address: str, latched: bool) -> None:
    assert compile_lines(line).problems == ()
    assert listeners(compile_lines(line)) == [HttpListener(address, "ready", required=False, zones=[], latched=latched)]
    assert ops(line) == []


def test_it_waits_for_the_zones_of_all_blocks_that_have_it() -> None:
    blocks = {"a.org": "    ready\n", "b.org": "    ready :8282\n", "c.org": ""}
    compilation = compiled("".join(f"{zone} {{\n{ready}{CLUSTER.format(zone)}}}\n" for zone, ready in blocks.items()))
    assert compilation.plan is not None
    first, second, third = compilation.plan.zones
    assert [(listener.address, listener.zones) for listener in compilation.plan.http] == [
        (":8181", [first, second]),
        (":8282", [first, second]),
    ]
    assert third not in compilation.plan.http[0].zones


def test_it_may_share_its_address_with_health_and_with_other_blocks() -> None:
    compilation = compiled("a.org {\n    ready :8080\n    health\n}\nb.org {\n    ready :8080\n    health\n}")
    assert [(listener.address, listener.serves) for listener in listeners(compilation)] == [(":8080", "ready"), (":8080", "health")]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("ready bla", "`bla` has no port"),
        ("ready bla bla", "`ready` takes at most 1 argument, found 2"),
        ("ready localhost:1234 b", "`ready` takes at most 1 argument, found 2"),
        ("ready localhost:1234 {\nmonitor 404\n}", "`404` is not one of until-ready, continuously"),
        ("ready {\nmonitor\n}", "`monitor` takes 1 argument, found 0"),
        ("ready {\nmonitro continuously\n}", "unknown option `monitro` of `ready` | did you mean `monitor`?"),
        ("ready\nready :8182", "`ready` can be used only once in a server block"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    ((_, text),) = problems(line)
    assert part in text
