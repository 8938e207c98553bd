"""`multisocket`"""

import pytest

from clusterdns.corefile.problems import Severity
from tests.unit.directives.blocks import compile_lines, problems


@pytest.mark.parametrize("line", ["multisocket", "multisocket 1", "multisocket 2", "multisocket 1024"])
def test_it_changes_nothing_and_says_so(line: str) -> None:
    assert compile_lines(line).plan == compile_lines("").plan
    assert [code for code, _ in problems(line, Severity.WARNING)] == ["no-effect"]
    assert problems(line) == []


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("multisocket 0", "0 is out of range: from 1 to 1024"),
        ("multisocket -1", "-1 is out of range: from 1 to 1024"),
        ("multisocket 1025", "1025 is out of range: from 1 to 1024"),
        ("multisocket x", "`x`"),
        ("multisocket 1 2", "at most 1 argument, found 2"),
        ("multisocket {\nx\n}", "takes no block"),
        ("multisocket\nmultisocket", "only once"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    (found,) = [text for _, text in problems(line)]
    assert part in found
