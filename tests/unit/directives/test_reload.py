"""`reload`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.directives.block import ReloadOptions
from clusterdns.scalars import Duration
from tests.unit.directives.blocks import compile_lines, ops, problems


@pytest.mark.parametrize(
    ("line", "interval", "jitter"),
    [
        ("reload", "30s", "15s"),
        ("reload 2s", "2s", "1s"),
        ("reload 10s", "10s", "5s"),
        ("reload 10s 0s", "10s", "0s"),
        ("reload 10s 0", "10s", "0s"),
        ("reload 10s 1s", "10s", "1s"),
        ("reload 10s 8s", "10s", "5s"),
        ("reload 1h 15s", "1h", "15s"),
    ],
)
def test_the_jitter_is_at_most_half_of_the_interval(line: str, interval: str, jitter: str) -> None:
    assert compile_lines(line).problems == ()
    assert compile_lines(line).reload == ReloadOptions(Duration.parse(interval), Duration.parse(jitter))
    assert ops(line) == []


def test_reload_off_is_no_reload() -> None:
    assert compile_lines("reload off").problems == ()
    assert compile_lines("reload off").reload is None


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("reload x", ["`x` is no duration"]),
        ("reload 30", ["`30` is no duration"]),
        ("reload 1s", ["1s is out of range: at least 2s"]),
        ("reload 1s x", ["1s is out of range", "`x` is no duration"]),
        ("reload 10s 500ms", ["a jitter of 500ms is too short | write 0s for none, or at least 1s"]),
        ("reload 10s -1s", ["-1s is out of range: at least 0s"]),
        ("reload 10s off", ["`off` is no duration"]),
        ("reload 10s 5s 1s", ["at most 2 arguments, found 3 | write: reload [INTERVAL] [JITTER] | reload off"]),
        ("reload {\n}", ["takes no block"]),
    ],
)
def test_what_is_no_interval_is_told(line: str, parts: list[str]) -> None:
    found = [text for _, text in problems(line)]
    assert len(found) == len(parts)
    assert all(part in text for part, text in zip(parts, found, strict=True))


def test_only_the_first_line_counts() -> None:
    assert compile_lines("reload 10s\nreload 20s").reload == ReloadOptions(Duration.parse("10s"), Duration.parse("5s"))
    assert [code for code, _ in problems("reload 10s\nreload 20s", Severity.WARNING)] == ["used-twice"]
