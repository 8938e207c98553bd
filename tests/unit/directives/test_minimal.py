"""`minimal`"""

import pytest

from clusterdns.plan.ops import MinimalOp
from tests.unit.directives.blocks import ops, problems


def test_it_is_one_op_however_often_it_is_said() -> None:
    assert [type(op) for op in ops("minimal\nminimal")] == [MinimalOp]


@pytest.mark.parametrize(
    ("line", "part"), [("minimal x", "`minimal` takes no arguments, found 1"), ("minimal {\nx\n}", "`minimal` takes no block")]
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    assert any(part in message for _, message in problems(line))
