"""`nsid`"""

import pytest

from clusterdns.plan.ops import NsidOp
from tests.unit.directives.blocks import ops, problems


@pytest.mark.parametrize(("line", "data"), [("nsid", "localhost"), ("nsid foo", "foo"), ('nsid a  "b  c" d', "a b  c d")])
def test_the_words_are_what_is_told(line: str, data: str) -> None:
    assert [op.data for op in ops(line) if isinstance(op, NsidOp)] == [data]


@pytest.mark.parametrize(("line", "told"), [("nsid a {\nx\n}", "`nsid` takes no block"), ("nsid a\nnsid b", "once")])
def test_what_is_wrong_is_told(line: str, told: str) -> None:
    assert any(told in message for _, message in problems(line))
