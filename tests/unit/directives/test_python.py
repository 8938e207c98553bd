"""`python`"""

import pytest

from clusterdns.directives.block import Plugin
from clusterdns.plan.ops import AskOp
from tests.unit.directives.blocks import compile_lines, ops, problems

OPTIONS = "{{\n{}\n}}"


def plugins(lines: str) -> list[Plugin]:
    compilation = compile_lines(lines)
    assert compilation.problems == ()
    return list(compilation.plugins)


def test_a_function_is_asked_about_the_names_of_its_block() -> None:
    assert ops("python shop.names:answer") == [AskOp("shop.names:answer", ["example.org."], 1000, "servfail", 0)]
    assert plugins("python shop.names:answer") == [Plugin("shop.names:answer", "shop.names:answer", {}, 16, "")]


def test_several_are_asked_in_order_each_about_its_zones() -> None:
    made = [op for op in ops("python b:two a.example.org b.example.org\npython a:one") if isinstance(op, AskOp)]
    assert [(op.function, op.zones) for op in made] == [("b:two", ["a.example.org.", "b.example.org."]), ("a:one", ["example.org."])]


def test_options() -> None:
    lines = "python m:f {\ntimeout 250ms\nconcurrency 4\non_failure next\npath lib\n}"
    assert ops(lines) == [AskOp("m:f", ["example.org."], 250, "next", 0)]
    assert plugins(lines) == [Plugin("m:f", "m:f", {}, 4, "lib")]


def test_the_same_function_with_other_arguments_is_another() -> None:
    made = plugins("python m:f {\nargument file a\n}\npython m:f {\nargument file b\n}\npython m:f")
    assert [(plugin.function, plugin.target, plugin.arguments) for plugin in made] == [
        ("m:f(file=a)", "m:f", {"file": "a"}),
        ("m:f(file=b)", "m:f", {"file": "b"}),
        ("m:f", "m:f", {}),
    ]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("python", "`python` takes at least 1 argument, found 0"),
        ("python m:", "`m:` names no function"),
        ("python :f", "`:f` names no function"),
        ("python m.f()", "names no function"),
        ("python m:f {\ntimeout 0s\n}", "0s is out of range"),
        ("python m:f {\ntimeout 6s\n}", "6s is out of range"),
        ("python m:f {\nconcurrency 0\n}", "0 is out of range"),
        ("python m:f {\non_failure retry\n}", "`retry` is not one of servfail, next"),
        ("python m:f {\nargument file\n}", "`argument` takes 2 arguments, found 1"),
        ("python m:f {\nargument a-b c\n}", "`a-b` is no name of an argument in Python"),
        ("python m:f {\nargument a b\nargument a c\n}", "the argument `a` is given twice"),
        ("python m:f {\nnosuch\n}", "unknown option `nosuch` of `python`"),
        ("python m:f a..b", "is no zone"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    found = problems(line)
    assert len(found) == 1
    assert part in found[0][1]
