"""Expressions: a printed tree means itself, and any text means something or is refused with its place."""

from hypothesis import given
from hypothesis import strategies as st

from clusterdns.expressions import ExpressionError, parse_expression
from clusterdns.plan import (
    AllOf,
    AnyOf,
    Block,
    Choice,
    Compare,
    Condition,
    Constant,
    Expression,
    Fact,
    FactName,
    InNetwork,
    LabelValue,
    Matches,
    Not,
    OneOf,
    Plan,
    decode_plan,
    encode_plan,
)

NUMBERS: tuple[FactName, ...] = ("bufsize", "id", "opcode", "size")
TEXTS: tuple[FactName, ...] = ("class", "client_ip", "name", "port", "proto", "server_ip", "server_port", "type")
CHARACTERS = st.characters(codec="utf-8")

numbers = st.one_of(st.integers(-(2**63) + 1, 2**63 - 1).map(Constant), st.sampled_from(NUMBERS).map(Fact))
texts = st.one_of(
    st.text(CHARACTERS, max_size=8).map(Constant), st.sampled_from(TEXTS).map(Fact), st.text(CHARACTERS, max_size=8).map(LabelValue)
)


def joined(kind: type[AllOf] | type[AnyOf], parts: list[Expression]) -> Expression:
    """Parts as a parser joins them: a first part of the same kind is not a part of its own."""
    first = parts[0].of if isinstance(parts[0], kind) else [parts[0]]
    return kind([*first, *parts[1:]])


def extended(truths: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Truths made of others."""
    text = st.one_of(texts, st.builds(Choice, truths, texts, texts))
    number = st.one_of(numbers, st.builds(Choice, truths, numbers, numbers))
    return st.one_of(
        st.builds(Not, truths),
        st.builds(joined, st.sampled_from((AllOf, AnyOf)), st.lists(truths, min_size=2, max_size=4)),
        st.builds(Compare, st.sampled_from(("==", "!=")), truths, truths),
        st.builds(Compare, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), number, number),
        st.builds(Compare, st.sampled_from(("==", "!=", "<", ">=", "startsWith", "endsWith", "contains")), text, text),
        st.builds(InNetwork, text, st.sampled_from(("10.0.0.0/8", "fd00::/8"))),
        st.builds(Matches, text, st.sampled_from(("^a$", r"\.b\.", "it's"))),
        st.builds(OneOf, text, st.lists(text, max_size=3)),
        st.builds(OneOf, number, st.lists(number, max_size=3)),
        st.builds(Choice, truths, truths, truths),
    )


truths = st.recursive(st.one_of(st.booleans().map(Constant), st.just(Fact("do"))), extended, max_leaves=8)


def printed(tree: Expression) -> str:
    """A tree as text, with parentheses around everything."""
    match tree:
        case Constant(bool(value)):
            return str(value).lower()
        case Constant(int(value)):
            return str(value)
        case Constant(value):
            return quoted(str(value))
        case Fact(name):
            return f"{name}()"
        case LabelValue(label):
            return f"metadata({quoted(label)})"
        case InNetwork(address, network):
            return f"incidr({printed(address)}, {quoted(network)})"
        case Not(of):
            return f"(not {printed(of)})"
        case AllOf(of) | AnyOf(of):
            return f"({(' && ' if isinstance(tree, AllOf) else ' or ').join(map(printed, of))})"
        case Compare(by, left, right):
            return f"({printed(left)} {by} {printed(right)})"
        case OneOf(value, among):
            return f"({printed(value)} in [{', '.join(map(printed, among))}])"
        case Matches(text, pattern):
            return f"({printed(text)} matches {quoted(pattern)})"
        case Choice(condition, then, otherwise):
            return f"({printed(condition)} ? {printed(then)} : {printed(otherwise)})"


def quoted(text: str) -> str:
    """A text in single quotes."""
    return "'" + "".join(f"\\U{ord(letter):08x}" if letter in "\\'" or not letter.isprintable() else letter for letter in text) + "'"


@given(truths)
def test_a_printed_tree_means_itself(tree: Expression) -> None:
    assert parse_expression(printed(tree)).expression == tree


@given(truths)
def test_a_tree_survives_the_plan(tree: Expression) -> None:
    plan = Plan(1, [], [], [Block(".", [], [], 0, when=[Condition("x", tree)])], [])
    assert decode_plan(encode_plan(plan)) == plan


WORDS = [
    "type",
    "()",
    "==",
    "'A'",
    "(",
    ")",
    "in",
    "[",
    "]",
    ",",
    "not",
    "&&",
    "or",
    "!",
    "?",
    ":",
    "matches",
    "incidr",
    "metadata",
    "1",
    "-",
    "do()",
]


@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(WORDS), max_size=15).map(" ".join)))
def test_any_text_is_an_expression_or_refused_with_its_place(text: str) -> None:
    try:
        parse_expression(text)
    except ExpressionError as why:
        problem = why
    else:
        return
    assert 0 <= problem.at <= len(text)
    assert str(problem)
