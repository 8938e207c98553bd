"""Expressions: a printed tree means itself, and any text means something or is refused with its place."""

from hypothesis import given
from hypothesis import strategies as st

from clusterdns.expressions import ExpressionError, Surroundings, parse_condition
from clusterdns.plan import Block, Plan, decode_plan, encode_plan
from clusterdns.plan.expressions import (
    AllOf,
    AnyOf,
    Call,
    Choice,
    Compare,
    Condition,
    Constant,
    Each,
    Expression,
    Fact,
    FactName,
    InNetwork,
    Item,
    LabelValue,
    ListOf,
    Matches,
    Not,
    OneOf,
    VariableValue,
)

NUMBERS: tuple[FactName, ...] = ("bufsize", "id", "opcode", "size")
TEXTS: tuple[FactName, ...] = ("class", "client_ip", "name", "port", "proto", "server_ip", "server_port", "type")
CHARACTERS = st.characters(codec="utf-8")

some_text = st.text(CHARACTERS, max_size=8)
plain_numbers = st.one_of(
    st.integers(-(2**63) + 1, 2**63 - 1).map(Constant), st.sampled_from(NUMBERS).map(Fact), st.just(VariableValue("n"))
)
plain_texts = st.one_of(some_text.map(Constant), st.sampled_from(TEXTS).map(Fact), some_text.map(LabelValue), st.just(VariableValue("t")))


def calls(names: str, *arguments: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Calls of one of these functions."""
    return st.builds(lambda name, of: Call(name, list(of)), st.sampled_from(names.split()), st.tuples(*arguments))


some_texts = st.lists(plain_texts, min_size=1, max_size=3).map(lambda of: ListOf(list(of)))
numbers = st.one_of(
    plain_numbers,
    calls("+ - * % max", plain_numbers, plain_numbers),
    calls("abs int", plain_numbers),
    calls("len int", plain_texts),
    calls("indexOf lastIndexOf", plain_texts, plain_texts),
    calls("len", some_texts),
)
texts = st.one_of(
    plain_texts,
    calls("lower upper trim trimPrefix group", plain_texts),
    calls("+ trimSuffix", plain_texts, plain_texts),
    calls("replace", plain_texts, plain_texts, plain_texts),
    calls("repeat", plain_texts, plain_numbers),
    calls("index", some_texts, plain_numbers),
    calls("slice", plain_texts, plain_numbers),
    calls("slice", plain_texts, plain_numbers, plain_numbers),
    calls("join", some_texts, plain_texts),
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
        calls("in", text, st.one_of(calls("split", texts, texts), some_texts.map(lambda of: Each("filter", of, Constant(True))))),
        calls("hasPrefix incidr", text, plain_texts.filter(lambda of: not isinstance(of, Constant))),
        st.builds(Each, st.sampled_from(("all", "any", "none", "one")), some_texts, truths),
        st.builds(Each, st.just("any"), some_texts, st.builds(Compare, st.just("=="), st.just(Item()), text)),
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
        case Call("+" | "-" | "*" | "%" | "in" as operator, [left, right]):
            return f"({printed(left)} {operator} {printed(right)})"
        case Call("index", [of, at]):
            return f"{printed(of)}[{printed(at)}]"
        case Call("slice", [of, *bounds]):
            return f"{printed(of)}[{':'.join(map(printed, bounds))}{':' * (len(bounds) == 1)}]"
        case Call(function, arguments):
            return f"{function}({', '.join(map(printed, arguments))})"
        case ListOf(of):
            return f"[{', '.join(map(printed, of))}]"
        case Each(by, items, then):
            return f"{by}({printed(items)}, {printed(then)})"
        case Item():
            return "#"
        case VariableValue(name):
            return name


def quoted(text: str) -> str:
    """A text in single quotes."""
    return "'" + "".join(f"\\U{ord(letter):08x}" if letter in "\\'" or not letter.isprintable() else letter for letter in text) + "'"


@given(truths)
def test_a_printed_tree_means_itself(tree: Expression) -> None:
    assert parse_condition(printed(tree), Surroundings({"n": "number", "t": "text"}, has_groups=True)).expression == tree


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
    "+",
    "%",
    "|",
    "any",
    "split",
    "#",
    "{",
    "}",
]


@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(WORDS), max_size=15).map(" ".join)))
def test_any_text_is_an_expression_or_refused_with_its_place(text: str) -> None:
    try:
        parse_condition(text)
    except ExpressionError as why:
        problem = why
    else:
        return
    assert 0 <= problem.at <= len(text)
    assert str(problem)
