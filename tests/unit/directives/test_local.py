"""`local`"""

import pytest

from clusterdns.plan.ops import FixedOp
from tests.unit.directives.blocks import ops, problems


def names(lines: str) -> list[tuple[str, str]]:
    """Which names are answered."""
    (op,) = ops(lines)
    assert isinstance(op, FixedOp)
    return [(names.which, names.name) for names in op.names]


@pytest.mark.parametrize(
    ("lines", "prefix"),
    [
        ("local", True),
        ("local {\nlocalhost_prefix on\n}", True),
        ("local {\nlocalhost_prefix off\n}", False),
        ("local {\nlocalhost_prefix off\n}\nlocal {\nlocalhost_prefix on\n}", True),
    ],
)
def test_names_that_begin_with_localhost_may_be_left_out(lines: str, prefix: bool) -> None:
    assert (("label", "localhost.") in names(lines)) == prefix
    assert ("below", "localhost.") in names(lines)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("local x", "`local` takes no arguments"),
        ("local {\nprefix on\n}", "unknown option `prefix` of `local`"),
        ("local {\nlocalhost_prefix\n}", "takes 1 argument, found 0"),
        ("local {\nlocalhost_prefix yes\n}", "`yes` is not one of on, off"),
    ],
)
def test_what_is_wrong_is_told(lines: str, told: str) -> None:
    assert any(told in message for _, message in problems(lines))
