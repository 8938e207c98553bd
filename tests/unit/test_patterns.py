"""Patterns: what the engine's parser says of them, as Python tells it. The syntax itself is tested beside the parser."""

import re

import pytest

from clusterdns.patterns import Pattern


def test_a_pattern_knows_its_groups() -> None:
    pattern = Pattern.parse(r"^(.*)-(?P<zone>us-west-[0-9]+)(?:x|y)\.example\.org\.$")
    assert pattern.groups == ("", "zone")
    assert str(pattern) == pattern.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(a", "`(a` is no regular expression: `(` without `)`"),
        ("a++", "`a++` is no regular expression: `+` repeats what is repeated already"),
        ("(?=a)", "`(?=a)` is no regular expression: `(?=` is no kind of group"),
        ("a" * 10_001, f"`{'a' * 80}` is no regular expression: it has 10001 characters, at most 10000 are possible"),
        ("((a{1000}){1000}){1000}", "`((a{1000}){1000}){1000}` is no regular expression: it repeats too much"),
    ],
)
def test_a_wrong_pattern_is_told_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        Pattern.parse(text)
