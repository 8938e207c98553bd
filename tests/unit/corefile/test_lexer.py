"""Rules L1 to L5: the text of a file as words."""

import pytest

from clusterdns.corefile.lexer import Word, read_words


def words(text: str) -> list[Word]:
    """The words of a file."""
    return read_words(text, "Corefile")[0]


def texts(text: str) -> list[str]:
    """What the words say."""
    return [word.text for word in words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b\tc\nd", ["a", "b", "c", "d"]),
        ("a\u00a0b\u2003c\u0085d", ["a", "b", "c", "d"]),
        ("a\x1fb", ["a\x1fb"]),
        ("", []),
        (" \n\t\n", []),
    ],
)
def test_L1_words_are_split_at_white_space_as_go_knows_it(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("a\r\nb\r\n", ["a", "b"]), ("a\rb", ["ab"]), ("\r\r a", ["a"]), ('"a\rb"', ["a\rb"])])
def test_L1_a_carriage_return_is_dropped_outside_of_quotes(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_L1_a_byte_order_mark_at_the_start_is_dropped() -> None:
    assert words("\ufeffa") == words("a")
    assert texts("a \ufeffb") == ["a", "\ufeffb"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a b" c', ["a b", "c"]),
        ('"a\nb"', ["a\nb"]),
        (r'"say \"hi\""', ['say "hi"']),
        (r'"a\n\\b"', [r"a\n\\b"]),
        ('a"b c"', ['a"b', 'c"']),
        ('"a"b', ["a", "b"]),
        ('""', [""]),
        ('"# no comment"', ["# no comment"]),
        ("'a b'", ["'a", "b'"]),
    ],
)
def test_L2_a_quote_at_the_start_of_a_word_quotes(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(("text", "expected"), [('a "b\nc', ["a", "b\nc"]), ('a "', ["a"]), ('"a\\', ["a"]), ('"\\"', ['"'])])
def test_L2_a_quote_that_is_never_closed_goes_to_the_end_and_is_told(text: str, expected: list[str]) -> None:
    found, problems = read_words(text, "Corefile")
    assert [word.text for word in found] == expected
    assert [problem.code for problem in problems] == ["open-quote"]
    assert problems[0].place.column == text.index('"') + 1


@pytest.mark.parametrize(("text", "expected"), [("a # b\nc", ["a", "c"]), ("a#b", ["a"]), ("#a", []), ("a #", ["a"]), ("#\na", ["a"])])
def test_L3_a_comment_begins_anywhere_and_ends_with_the_line(text: str, expected: list[str]) -> None:
    found, problems = read_words(text, "Corefile")
    assert [word.text for word in found] == expected
    assert problems == []


def test_L3_words_in_a_comment_without_a_blank_before_it_are_told() -> None:
    found, problems = read_words("cache 30#all of it\nerrors", "Corefile")
    assert [word.text for word in found] == ["cache", "30", "errors"]
    assert [problem.code for problem in problems] == ["glued-comment"]


def test_L4_there_are_no_line_continuations_heredocs_or_other_comments() -> None:
    assert texts("a \\\nb <<E // c") == ["a", "\\", "b", "<<E", "//", "c"]


def test_L5_braces_are_words_only_when_they_stand_alone() -> None:
    assert texts("health{ } {$X} {}") == ["health{", "}", "{$X}", "{}"]


def test_places_count_lines_and_columns_from_one() -> None:
    found = words('a  b\n\n  "c\nd" e')
    assert [(word.place.line, word.place.column) for word in found] == [(1, 1), (1, 4), (3, 3), (4, 4)]
    assert [word.starts_line for word in found] == [True, False, True, False]
    assert [word.quoted for word in found] == [False, False, True, False]
