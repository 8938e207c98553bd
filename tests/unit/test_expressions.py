"""Expressions: what they are in the plan, and what is wrong with them, where."""

import re

import pytest

from clusterdns.expressions import (
    ExpressionError,
    Mention,
    Surroundings,
    Type,
    parse_condition,
    parse_value,
    what_is_wrong_with_name,
)
from clusterdns.plan.expressions import (
    AllOf,
    AnyOf,
    Call,
    Choice,
    Compare,
    Constant,
    Each,
    Expression,
    Fact,
    InNetwork,
    Item,
    LabelValue,
    ListOf,
    Matches,
    Not,
    OneOf,
    VariableValue,
)

TYPE, NAME, CLIENT, DO, SIZE = Fact("type"), Fact("name"), Fact("client_ip"), Fact("do"), Fact("size")
IS_A, IS_B = Compare("==", TYPE, Constant("A")), Compare("==", TYPE, Constant("B"))


def tree(text: str) -> Expression:
    """What a text means."""
    return parse_condition(text).expression


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


@pytest.mark.parametrize(
    ("text", "expected", "type_"),
    [
        ("1 + 2 * 3 - 4", Call("-", [Call("+", [Constant(1), Call("*", [Constant(2), Constant(3)])]), Constant(4)]), "number"),
        ("size() % 2", Call("%", [SIZE, Constant(2)]), "number"),
        ("-size()", Call("-", [Constant(0), SIZE]), "number"),
        ("+size()", SIZE, "number"),
        ("-1 - -1", Call("-", [Constant(-1), Constant(-1)]), "number"),
        ("'x' + name()", Call("+", [Constant("x"), NAME]), "text"),
        ("upper(name())", Call("upper", [NAME]), "text"),
        ("replace(name(), '.', '-', 1)", Call("replace", [NAME, Constant("."), Constant("-"), Constant(1)]), "text"),
        ("max(1, size(), 3)", Call("max", [Constant(1), SIZE, Constant(3)]), "number"),
        ("int(port())", Call("int", [Fact("port")]), "number"),
        ("string(do())", Call("string", [DO]), "text"),
        ("len(name())", Call("len", [NAME]), "number"),
        ("['a', name()]", ListOf([Constant("a"), NAME]), "texts"),
        ("[1,]", ListOf([Constant(1)]), "numbers"),
        ("split(name(), '.')", Call("split", [NAME, Constant(".")]), "texts"),
        ("split(name(), '.')[0]", Call("index", [Call("split", [NAME, Constant(".")]), Constant(0)]), "text"),
        ("name()[1:-1]", Call("slice", [NAME, Constant(1), Constant(-1)]), "text"),
        ("name()[:2]", Call("slice", [NAME, Constant(0), Constant(2)]), "text"),
        ("name()[1:]", Call("slice", [NAME, Constant(1)]), "text"),
        ("-[1][0]", Call("-", [Constant(0), Call("index", [ListOf([Constant(1)]), Constant(0)])]), "number"),
        ("name() | trimSuffix('.') | split('.') | join('-')", None, "text"),
        ("any(['a', 'b'], # == name())", Each("any", ListOf([Constant("a"), Constant("b")]), Compare("==", Item(), NAME)), "truth"),
        ("none([1], {# > size()})", Each("none", ListOf([Constant(1)]), Compare(">", Item(), SIZE)), "truth"),
        ("count([1], # > 0)", Each("count", ListOf([Constant(1)]), Compare(">", Item(), Constant(0))), "number"),
        ("filter([1], # > 0)", Each("filter", ListOf([Constant(1)]), Compare(">", Item(), Constant(0))), "numbers"),
        ("map([1], string(#))", Each("map", ListOf([Constant(1)]), Call("string", [Item()])), "texts"),
        ("[1] | map(# + 1)", Each("map", ListOf([Constant(1)]), Call("+", [Item(), Constant(1)])), "numbers"),
        ("all([1], any(['a'], len(#) == 1) and # == 1)", None, "truth"),
        ("name() in split('a.b', '.')", Call("in", [NAME, Call("split", [Constant("a.b"), Constant(".")])]), "truth"),
        ("size() not in map(['a'], len(#))", None, "truth"),
        ("incidr(client_ip(), name())", Call("incidr", [CLIENT, NAME]), "truth"),
        ("client_ip() | incidr('10.0.0.0/8')", InNetwork(CLIENT, "10.0.0.0/8"), "truth"),
        ("'a/b' | metadata()", LabelValue("a/b"), "text"),
        ("['a'] == ['b']", Compare("==", ListOf([Constant("a")]), ListOf([Constant("b")])), "truth"),
        ("[do() ? 'a' : 'b']", ListOf([Choice(DO, Constant("a"), Constant("b"))]), "texts"),
    ],
)
def test_values_are_computed_of_others(text: str, expected: Expression | None, type_: Type) -> None:
    parsed = parse_value(text)
    assert parsed.type == type_
    assert expected in (None, parsed.expression)


def test_a_template_has_groups_and_variables() -> None:
    parsed = parse_value("group('a') + group(1) + host", Surroundings({"host": "text", "port": "number"}, has_groups=True))
    first = Call("+", [Call("group", [Constant("a")]), Call("group", [Constant(1)])])
    assert (parsed.expression, parsed.type) == (Call("+", [first, VariableValue("host")]), "text")
    assert parsed.groups == (Mention("a", 6), Mention("1", 19))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hots", "`hots` means nothing"),
        ("host()", "`host` is a variable, and no function"),
        ("host + 1", "`+` adds numbers, or joins texts"),
    ],
)
def test_variables_have_names_and_types(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(message)):
        parse_value(text, Surroundings({"host": "text"}))


@pytest.mark.parametrize("name", ["a", "_", "A1_b", "name2"])
def test_names_of_variables(name: str) -> None:
    assert what_is_wrong_with_name(name) == ""


@pytest.mark.parametrize(
    "name", ["1a", "a-b", "", "ä", "$a", "name", "group", "len", "now", "any", "true", "nil", "let", "else", "in", "not"]
)
def test_names_that_no_variable_can_have(name: str) -> None:
    assert what_is_wrong_with_name(name)


def test_the_labels_that_an_expression_asks_for_are_told() -> None:
    parsed = parse_condition("metadata('a/b') == 'x' && metadata(\"c/d/e\") in ['y']")
    assert parsed.labels == (Mention("a/b", 9), Mention("c/d/e", 35))


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", 0, "the expression ends too early"),
        ("do() &&", 7, "the expression ends too early"),
        ("do() do()", 5, "`do` cannot stand here"),
        ("(do()", 5, "the expression ends too early: `)` belongs here"),
        ("foo(", 0, "there is no function `foo` here"),
        ("lowr(name()) == 'a'", 0, "there is no function `lowr` here"),
        ("now() == 'a'", 0, "the function `now` is not supported"),
        ("let x = 1; x == 1", 0, "`let` is not supported"),
        ("if do() { true } else { false }", 0, "`if` is not supported"),
        ("group('a') == ''", 0, "there is no `group` here: nothing has matched a pattern"),
        ("lower() == ''", 0, "`lower` takes 1 argument"),
        ("lower(name(), 'a') == ''", 14, "`lower` takes 1 argument"),
        ("replace(name(), 'a') == ''", 16, "`replace` takes 3 to 4 arguments"),
        ("max() == 1", 0, "`max` takes at least 1 argument"),
        ("lower(size()) == ''", 6, "`lower` wants a text, this is a number"),
        ("int(do()) == 1", 4, "`int` wants a number or a text, this is true or false"),
        ("join(name()) == ''", 5, "`join` wants a list of texts, this is a text"),
        ("any(name(), # == 'a')", 4, "`any` wants a list, this is a text"),
        ("any(['a'], 'b')", 11, "`any` wants true or false, this is a text"),
        ("any(['a'], #index == 0)", 11, "`#index` is not supported"),
        ("any(['a'], # == 1)", 13, "`==` cannot compare a text with a number"),
        ("# == 'a'", 0, "`#` is an item of a list, and there is none here"),
        ("name() == 'a' + 1", 14, "`+` adds numbers, or joins texts: this is a text and a number"),
        ("size() == 'a' * 2", 14, "`*` is for numbers: this is a text and a number"),
        ("size() / 2 == 1", 7, "`/` is not supported: there are no numbers with fractions"),
        ("size() ** 2 == 1", 7, "`**` is not supported: there are no numbers with fractions"),
        ("-name() == 1", 1, "`-` wants a number, this is a text"),
        ("name()[0] == 'a'", 6, "an item of a text cannot be had: lists have items"),
        ("size()[0] == 1", 6, "an item of a number cannot be had"),
        ("size()[0:1] == 1", 6, "a part of a number cannot be had"),
        ("['a']['b'] == 'a'", 6, "`[ ]` wants a number, this is a text"),
        ("[] == ['a']", 0, "an empty list has no type"),
        ("['a', 1] == ['a']", 6, "the list holds a text and a number: all have to be the same"),
        ("[['a']] == ['a']", 1, "lists of lists are not supported"),
        ("map(['a'], split(#, '.')) == ['a']", 11, "lists of lists are not supported"),
        ("['a'] < ['b']", 6, "`<` cannot compare lists"),
        ("name() | 'a'", 9, "`'a'` cannot stand here: a function belongs behind `|`"),
        ("name() | type() == 'a'", 9, "`type` cannot stand here: a function belongs behind `|`"),
        ("size() in split(name(), '.')", 10, "a list belongs behind `in`: this is a list of texts, and a number is looked for in it"),
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
        ("do() ?? true", 5, "`??` cannot stand here: there is no such operator here"),
        ("type() in 'A'", 10, "a list belongs behind `in`: this is a text"),
        ("type() in ['A', 1]", 16, "the list holds a number, and a text is looked for in it"),
        ("['A'] == type()", 6, "`==` cannot compare a list of texts with a text"),
        ("name() matches type()", 15, "`type` cannot stand here: the pattern behind `matches` has to be a text in single quotes"),
        ("size() matches 'a'", 0, "`matches` wants a text, this is a number"),
        ("name() matches '['", 15, "`[` is no regular expression"),
        ("incidr(client_ip(), '10.0.0.0')", 20, "`10.0.0.0` is no network"),
        ("incidr(size(), '10.0.0.0/8')", 7, "`incidr` wants a text, this is a number"),
        ("incidr('10.0.0.0/8')", 7, "`incidr` takes 2 arguments"),
        ("incidr(client_ip(), 7)", 20, "`incidr` wants a text, this is a number"),
        ("metadata(name()) == 'a'", 9, "the label of `metadata` has to be a text in single quotes"),
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
        parse_condition(text)
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
        parse_condition(text)


def test_many_conditions_side_by_side_are_not_deep() -> None:
    assert isinstance(tree("do() && " * 400 + "do()"), AllOf)
