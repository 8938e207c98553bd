"""`debug`"""

import pytest

from clusterdns.plan.ops import DebugOp
from tests.unit.directives.blocks import compile_lines, ops, problems


@pytest.mark.parametrize("lines", ["debug", "debug\ndebug"])
def test_debug_logs_more(lines: str) -> None:
    assert ops(lines) == [DebugOp(span=0)]
    assert compile_lines(lines).debug


@pytest.mark.parametrize(("lines", "code"), [("debug x", "argument-count"), ("debug {\n}", "unexpected-block")])
def test_debug_has_nothing_to_set(lines: str, code: str) -> None:
    assert [found for found, _ in problems(lines)] == [code]
