"""`bufsize`"""

import pytest

from clusterdns.plan.ops import BufsizeOp
from tests.unit.directives.blocks import compile_lines, ops, problems


@pytest.mark.parametrize(
    ("line", "size"), [("bufsize", 1232), ("bufsize 512", 512), ("bufsize 4096", 4096), ("bufsize 512\nbufsize 600", 600)]
)
def test_the_size_is_the_last_one_that_is_said(line: str, size: int) -> None:
    assert compile_lines(line).problems == ()
    assert [op.size for op in ops(line) if isinstance(op, BufsizeOp)] == [size]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("bufsize 100", "512"),
        ("bufsize 4097", "4096"),
        ("bufsize x", "`x`"),
        ("bufsize 512 600", "`bufsize` takes at most 1 argument, found 2"),
        ("bufsize {\nx\n}", "`bufsize` takes no block"),
        ("bufsize 100\nbufsize 600", "512"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    assert any(part in message for _, message in problems(line))
