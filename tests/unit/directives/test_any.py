"""`any`"""

import pytest

from clusterdns.plan.ops import FixedOp
from tests.unit.directives.blocks import ops, problems


def test_questions_for_all_types_have_one_answer() -> None:
    (op,) = ops("any")
    assert isinstance(op, FixedOp)
    ((names,),) = [op.names]
    (reply,) = names.replies
    assert (names.which, reply.qtype, reply.qclass, reply.answer) == ("all", 255, None, ['@ 8482 IN HINFO "ANY obsoleted" "See RFC 8482"'])


@pytest.mark.parametrize(("line", "told"), [("any x", "`any` takes no arguments, found 1"), ("any {\nx\n}", "`any` takes no block")])
def test_what_is_wrong_is_told(line: str, told: str) -> None:
    assert any(told in message for _, message in problems(line))
