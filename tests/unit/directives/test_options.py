"""Reading the lines of a directive: typed values, or a problem that says what to write."""

from ipaddress import ip_network

import pytest

from clusterdns.corefile.problems import Place, Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.corefile.tree import Line, Token
from clusterdns.directives import options
from clusterdns.directives.block import BlockContext
from clusterdns.patterns import Pattern
from clusterdns.plan.listeners import Span
from clusterdns.plan.ops import DebugOp
from clusterdns.scalars import Cidr, Duration, Endpoint, Size
from clusterdns.sources import sources_of_texts


@pytest.fixture
def block() -> BlockContext:
    """A server block for example.org."""
    return BlockContext(zones=("example.org.",), sources=sources_of_texts({}), directory="")


def line(text: str) -> Line:
    """The only directive of a block with this text."""
    return parse_corefile("Corefile", sources_of_texts({"Corefile": f". {{\n{text}\n}}"})).tree.blocks[0].lines[0]


def word(text: str) -> Token:
    """A word somewhere."""
    return Token(text, Place("Corefile", 2, 7))


def told(block: BlockContext) -> list[tuple[str, str, str]]:
    """The problems as code, message and hint."""
    return [(problem.code, problem.message, problem.hint) for problem in block.problems]


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("a", "a"),
        ("a 1", "a X"),
        ("a", "a [X]"),
        ("a 1 2", "a X [Y]"),
        ("a 1 2 3", "a X..."),
        ("a 1 2 3", "a X [Y...]"),
        ("a", "a [X...]"),
    ],
)
def test_arguments_are_as_many_as_the_syntax_tells(block: BlockContext, text: str, syntax: str) -> None:
    given = options.arguments(line(text), block, syntax)
    assert given is not None
    assert [token.text for token in given] == text.split()[1:]
    assert block.problems == []


@pytest.mark.parametrize(
    ("text", "syntax", "message", "column"),
    [
        ("a 1", "a", "`a` takes no arguments, found 1", 3),
        ("a", "a X", "`a` takes 1 argument, found 0", 1),
        ("a 1 2", "a X", "`a` takes 1 argument, found 2", 5),
        ("a", "a X Y", "`a` takes 2 arguments, found 0", 1),
        ("a", "a X [Y]", "`a` takes 1 to 2 arguments, found 0", 1),
        ("a 1 2", "a [X]", "`a` takes at most 1 argument, found 2", 5),
        ("a 1 2 3", "a [X] [Y]", "`a` takes at most 2 arguments, found 3", 7),
        ("a", "a X...", "`a` takes at least 1 argument, found 0", 1),
        ("a 1", "a X Y...", "`a` takes at least 2 arguments, found 1", 1),
    ],
)
def test_a_wrong_number_of_arguments_is_told(block: BlockContext, text: str, syntax: str, message: str, column: int) -> None:
    assert options.arguments(line(text), block, syntax) is None
    assert told(block) == [("argument-count", message, f"write: {syntax}")]
    assert block.problems[0].place == Place("Corefile", 2, column)


def test_further_ways_to_write_it_are_told_too(block: BlockContext) -> None:
    options.arguments(line("a 1"), block, "a", more=("a off",))
    assert block.problems[0].hint == "write: a | a off"


def test_options_are_the_known_lines_of_the_block_and_the_others_are_told(block: BlockContext) -> None:
    directive = line("a {\n ttl 5\n tll 6\n pods {\n }\n}")
    assert [option.text for option in options.options(directive, block, ("ttl", "pods"))] == ["ttl 5", "pods"]
    assert told(block) == [
        ("unknown-option", "unknown option `tll` of `a`", "did you mean `ttl`?"),
        ("unexpected-block", "`pods` takes no block", "remove the braces and what is in them"),
    ]
    assert list(options.options(line("a"), block, ("ttl",))) == []


def test_a_directive_without_options_has_no_block(block: BlockContext) -> None:
    options.no_block(line("a"), block)
    assert told(block) == []
    options.no_block(line("a {\n}"), block)
    assert [code for code, _, _ in told(block)] == ["unexpected-block"]


def test_values_are_typed(block: BlockContext) -> None:
    assert options.choice(word("b"), block, ("a", "b")) == "b"
    assert options.integer(word("5"), block, 0, 5) == 5
    assert options.duration(word("5s"), block, least=Duration(0)) == Duration.parse("5s")
    assert options.size(word("4Ki"), block, most=Size(4096)) == Size(4096)
    assert options.cidr(word("10.0.0.0/8"), block) == Cidr(ip_network("10.0.0.0/8"))
    assert options.endpoint(word("127.0.0.1"), block, 53) == Endpoint("127.0.0.1", 53)
    assert [options.record_type(word(name), block) for name in ("aaaa", "ANY", "TYPE65280")] == [28, 255, 65280]
    assert [options.record_class(word(name), block) for name in ("IN", "ch", "CLASS7")] == [1, 3, 7]
    assert [options.rcode(word(name), block) for name in ("nxdomain", "NOTIMPL", "BADCOOKIE")] == [3, 4, 23]
    assert options.pattern(word("(?P<who>.*)-([0-9]+)"), block) == Pattern("(?P<who>.*)-([0-9]+)", ("who", ""))
    assert block.problems == []


def test_wrong_values_are_none_and_told(block: BlockContext) -> None:
    assert options.choice(word("insecur"), block, ("disabled", "insecure")) is None
    assert options.integer(word("x"), block) is None
    assert options.integer(word("6"), block, 0, 5) is None
    assert options.duration(word("5"), block) is None
    assert options.size(word("x"), block) is None
    assert options.cidr(word("10.0.0.0"), block) is None
    assert options.endpoint(word("127.0.0.1"), block) is None
    assert options.pattern(word("(a"), block) is None
    assert [code for code, _, _ in told(block)] == ["unknown-value"] + ["bad-value"] * 7
    assert told(block)[0][1:] == ("`insecur` is not one of disabled, insecure", "did you mean `insecure`?")
    assert {problem.place for problem in block.problems} == {Place("Corefile", 2, 7)}


def test_names_of_types_classes_and_codes_are_known_or_told(block: BlockContext) -> None:
    assert options.record_type(word("AAA"), block) is None
    assert options.record_type(word("TYPE70000"), block) is None
    assert options.record_class(word("internet"), block) is None
    assert options.rcode(word("NXDOMIAN"), block) is None
    assert told(block) == [
        ("unknown-value", "`AAA` is no record type", "did you mean `AAAA`?"),
        ("unknown-value", "`TYPE70000` is no record type", ""),
        ("unknown-value", "`internet` is no class", "there are: IN, CS, CH, HS, NONE, ANY"),
        ("unknown-value", "`NXDOMIAN` is no response code", "did you mean `NXDOMAIN`?"),
    ]


def test_zones_are_those_named_or_those_of_the_block(block: BlockContext) -> None:
    assert options.zones([], block) == ("example.org.",)
    assert options.zones([word("Org"), word("10.0.0.0/15")], block) == ("org.", "0.10.in-addr.arpa.", "1.10.in-addr.arpa.")
    assert options.zones([word("a..b"), word("org")], block) == ("org.",)
    assert told(block) == [("bad-name", "`a..b` is no zone: a label cannot be empty: two dots in a row, or a dot at the start", "")]
    assert options.zones([word("org:")], block) == ()


def test_a_suggestion_is_a_word_that_is_close_or_all_of_them() -> None:
    assert options.suggestion("EROR", ("errors", "log")) == "did you mean `errors`?"
    assert options.suggestion("x", ("errors", "log")) == "there are: errors, log"
    assert options.suggestion("x", ("errors", "log"), told=("log",)) == "there are: log"
    assert options.suggestion("x", ()) == ""


def test_a_block_keeps_what_directives_say(block: BlockContext) -> None:
    token = word("debug")
    block.emit(DebugOp(span=block.span(token)))
    block.warn(token, "w")
    block.error(Place("Corefile"), "e", "h", code="c")
    assert block.program == [DebugOp(span=0)]
    assert block.span(token) == 0
    assert block.spans.table() == [Span("Corefile", 2, 7, "debug")]
    assert [(problem.severity, problem.message) for problem in block.problems] == [(Severity.WARNING, "w"), (Severity.ERROR, "e")]
