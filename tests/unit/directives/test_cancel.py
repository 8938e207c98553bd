"""`cancel`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.plan.ops import CancelOp
from tests.unit.directives.blocks import compile_lines, ops, problems


@pytest.mark.parametrize(
    ("lines", "milliseconds"),
    [("cancel 1s", 1000), ("cancel 4999ms", 4999), ("cancel 1500us", 2), ("cancel 1ns", 1), ("cancel\ncancel 2s", 2000)],
)
def test_a_time_below_the_engines_own_is_told_to_it(lines: str, milliseconds: int) -> None:
    assert [op.timeout_ms for op in ops(lines) if isinstance(op, CancelOp)] == [milliseconds]


@pytest.mark.parametrize("lines", ["cancel", "cancel 5s", "cancel 5001ms", "cancel 1h", "cancel 2s\ncancel"])
def test_any_other_changes_nothing_and_says_so(lines: str) -> None:
    plan = compile_lines(f"{lines}\nwhoami").plan
    assert plan is not None
    assert len(plan.blocks[0].program) == 1
    assert [code for code, _ in problems(lines, Severity.WARNING)] == ["no-effect"]
    assert problems(lines) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("cancel 1", "`1` is no duration"),
        ("cancel 0s", "out of range"),
        ("cancel -1s", "out of range"),
        ("cancel 1s 2s", "at most 1 argument"),
        ("cancel {\nx\n}", "takes no block"),
    ],
)
def test_what_is_wrong_is_told(line: str, told: str) -> None:
    assert any(told in message for _, message in problems(line))
