"""`loop`: a lookout in its place."""

from clusterdns.plan.ops import LookoutOp
from tests.unit.directives.blocks import ops, problems


def test_it_stands_in_front_of_what_forwards_and_behind_what_answers_itself() -> None:
    program = ops("forward . 192.0.2.1\nloop\nhosts\nwhoami")
    assert [type(op).__name__ for op in program] == ["RecordsOp", "LookoutOp", "ForwardOp", "WhoamiOp"]
    assert [op.id for op in program if isinstance(op, LookoutOp)] == ["loop/example.org"]


def test_it_takes_nothing_and_stands_once() -> None:
    assert [code for code, _ in problems("loop x")] == ["argument-count"]
    assert [code for code, _ in problems("loop {\nx\n}")] == ["unexpected-block"]
    assert [code for code, _ in problems("loop\nloop")] == ["used-twice"]
