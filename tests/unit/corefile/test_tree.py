"""The tree and its hash."""

import pytest

from clusterdns.corefile.problems import Place
from clusterdns.corefile.syntax import Line, Token, Tree, parse_corefile, tree_hash
from clusterdns.sources import sources_of_texts

TEXT = ".:53 {\n    errors\n    forward . 1.1.1.1 {\n        except a b\n    }\n}\n"


def tree(text: str) -> Tree:
    """The tree of a Corefile."""
    return parse_corefile("Corefile", sources_of_texts({"Corefile": text})).tree


def test_a_line_knows_its_place_and_its_words() -> None:
    line = Line(Token("cache", Place("Corefile", 2, 5)), (Token("30", Place("Corefile", 2, 11)),))
    assert line.place == Place("Corefile", 2, 5)
    assert line.text == "cache 30"


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("    ", "\t"),
        "# a comment\n\n" + TEXT,
        TEXT.replace("errors", "errors # all of them"),
        TEXT.replace("1.1.1.1", '"1.1.1.1"'),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace(".:53 {", ".:53\n{"),
    ],
)
def test_comments_and_white_space_do_not_change_the_hash(text: str) -> None:
    assert tree_hash(tree(text)) == tree_hash(tree(TEXT))


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("errors\n", ""),
        TEXT.replace("a b", "a\n b"),
        TEXT.replace("a b", "ab"),
        TEXT.replace("a b", '"a b"'),
        TEXT.replace(".:53", ".:53 org"),
        TEXT.replace("errors", "errors {\n}"),
        TEXT * 2,
        "",
    ],
)
def test_everything_else_changes_the_hash(text: str) -> None:
    assert tree_hash(tree(text)) != tree_hash(tree(TEXT))


def test_the_hash_is_sha512_in_hex() -> None:
    assert len(tree_hash(tree(TEXT))) == 128
