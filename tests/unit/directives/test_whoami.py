"""`whoami`"""

import pytest

from clusterdns.plan.ops import WhoamiOp
from tests.unit.directives.blocks import ops, problems


@pytest.mark.parametrize("lines", ["whoami", "whoami\nwhoami"])
def test_whoami_answers_once(lines: str) -> None:
    assert ops(lines) == [WhoamiOp(span=0)]


@pytest.mark.parametrize(("lines", "code"), [("whoami a", "argument-count"), ("whoami {\n}", "unexpected-block")])
def test_whoami_has_nothing_to_set(lines: str, code: str) -> None:
    assert [found for found, _ in problems(lines)] == [code]
