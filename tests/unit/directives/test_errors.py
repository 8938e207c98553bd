"""`errors`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.plan.ops import Consolidation, ErrorsOp
from tests.unit.directives.blocks import compile_lines, ops, problems


@pytest.mark.parametrize("lines", ["errors", "errors stdout", "errors {\n}"])
def test_errors_logs_them(lines: str) -> None:
    assert ops(lines) == [ErrorsOp(span=0)]


def test_stacktrace_changes_nothing_and_says_so() -> None:
    plan = compile_lines("errors {\nstacktrace\n}").plan
    assert plan is not None
    assert plan.blocks[0].program == [ErrorsOp(span=0)]
    [problem] = compile_lines("errors {\nstacktrace\n}").problems
    assert (problem.severity, problem.code, problem.place.line) == (Severity.WARNING, "no-effect", 3)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('5m ".* i/o timeout$"', Consolidation(".* i/o timeout$", 300_000, "5m0s", "error", show_first=False)),
        ("1.5s refused warning", Consolidation("refused", 1500, "1.5s", "warning", show_first=False)),
        ("2s a info show_first", Consolidation("a", 2000, "2s", "info", show_first=True)),
        ("2s a show_first", Consolidation("a", 2000, "2s", "error", show_first=True)),
        ("2s a debug", Consolidation("a", 2000, "2s", "debug", show_first=False)),
        ("0 a", Consolidation("a", 0, "0s", "error", show_first=False)),
    ],
)
def test_errors_that_are_alike_are_counted(words: str, expected: Consolidation) -> None:
    assert ops(f"errors {{\nconsolidate {words}\n}}") == [ErrorsOp(span=0, id="errors/example.org", consolidate=[expected])]


def test_several_patterns_keep_their_order() -> None:
    (op,) = ops("errors {\nconsolidate 1s b\nconsolidate 2s a\n}")
    assert isinstance(op, ErrorsOp)
    assert [group.pattern for group in op.consolidate] == ["b", "a"]


@pytest.mark.parametrize(
    ("lines", "code", "part"),
    [
        ("errors foo", "wrong-option", "cannot be logged to `foo`"),
        ("errors stdout x", "argument-count", "at most 1 argument"),
        ("errors {\nstack\n}", "unknown-option", "did you mean `stacktrace`?"),
        ("errors\nerrors", "used-twice", "only once"),
        ("errors {\nconsolidate 5m\n}", "argument-count", "`consolidate` takes 2 to 4 arguments"),
        ("errors {\nconsolidate 5m a info show_first x\n}", "argument-count", "`consolidate` takes 2 to 4 arguments"),
        ("errors {\nconsolidate 5 a\n}", "bad-value", "`5` is no duration"),
        ("errors {\nconsolidate -5s a\n}", "bad-value", "at least 0s"),
        ("errors {\nconsolidate 5m [\n}", "bad-value", "`[` is no regular expression"),
        ("errors {\nconsolidate 5m a warn\n}", "unknown-value", "did you mean `warning`?"),
        ("errors {\nconsolidate 5m a info error\n}", "wrong-option", "multiple log levels"),
        ("errors {\nconsolidate 5m a show_first info\n}", "wrong-option", "write: info show_first"),
    ],
)
def test_what_is_wrong_is_told(lines: str, code: str, part: str) -> None:
    [(found, text)] = problems(lines)
    assert found == code
    assert part in text
