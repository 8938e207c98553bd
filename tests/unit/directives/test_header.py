"""`header`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.plan.ops import Flags, HeaderOp
from tests.unit.directives.blocks import compile_lines, ops, problems


def flags(aa: bool | None = None, ra: bool | None = None, rd: bool | None = None) -> Flags:
    """These changes, and no others."""
    return Flags(aa=aa, ra=ra, rd=rd)


@pytest.mark.parametrize(
    ("rules", "query", "response"),
    [
        ("response set ra", flags(), flags(ra=True)),
        ("response set ra aa\nresponse clear rd\nquery clear rd", flags(rd=False), flags(aa=True, ra=True, rd=False)),
        ("RESPONSE Set RA", flags(), flags(ra=True)),
        ("query set rd aa\nquery clear rd", flags(aa=True, rd=False), flags()),
    ],
)
def test_rules_are_changes_and_the_last_one_counts(rules: str, query: Flags, response: Flags) -> None:
    (op,) = ops(f"header {{\n{rules}\n}}")
    assert isinstance(op, HeaderOp)
    assert (op.query, op.response) == (query, response)


def test_the_old_form_means_answers() -> None:
    lines = "header {\nset ra\nclear rd aa\n}"
    assert problems(lines) == []
    plan = compile_lines(lines).plan
    assert plan is not None
    (op,) = plan.blocks[0].program
    assert isinstance(op, HeaderOp)
    assert (op.query, op.response) == (flags(), flags(aa=False, ra=True, rd=False))
    told = problems(lines, Severity.WARNING)
    assert ("old-form", "a rule without a selector means answers | write: response clear rd aa") in told


def test_a_second_line_changes_nothing() -> None:
    lines = "header {\nresponse set ra\n}\nheader {\nresponse set aa\n}"
    assert [code for code, _ in problems(lines, Severity.WARNING)] == ["used-twice"]
    plan = compile_lines(lines).plan
    assert plan is not None
    assert [op.response for op in plan.blocks[0].program if isinstance(op, HeaderOp)] == [flags(ra=True)]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("header", "`header` takes its rules in a block | write: header { query|response set|clear FLAG... }"),
        ("header {\n}", "`header` takes its rules in a block"),
        ("header response set ra", "`header` takes its rules in a block"),
        ("header {\nresponse foo ra\n}", "`foo` is not one of set, clear"),
        ("header {\nresponse set\n}", "a rule needs an action and at least one flag"),
        ("header {\nresponse\n}", "a rule needs an action and at least one flag"),
        ("header {\nresponse set tc\n}", "`tc` is not one of aa, ra, rd"),
        ("header {\nrespond set ra\n}", "unknown option `respond` of `header` | did you mean `response`?"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    assert any(part in message for _, message in problems(line))
