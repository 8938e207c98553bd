"""`multisocket`"""

import pytest

from tests.unit.directives.blocks import compile_lines, ops, problems


@pytest.mark.parametrize("line", ["multisocket", "multisocket 1", "multisocket 2", "multisocket 1024"])
def test_it_is_taken_and_changes_nothing(line: str) -> None:
    assert ops(line) == []
    assert compile_lines(line).plan == compile_lines("").plan


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
