"""`errors`"""

import pytest

from clusterdns.plan import ErrorsOp
from tests.unit.directives.blocks import ops, problems


@pytest.mark.parametrize("lines", ["errors", "errors stdout", "errors {\n}", "errors {\nstacktrace\n}"])
def test_errors_logs_them(lines: str) -> None:
    assert ops(lines) == [ErrorsOp(span=0)]


@pytest.mark.parametrize(
    ("lines", "code", "part"),
    [
        ("errors foo", "wrong-option", "cannot be logged to `foo`"),
        ("errors stdout x", "argument-count", "at most 1 argument"),
        ("errors {\nstack\n}", "unknown-option", "did you mean `stacktrace`?"),
        ('errors {\nconsolidate 5m ".*"\n}', "unsupported-option", "`consolidate` is not supported yet"),
        ("errors\nerrors", "used-twice", "only once"),
    ],
)
def test_what_errors_does_not_have_is_told(lines: str, code: str, part: str) -> None:
    [(found, text)] = problems(lines)
    assert found == code
    assert part in text
