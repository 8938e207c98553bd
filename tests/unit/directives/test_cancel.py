"""`cancel`"""

import pytest

from clusterdns.corefile.problems import Severity
from tests.unit.directives.blocks import compile_lines, problems


@pytest.mark.parametrize("line", ["cancel", "cancel 1s", "cancel 5001ms", "cancel\ncancel 2s"])
def test_it_changes_nothing_and_says_so(line: str) -> None:
    plan = compile_lines(f"{line}\nwhoami").plan
    assert plan is not None
    assert len(plan.blocks[0].program) == 1
    assert [code for code, _ in problems(line, Severity.WARNING)] == ["no-effect"]
    assert problems(line) == []


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
