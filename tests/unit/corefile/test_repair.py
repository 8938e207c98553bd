"""Where a missing brace belongs."""

import pytest

from clusterdns.corefile.lexer import read_words
from clusterdns.corefile.repair import close_open_braces


def repaired(text: str) -> tuple[str, list[int]]:
    """The words with the missing braces, and the lines of the blocks that they close."""
    words, problems = close_open_braces(read_words(text, "Corefile")[0])
    return " ".join(word.text for word in words), [problem.place.line for problem in problems]


@pytest.mark.parametrize(
    ("text", "expected", "opened"),
    [
        (".  {\n  a\n", ". { a }", [1]),
        (".  {\n  a {\n    b\n  c\n}\n", ". { a { b } c }", [2]),
        (".  {\n  a {\n    b\n}\n", ". { a { b } }", [2]),
        (". {\n  a\n\norg {\n  b\n}\n", ". { a } org { b }", [1]),
        (". {\na {\nb\n}\n", ". { a { b } }", [1]),
        (". {\n  a {\n  b\n  }\n", ". { a { b } }", [1]),
        (". {\n  a\n}\n}\n", ". { a } }", []),
    ],
)
def test_the_indentation_tells_where_a_block_ends(text: str, expected: str, opened: list[int]) -> None:
    assert repaired(text) == (expected, opened)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("health{\n}", "health { }"), ("a b{\n}", "a b { }"), ("{$X}{", "{$X}{"), ('"a{"', "a{"), ("a{ b", "a{ b")],
)
def test_a_brace_at_the_end_of_a_line_is_a_word_of_its_own(text: str, expected: str) -> None:
    assert repaired(text)[0] == expected


def test_nothing_is_nothing() -> None:
    assert close_open_braces([]) == ([], [])
