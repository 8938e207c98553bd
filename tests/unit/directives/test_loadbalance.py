"""`loadbalance`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.directives.block import WatchedFile
from clusterdns.plan.ops import ShuffleOp
from clusterdns.scalars import Duration
from tests.unit.directives.blocks import compile_lines, ops, problems

WEIGHTS = (
    "# comment\n\nA.example.org\n192.0.2.1 2\n192.0.2.2 1\n  \n\nb.example.org.\n2001:DB8::1 255\nA.example.org\n192.0.2.1 9\n192.0.2.3 3\n"
)


def shuffle(*prefer: str, weights: dict[str, dict[str, int]] | None = None) -> ShuffleOp:
    """The op with these settings."""
    return ShuffleOp(prefer=list(prefer), weights=weights or {}, span=0)


@pytest.mark.parametrize("lines", ["loadbalance", "loadbalance round_robin", "loadbalance {\n}"])
def test_the_default_is_any_order(lines: str) -> None:
    assert ops(lines) == [shuffle()]


def test_preferred_networks_add_up() -> None:
    lines = "loadbalance {\nprefer 10.1.2.3/8 fd00::/8\nprefer 192.0.2.0/24\n}"
    assert ops(lines) == [shuffle("10.0.0.0/8", "fd00::/8", "192.0.2.0/24")]


def test_weights_come_from_a_file() -> None:
    weights = {"a.example.org.": {"192.0.2.1": 2, "192.0.2.2": 1, "192.0.2.3": 3}, "b.example.org.": {"2001:db8::1": 255}}
    assert ops("loadbalance weighted w", {"w": WEIGHTS}) == [shuffle(weights=weights)]
    assert ops("loadbalance weighted w {\nprefer 10.0.0.0/8\n}", {"w": WEIGHTS}) == [shuffle("10.0.0.0/8", weights=weights)]


@pytest.mark.parametrize(
    ("lines", "watched"),
    [
        ("loadbalance weighted w", (WatchedFile("w", Duration.parse("30s")),)),
        ("loadbalance weighted w {\nreload 5s\n}", (WatchedFile("w", Duration.parse("5s")),)),
        ("loadbalance weighted w {\nreload 0s\n}", ()),
    ],
)
def test_the_file_is_looked_at_again(lines: str, watched: tuple[WatchedFile, ...]) -> None:
    assert compile_lines(lines, {"w": WEIGHTS}).watched == watched


def test_a_missing_file_may_appear_later() -> None:
    lines = "loadbalance weighted nosuch"
    assert compile_lines(lines).plan is not None
    assert [code for code, _ in problems(lines, Severity.WARNING)] == ["unreadable"]


def test_the_policy_of_the_last_line_counts() -> None:
    op = ops("loadbalance weighted w\nloadbalance", {"w": WEIGHTS})
    assert op == [shuffle()]


@pytest.mark.parametrize(
    ("lines", "code", "part"),
    [
        ("loadbalance foo", "unknown-value", "not one of round_robin, weighted"),
        ("loadbalance round_robin x", "argument-count", "at most 1 argument"),
        ("loadbalance weighted", "argument-count", "write: loadbalance weighted FILE"),
        ("loadbalance weighted a b", "argument-count", "2 arguments, found 3"),
        ("loadbalance {\nreload 5s\n}", "unknown-option", "unknown option `reload`"),
        ("loadbalance {\nprefer\n}", "argument-count", "at least 1 argument"),
        ("loadbalance {\nprefer 10.0.0.0\n}", "bad-value", "`10.0.0.0` is no network"),
        ("loadbalance weighted w {\nreload x\n}", "bad-value", "`x` is no duration"),
        ("loadbalance weighted w {\nreload\n}", "argument-count", "write: reload DURATION"),
        ("loadbalance weighted nosuch {\nreload 0s\n}", "unreadable", "No such file"),
    ],
)
def test_what_loadbalance_does_not_understand_is_told(lines: str, code: str, part: str) -> None:
    [(found, text)] = problems(lines, files={"w": WEIGHTS})
    assert found == code
    assert part in text


@pytest.mark.parametrize(
    ("weights", "part"),
    [
        ("a\n192.0.2.1 0", "w:2: 0 is out of range: from 1 to 255"),
        ("a\n192.0.2.1 256", "256 is out of range"),
        ("a\n192.0.2.1 x", "`x` is no whole number"),
        ("a\n192.0.2 1", "`192.0.2` is no IP address"),
        ("192.0.2.1 1", "w:1: `192.0.2.1 1` comes before any name"),
        ("192.0.2.1", "the address `192.0.2.1` has no weight"),
        ("a..b", "`a..b` is no name"),
        ("a\n192.0.2.1 1 1", "neither NAME nor ADDRESS WEIGHT"),
    ],
)
def test_a_wrong_weight_is_told_with_its_line(weights: str, part: str) -> None:
    [(code, text)] = problems("loadbalance weighted w", files={"w": weights})
    assert code == "bad-weights"
    assert part in text


def test_all_wrong_weights_are_told() -> None:
    assert len(problems("loadbalance weighted w", files={"w": "a\nx y\nb\nx y z\n"})) == 2
