"""`template`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.plan.expressions import Call, Compare, Condition, Constant, Fact, VariableValue
from clusterdns.plan.ops import TemplateOp
from clusterdns.plan.templates import ExtendedError, TemplateRule, TemplateVariable
from tests.unit.directives.blocks import compile_lines, ops, problems


def rules(lines: str) -> list[TemplateRule]:
    """The rules that the lines become."""
    (op,) = ops(lines)
    assert isinstance(op, TemplateOp)
    return op.rules


def rule(options: str, words: str = "IN A") -> TemplateRule:
    """The rule of one line with these options."""
    (only,) = rules(f"template {words} {{\n{options}\n}}")
    return only


def test_a_line_is_a_rule_with_its_defaults() -> None:
    (only,) = rules("template IN A")
    assert (only.qclass, only.qtype, only.zones, only.patterns) == (1, 1, ["example.org."], [])
    assert (only.answer, only.authority, only.additional, only.rcode) == ([], [], [], 0)
    assert (only.extended_error, only.fallthrough) == (None, [])


@pytest.mark.parametrize(
    ("words", "numbers", "zones"),
    [
        ("ANY ANY", (255, 255), ["example.org."]),
        ("CH TXT a.example.org B.example.org", (3, 16), ["a.example.org.", "b.example.org."]),
        ("CLASS7 TYPE65280", (7, 65280), ["example.org."]),
    ],
)
def test_a_rule_is_about_a_class_a_type_and_zones(words: str, numbers: tuple[int, int], zones: list[str]) -> None:
    only = rule("", words)
    assert ((only.qclass, only.qtype), only.zones) == (numbers, zones)


def test_options_are_read() -> None:
    only = rule(
        'match ^a "^b c"\nmatch d\nanswer "a. A 192.0.2.1" "b. A 192.0.2.2"\nanswer "{{ .Name }} A 192.0.2.3"\n'
        'authority "a. NS b."\nadditional "b. A 192.0.2.4"\nrcode NXDOMAIN\nederror 15 "no way"\nfallthrough'
    )
    assert only.patterns == ["^a", "^b c", "d"]
    assert [record.source for record in only.answer] == ["a. A 192.0.2.1", "b. A 192.0.2.2", "{{.Name}} A 192.0.2.3"]
    assert [record.source for record in (*only.authority, *only.additional)] == ["a. NS b.", "b. A 192.0.2.4"]
    assert (only.rcode, only.extended_error, only.fallthrough) == (3, ExtendedError(15, "no way"), ["."])


def test_of_what_stands_once_the_last_counts() -> None:
    only = rule("rcode NXDOMAIN\nrcode REFUSED\nederror 1 a\nederror 2\nfallthrough\nfallthrough a.example.org 10.0.0.0/8")
    assert (only.rcode, only.extended_error) == (5, ExtendedError(2, ""))
    assert only.fallthrough == ["a.example.org.", "10.in-addr.arpa."]


def test_several_lines_are_several_rules_of_one_op() -> None:
    assert [rule.qtype for rule in rules("template IN A\ntemplate IN AAAA\ntemplate ANY ANY")] == [1, 28, 255]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("template", "`template` takes at least 2 arguments, found 0"),
        ("template IN", "`template` takes at least 2 arguments, found 1"),
        ("template XX A", "`XX` is no class"),
        ("template IN AAA", "`AAA` is no record type | did you mean `AAAA`?"),
        ("template IN A a..b", "`a..b` is no zone"),
        ("template IN A {\nfoo\n}", "unknown option `foo` of `template`"),
        ("template IN A {\nmatch\n}", "`match` takes at least 1 argument"),
        ("template IN A {\nmatch (\n}", "`(` is no regular expression"),
        ("template IN A {\nanswer\n}", "`answer` takes at least 1 argument"),
        ('template IN A {\nanswer "{{ .Name"\n}', "the action has no end"),
        ('template IN A {\nanswer "{{ .Nam }} A 192.0.2.1"\n}', "did you mean `.Name`?"),
        ('template IN A {\nanswer "a. A 999.0.0.1"\n}', 'bad A A: "999.0.0.1"'),
        ('template IN A {\nanswer ""\n}', "there is no record"),
        ('template IN A {\nauthority "a. INCLUDE b."\n}', "is no record"),
        ("template IN A {\nrcode NOPE\n}", "`NOPE` is no response code"),
        ("template IN A {\nrcode\n}", "`rcode` takes 1 argument, found 0"),
        ("template IN A {\nederror\n}", "`ederror` takes 1 to 2 arguments, found 0"),
        ("template IN A {\nederror x\n}", "`x` is no whole number"),
        ("template IN A {\nederror 65536\n}", "65536 is out of range"),
        (f"template IN A {{\nederror 1 {'x' * 1025}\n}}", "longer than 1024 octets"),
        ("template IN A {\nvar x\n}", "`var` takes at least 2 arguments, found 1"),
        ("template IN A {\nvar 1x 1\n}", "`1x` is no name of a variable"),
        ("template IN A {\nvar group 1\n}", "a variable cannot be called `group`: a function is"),
        ("template IN A {\nvar true 1\n}", "a variable cannot be called `true`: it is a word of the language"),
        ("template IN A {\nvar x 1\nvar x 2\n}", "the variable `x` is set twice"),
        ("template IN A {\nvar x y + 1\nvar y 1\n}", "`y` means nothing"),
        ("template IN A {\nvar x 1 / 2\n}", "`/` is not supported: there are no numbers with fractions"),
        ("template IN A {\nexpr\n}", "`expr` takes at least 1 argument"),
        ("template IN A {\nexpr 1\n}", "an expression has to be true or false; this is a number"),
        ("template IN A {\nvar x 'a'\nexpr x + 1 == 2\n}", "`+` adds numbers, or joins texts: this is a text and a number"),
        ("template IN A {\nexpr x\nvar x true\n}", "`x` means nothing"),
        ("template IN A {\nfallthrough a..b\n}", "`a..b` is no zone"),
    ],
)
def test_what_is_wrong_is_told(lines: str, told: str) -> None:
    assert any(told in message for _, message in problems(lines))


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('    answer "{{ .Nam }} A 192.0.2.1"', (3, 16)),
        ('    answer "\\"x\\" {{ .Nam }} A 192.0.2.1"', (3, 22)),
        ('    answer "a. A 192.0.2.1" "x\n  {{ .Nam }}"', (4, 6)),
        ("    answer {{.Nam}}", (3, 14)),
        ("    var x lower(  nam)", (3, 19)),
        ('    expr "type() == A"', (3, 21)),
    ],
)
def test_the_place_of_a_problem_is_inside_of_the_text(line: str, place: tuple[int, int]) -> None:
    (problem,) = compile_lines(f"template IN A {{\n{line}\n}}").problems
    assert (problem.place.line, problem.place.column) == place


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        ("template IN A example.com", "unreachable-zone", "no question for `example.com.` comes here"),
        ("template IN A {\nupstream\n}", "no-effect", "`upstream` has no effect"),
        ('template IN A {\nmatch ^(?P<host>.*)$\nanswer "{{ .Group.hots }} A 192.0.2.1"\n}', "unknown-group", "there are: host"),
        ('template IN A {\nanswer "{{ index .Group \\"host\\" }} A 192.0.2.1"\n}', "unknown-group", "write (?P<NAME>...) in a `match`"),
    ],
)
def test_what_is_doubtful_is_told(lines: str, code: str, told: str) -> None:
    (found,) = problems(lines, Severity.WARNING)
    assert found[0] == code
    assert told in found[1]
    assert problems(lines) == []


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        ('var host 1\nanswer "{{ .Var.hots }} A 192.0.2.1"', "unknown-variable", "there are: host"),
        ('answer "{{ index .Var \\"host\\" }} A 192.0.2.1"', "unknown-variable", "write: var host EXPRESSION"),
        ("match ^(?P<host>.*)$\nvar x group('hots')", "unknown-group", "there are: host"),
        ("match ^(a)$\nexpr group(2) == ''", "unknown-group", "no pattern has a group `2`"),
        ("expr metadata('a/b') == ''", "empty-label", "the label `a/b` is always empty"),
    ],
)
def test_what_names_nothing_is_told(lines: str, code: str, told: str) -> None:
    (found,) = problems(f"template IN A {{\n{lines}\n}}", Severity.WARNING)
    assert found[0] == code
    assert told in found[1]


def test_variables_and_conditions_are_in_the_plan() -> None:
    only = rule("var x int(group(1))\nvar y x + 1\nexpr y >  x\nexpr type() == 'A'\nmatch ^(.)$")
    x, y = VariableValue("x"), VariableValue("y")
    assert only.variables == [
        TemplateVariable("x", "int(group(1))", Call("int", [Call("group", [Constant(1)])])),
        TemplateVariable("y", "x + 1", Call("+", [x, Constant(1)])),
    ]
    assert only.conditions == [
        Condition("y > x", Compare(">", y, x)),
        Condition("type() == 'A'", Compare("==", Fact("type"), Constant("A"))),
    ]


def test_a_template_may_stand_before_its_variables() -> None:
    assert problems('template IN A {\nanswer "{{ .Var.x }} A 192.0.2.1"\nvar x 1\n}', Severity.WARNING) == []


def test_groups_may_be_named_by_number() -> None:
    assert rule('match ^(a)(?P<b>b)$\nanswer "{{ index .Group \\"2\\" }}{{ .Group.b }} A 192.0.2.1"')


def test_labels_that_are_used_are_in_the_plan() -> None:
    line = 'template IN TXT {\nanswer "{{ .Name }} TXT \\"{{ .Meta \\"view/name\\" }}\\""\n}'
    plan = compile_lines(f"metadata\nview internal {{\nexpr true\n}}\n{line}").plan
    assert plan is not None
    metadata = plan.blocks[0].metadata
    assert metadata is not None
    assert list(metadata.labels) == ["view/name"]
    (found,) = problems(line, Severity.WARNING)
    assert "the label `view/name` is always empty" in found[1]
