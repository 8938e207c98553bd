"""`prometheus`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.directives import SETTINGS, TABLE
from clusterdns.plan import CountOp, HttpListener, Op
from tests.unit.directives.blocks import compile_lines, ops, problems
from tests.unit.directives.test_health import compiled, listeners


def count(op: Op) -> CountOp:
    """The op, which counts."""
    assert isinstance(op, CountOp)
    return op


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("prometheus", "localhost:9153"),
        ("prometheus :9153", ":9153"),
        ("prometheus 0.0.0.0:9153", ":9153"),
        ("prometheus [::1]:9154", "[::1]:9154"),
        ("prometheus {\n}", "localhost:9153"),
    ],
)
def test_the_process_has_an_address_for_it_that_it_can_do_without(line: str, address: str) -> None:
    assert compile_lines(line).problems == ()
    assert listeners(compile_lines(line)) == [HttpListener(address, "metrics", required=False, zones=[], latched=False)]


@pytest.mark.parametrize(
    ("lines", "directive", "directives"),
    [
        ("whoami\nprometheus", "whoami", ["prometheus", "whoami"]),
        ("whoami\nforward . 192.0.2.1\nlog\nerrors\nprometheus", "errors", ["prometheus", "errors", "log", "forward", "whoami"]),
        ("bufsize 512\nprometheus\ncache", "cache", ["bufsize", "prometheus", "cache"]),
        ("prometheus\nhealth\nready\nreload\nbind 127.0.0.1\ndebug", "", ["prometheus"]),
    ],
)
def test_answers_are_counted_under_the_first_directive_behind_it(lines: str, directive: str, directives: list[str]) -> None:
    found = next(count(op) for op in ops(lines) if isinstance(op, CountOp))
    assert (found.directive, found.directives, found.zone) == (directive, directives, "example.org.")


def test_blocks_share_an_address_and_each_counts_for_itself() -> None:
    compilation = compiled("a.org b.org {\n    prometheus\n    whoami\n}\nc.org {\n    prometheus\n}\nd.org {\n    whoami\n}")
    assert [(listener.address, listener.serves) for listener in listeners(compilation)] == [("localhost:9153", "metrics")]
    assert compilation.plan is not None
    counted = [(block.zone, [op.zone for op in block.program if isinstance(op, CountOp)]) for block in compilation.plan.blocks]
    assert counted == [("a.org.", ["a.org."]), ("b.org.", ["a.org."]), ("c.org.", ["c.org."]), ("d.org.", [])]


def test_what_go_knows_of_itself_is_not_here() -> None:
    ((code, text),) = problems("prometheus {\nruntime_metrics\n}", Severity.WARNING)
    assert code == "no-effect"
    assert "there is no Go runtime here" in text
    assert problems("prometheus {\nruntime_metrics\n}") == []


def test_settings_are_directives() -> None:
    assert set(TABLE) > SETTINGS


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("prometheus bla", "`bla` has no port"),
        ("prometheus :9153 :9154", "`prometheus` takes at most 1 argument, found 2"),
        ("prometheus\nprometheus", "`prometheus` can be used only once in a server block"),
        ("prometheus {\nruntime_metrics all\n}", "`runtime_metrics` takes no arguments, found 1"),
        ("prometheus {\ntls config.yml\n}", "`tls` of `prometheus` is not supported yet"),
        ("prometheus {\nruntime\n}", "unknown option `runtime` of `prometheus` | did you mean `runtime_metrics`?"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    ((_, text),) = problems(line)
    assert part in text
