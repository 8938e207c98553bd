"""Expressions: what they are in the plan, and what is wrong with them, where."""

import pytest

from clusterdns.expressions import ExpressionError, Label, parse_expression
from clusterdns.plan import AllOf, AnyOf, Choice, Compare, Constant, Expression, Fact, InNetwork, LabelValue, Matches, Not, OneOf

TYPE, NAME, CLIENT, DO, SIZE = Fact("type"), Fact("name"), Fact("client_ip"), Fact("do"), Fact("size")
IS_A, IS_B = Compare("==", TYPE, Constant("A")), Compare("==", TYPE, Constant("B"))


def tree(text: str) -> Expression:
    """What a text means."""
    return parse_expression(text).expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("do()", DO),
        ("true", Constant(True)),
        ("type() == 'A'", IS_A),
        ("type()=='A'", IS_A),
        ('type() == "A"', IS_A),
        ("type() == `A`", IS_A),
        ("(((type() == ('A'))))", IS_A),
        ("incidr(client_ip(), '127.0.0.0/24')", InNetwork(CLIENT, "127.0.0.0/24")),
        ("incidr(client_ip(), '2001:0DB8::1/32')", InNetwork(CLIENT, "2001:db8::/32")),
        ("incidr(metadata('a/b'), '10.0.0.0/8')", InNetwork(LabelValue("a/b"), "10.0.0.0/8")),
        ("metadata('view/name') != ''", Compare("!=", LabelValue("view/name"), Constant(""))),
        ("type() in ['A', 'B']", OneOf(TYPE, [Constant("A"), Constant("B")])),
        ("type() in ['A', 'B',]", OneOf(TYPE, [Constant("A"), Constant("B")])),
        ("type() in []", OneOf(TYPE, [])),
        ("type() not in ['A']", Not(OneOf(TYPE, [Constant("A")]))),
        ("size() in [1, 0x1F, 0b11, 0o17, 1_000, -5]", OneOf(SIZE, [Constant(number) for number in (1, 31, 3, 15, 1000, -5)])),
        (r"name() matches '^abc\\..*\\.example\\.com\\.$'", Matches(NAME, r"^abc\..*\.example\.com\.$")),
        ("name() not matches 'a'", Not(Matches(NAME, "a"))),
        ("name() startsWith 'a'", Compare("startsWith", NAME, Constant("a"))),
        ("name() not endsWith 'a'", Not(Compare("endsWith", NAME, Constant("a")))),
        ("name() contains type()", Compare("contains", NAME, TYPE)),
        ("name() < 'b'", Compare("<", NAME, Constant("b"))),
        ("size() >= 512", Compare(">=", SIZE, Constant(512))),
        ("do() == true", Compare("==", DO, Constant(True))),
        (r"name() == '\x41\u00e4\U0001F600\101\n\''", Compare("==", NAME, Constant("Aä😀A\n'"))),
    ],
)
def test_what_a_text_means(text: str, expected: Expression) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type() == 'A' && type() == 'B' || do()", AnyOf([AllOf([IS_A, IS_B]), DO])),
        ("do() or type() == 'A' and type() == 'B'", AnyOf([DO, AllOf([IS_A, IS_B])])),
        ("do() && (type() == 'A' || type() == 'B')", AllOf([DO, AnyOf([IS_A, IS_B])])),
        ("do() && do() && do()", AllOf([DO, DO, DO])),
        ("do() && (do() && do())", AllOf([DO, AllOf([DO, DO])])),
        ("!do() == true", Compare("==", Not(DO), Constant(True))),
        ("not do() && do()", AllOf([Not(DO), DO])),
        ("!(do() && do())", Not(AllOf([DO, DO]))),
        ("!!do()", Not(Not(DO))),
        ("type() == 'A' == do()", Compare("==", IS_A, DO)),
        ("do() ? type() == 'A' : do() ? type() == 'B' : true", Choice(DO, IS_A, Choice(DO, IS_B, Constant(True)))),
        ("(do() ? 'A' : 'B') == type()", Compare("==", Choice(DO, Constant("A"), Constant("B")), TYPE)),
        ("do() || do() ? do() : do()", Choice(AnyOf([DO, DO]), DO, DO)),
    ],
)
def test_what_binds_stronger(text: str, expected: Expression) -> None:
    assert tree(text) == expected


def test_the_labels_that_an_expression_asks_for_are_told() -> None:
    parsed = parse_expression("metadata('a/b') == 'x' && metadata(\"c/d/e\") in ['y']")
    assert parsed.labels == (Label("a/b", 9), Label("c/d/e", 35))


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", 0, "the expression ends too early"),
        ("do() &&", 7, "the expression ends too early"),
        ("do() do()", 5, "`do` cannot stand here"),
        ("(do()", 5, "the expression ends too early: `)` belongs here"),
        ("foo(", 0, "there is no function `foo` here"),
        ("lower(name()) == 'a'", 0, "there is no function `lower` here"),
        ("type() == A", 10, "`A` means nothing"),
        ("type == 'A'", 0, "`type` is a function"),
        ("type('A') == 'A'", 5, "`type` takes no arguments"),
        ("type()", 0, "an expression has to be true or false; this is a text"),
        ("port() == 53", 7, "`==` cannot compare a text with a number"),
        ("1 < size() < 3", 11, "`<` cannot compare true or false with a number"),
        ("do() < true", 5, "`<` cannot compare what is true or false"),
        ("size() contains 1", 7, "`contains` is for texts, not for numbers"),
        ("size() && do()", 0, "`&&` wants true or false, this is a number"),
        ("!type()", 1, "`!` wants true or false, this is a text"),
        ("size() + 1 > 3", 7, "`+` cannot stand here: there is no such operator here"),
        ("do() ?? true", 5, "`??` cannot stand here: there is no such operator here"),
        ("type() in 'A'", 10, "`'A'` cannot stand here: a list belongs behind `in`"),
        ("type() in ['A', 1]", 16, "the list holds a number, and a text is looked for in it"),
        ("['A'] == type()", 0, "`[` cannot stand here"),
        ("name() matches type()", 15, "`type` cannot stand here: the pattern behind `matches` has to be a text in single quotes"),
        ("size() matches 'a'", 0, "`matches` wants a text, this is a number"),
        ("name() matches '['", 15, "`[` is no regular expression"),
        ("incidr(client_ip(), '10.0.0.0')", 20, "`10.0.0.0` is no network"),
        ("incidr(client_ip(), name())", 20, "`name` cannot stand here: the network of `incidr` has to be a text in single quotes"),
        ("incidr(size(), '10.0.0.0/8')", 7, "`incidr` wants a text, this is a number"),
        ("incidr('10.0.0.0/8')", 19, "`)` cannot stand here: `,` belongs here"),
        ("metadata(name()) == 'a'", 9, "`name` cannot stand here: the label of `metadata` has to be a text in single quotes"),
        ("do() ? 'a' : true", 13, "`? :` gives a text or true or false: both have to be the same"),
        ("do() ? true", 11, "the expression ends too early: `:` belongs here"),
        ("name() == 'a", 10, "the text has no end: ' is missing"),
        (r"name() == 'a\q'", 12, r"`\q` is no escape"),
        (r"name() == '\ud800'", 11, r"`\ud800` is no character"),
        ("size() == 1.5", 10, "`1.5` is no whole number"),
        ("size() == 12a", 10, "`12a` is no whole number"),
        ("size() == 9223372036854775808", 10, "`9223372036854775808` is too large"),
        ("name() == nil", 10, "`nil` means nothing"),
        ("do() not do()", 5, "`not` cannot stand here"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, at: int, message: str) -> None:
    with pytest.raises(ExpressionError) as problem:
        parse_expression(text)
    assert (problem.value.at, str(problem.value)[: len(message)]) == (at, message)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100 + "do()" + ")" * 100,
        "!" * 100 + "do()",
        "do() == " * 100 + "do()",
        "do() ? do() : " * 100 + "do()",
        "do() && " * 1000 + "do()",
    ],
)
def test_expressions_are_bounded(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"nested more than 40 deep|more than 1000 parts"):
        parse_expression(text)


def test_many_conditions_side_by_side_are_not_deep() -> None:
    assert isinstance(tree("do() && " * 400 + "do()"), AllOf)
