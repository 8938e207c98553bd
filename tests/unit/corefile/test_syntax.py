"""Rules G1 to G4: server blocks, lines and their words, and how an error does not hide the next."""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import DEFAULT_COREFILE, Line, Parsed, parse_corefile
from clusterdns.sources import sources_of_texts

Shape = list[tuple[list[str], list[object]]]


def parse(text: str, **environment: str) -> Parsed:
    """A Corefile of this text."""
    return parse_corefile("Corefile", sources_of_texts({"Corefile": text}, environment))


def shape_of_lines(lines: tuple[Line, ...]) -> list[object]:
    """Lines as text; one with a block is a pair."""
    return [line.text if line.block is None else (line.text, shape_of_lines(line.block)) for line in lines]


def shape(parsed: Parsed) -> Shape:
    """The tree without places."""
    return [([key.text for key in block.keys], shape_of_lines(block.lines)) for block in parsed.tree.blocks]


def found(parsed: Parsed) -> list[tuple[str, int]]:
    """The problems as code and line."""
    return [(problem.code, problem.place.line) for problem in parsed.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".:53 {\n whoami\n}", [([".:53"], ["whoami"])]),
        (".:53\n{\n whoami\n}", [([".:53"], ["whoami"])]),
        (".:53 {\n}", [([".:53"], [])]),
        (".:53 { }", [([".:53"], [])]),
        (".:53 { whoami\n}", [([".:53"], ["whoami"])]),
        ("a b {\n}", [(["a", "b"], [])]),
        ("a, b {\n}", [(["a", "b"], [])]),
        ("a,\nb\n{\n whoami\n}", [(["a", "b"], ["whoami"])]),
        ("a", [(["a"], [])]),
        ("a b", [(["a", "b"], [])]),
        ("a\nwhoami\nlog . x", [(["a"], ["whoami", "log . x"])]),
        ("a {\n}\nb\nwhoami", [(["a"], []), (["b"], ["whoami"])]),
        ("a {\n}\nb {\n}", [(["a"], []), (["b"], [])]),
        ("a {\n} b {\n}", [(["a"], []), (["b"], [])]),
        ("", []),
        ("# only a comment", []),
    ],
)
def test_G1_a_file_is_a_sequence_of_server_blocks(text: str, expected: Shape) -> None:
    parsed = parse(text)
    assert shape(parsed) == expected
    assert parsed.problems == ()


def test_G1_snippets_are_no_server_blocks() -> None:
    assert shape(parse("(a) {\n errors {\n }\n}\n")) == []
    assert shape(parse("(a)\n{\n errors\n}\n. {\n import a\n}")) == [(["."], ["errors"])]
    assert shape(parse("(a) b {\n errors\n}")) == [(["(a)", "b"], ["errors"])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 1 2 {\n b 3\n c\n}", [("a 1 2", ["b 3", "c"])]),
        ("a {\n}", [("a", [])]),
        ("a { }", [("a", [])]),
        ("a { b 3\n}", [("a", ["b 3"])]),
        ("a { b }", [("a", ["b"])]),
        ("a {\n b {\n  c 4\n }\n}", [("a", [("b", ["c 4"])])]),
        ('a "x y"', ["a x y"]),
        ("a import b", ["a import b"]),
    ],
)
def test_G2_a_line_is_a_name_its_arguments_and_a_block(text: str, expected: list[object]) -> None:
    parsed = parse(f".:53 {{\n{text}\n}}")
    assert shape(parsed) == [([".:53"], expected)]
    assert parsed.problems == ()


def test_G3_lines_keep_their_order() -> None:
    assert shape(parse(". {\n b 1\n a\n b 2\n}")) == [(["."], ["b 1", "a", "b 2"])]


def test_G4_variables_are_replaced_in_keys_names_arguments_and_options() -> None:
    parsed = parse(
        "{$Z}:{%P%} {\n {$D} {$IP} a.{$Z} {$UNSET}b {\n  {$O} {$S}\n }\n}", Z="org", P="53", D="hosts", IP="::1", O="ttl", S="a b"
    )
    assert shape(parsed) == [(["org:53"], [("hosts ::1 a.org b", ["ttl a b"])])]
    assert parsed.tree.blocks[0].lines[0].block is not None
    assert [token.text for token in parsed.tree.blocks[0].lines[0].block[0].args] == ["a b"]


def test_G4_a_key_that_becomes_empty_is_left_out() -> None:
    parsed = parse("{$NOSUCH} {\n whoami\n}\n. {\n}")
    assert shape(parsed) == [(["."], [])]
    assert [(problem.code, problem.severity) for problem in parsed.problems] == [("no-key", Severity.WARNING)]


def test_G4_a_variable_that_names_itself_is_refused() -> None:
    parsed = parse(". {\n a {$A}\n}", A="{$A}")
    assert found(parsed) == [("endless-variable", 2)]


def test_G9_the_built_in_corefile_is_one() -> None:
    assert shape(parse(DEFAULT_COREFILE)) == [([".:53"], ["whoami", "log"])]


def test_G9_a_corefile_that_cannot_be_read_is_a_problem() -> None:
    parsed = parse_corefile("Corefile", sources_of_texts({}))
    assert [problem.code for problem in parsed.problems] == ["unreadable"]
    assert parsed.files == ()


def test_places_point_into_the_file() -> None:
    line = parse(". {\n  a b\n}").tree.blocks[0].lines[0]
    assert (str(line.place), str(line.args[0].place)) == ("Corefile:2:3", "Corefile:2:5")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (". {\n errors", [("unclosed-brace", 1)]),
        (". {\n cache {\n  success 10\n", [("unclosed-brace", 1), ("unclosed-brace", 2)]),
        ("(a) {\n errors", [("unclosed-brace", 1)]),
        (". {\n whoami }", [("brace-in-line", 2)]),
        (". { whoami }", [("brace-in-line", 1)]),
        (". {\n a { b 1 }\n}", [("brace-in-line", 2)]),
        (". {\n a\n {\n  b\n }\n}", [("brace-on-next-line", 3)]),
        (". {\n a {\n } b\n}", [("text-after-brace", 3)]),
        (". {\n a {\n } }", [("brace-in-line", 3)]),
        (". {\n {\n  b\n }\n c\n}", [("lone-brace", 2)]),
        ("a, {\n}", [("dangling-comma", 1)]),
        ("a,", [("dangling-comma", 1)]),
        ("(a)\nerrors\n", [("snippet-without-block", 1)]),
        (". {\n}\n}\n. {\n}", [("stray-brace", 3)]),
        (". {\n health{\n }\n whoami\n}", [("glued-brace", 2)]),
    ],
)
def test_what_does_not_fit_the_grammar_is_told_where_it_stands(text: str, problems: list[tuple[str, int]]) -> None:
    parsed = parse(text)
    assert sorted(found(parsed)) == sorted(problems)
    assert all(problem.severity is Severity.ERROR and problem.message and problem.hint for problem in parsed.problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (". {\n}\n}", ("stray-brace", 3)),
        (". {\n errors\n cache {\n }\n", ("unclosed-brace", 1)),
        ("{\n whoami\n}", ("no-key", 2)),
    ],
)
def test_what_coredns_starts_with_all_the_same_is_a_warning(text: str, problem: tuple[str, int]) -> None:
    parsed = parse(text)
    assert found(parsed) == [problem]
    assert parsed.problems[0].severity is Severity.WARNING


def test_what_is_not_understood_does_not_hide_the_rest() -> None:
    parsed = parse(". {\n a { b 1 }\n c\n import nosuch\n}\norg, {\n d {\n } x\n e\n}\n")
    assert found(parsed) == [("brace-in-line", 2), ("dangling-comma", 6), ("text-after-brace", 8), ("import-not-found", 4)]
    assert shape(parsed) == [(["."], [("a", ["b 1"]), "c"]), (["org"], [("d", []), "e"])]


def test_the_tree_goes_on_after_the_block_that_is_never_closed() -> None:
    parsed = parse(". {\n    cache {\n        success 10\n    errors\n\norg {\n    whoami\n}\n")
    assert sorted(found(parsed)) == [("unclosed-brace", 1), ("unclosed-brace", 2)]
    assert shape(parsed) == [(["."], [("cache", ["success 10"]), "errors"]), (["org"], ["whoami"])]


def test_blocks_that_are_nested_too_deep_are_refused() -> None:
    parsed = parse(". {\n" + "a {\n" * 5000 + "}\n" * 5001)
    assert found(parsed) == [("too-deep", 51)]
    parsed = parse(". {\n" + "{\n" * 5000 + "}\n" * 5001)
    assert found(parsed) == [("lone-brace", 2)]
    assert {code for code, _ in found(parse("{ " * 5000))} == {"lone-brace", "unclosed-brace"}
