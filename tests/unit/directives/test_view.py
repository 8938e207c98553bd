"""`view`"""

import pytest

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Place, Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.plan import Block
from clusterdns.plan.expressions import AllOf, Compare, Condition, Constant, Expression, Fact, InNetwork, LabelValue
from clusterdns.plan.labels import Metadata, TextLabel
from clusterdns.sources import sources_of_texts
from tests.unit.directives.blocks import compile_lines, problems

DO = Condition("do()", Fact("do"))


def compiled(corefile: str) -> Compilation:
    """What becomes of a Corefile."""
    sources = sources_of_texts({"Corefile": corefile})
    return compile_plan(parse_corefile("Corefile", sources), sources)


def block_of(lines: str) -> Block:
    """The block of these lines, which have no problems."""
    compilation = compile_lines(lines)
    assert compilation.problems == ()
    assert compilation.plan is not None
    return compilation.plan.blocks[0]


def test_a_view_has_a_name_and_conditions_that_are_all_to_be_true() -> None:
    block = block_of("view two {\nexpr do()\nexpr incidr(client_ip(), '127.0.0.2/32')   && type() == 'A'\n}\nwhoami")
    of: list[Expression] = [InNetwork(Fact("client_ip"), "127.0.0.2/32"), Compare("==", Fact("type"), Constant("A"))]
    assert (block.view, block.when) == ("two", [DO, Condition("incidr(client_ip(), '127.0.0.2/32') && type() == 'A'", AllOf(of))])


@pytest.mark.parametrize("lines", ["view two\nwhoami", "view two {\n}\nwhoami"])
def test_a_view_without_conditions_takes_all(lines: str) -> None:
    block = block_of(lines)
    assert (block.view, block.when) == ("two", [])


def test_an_expression_may_stand_in_quotes() -> None:
    assert block_of("view two {\nexpr \"type() == 'A  B'\"\n}\nwhoami").when == [
        Condition("type() == 'A  B'", Compare("==", Fact("type"), Constant("A  B")))
    ]


def test_a_view_knows_its_own_name() -> None:
    block = block_of("metadata\nview two {\nexpr metadata('view/name') == 'two'\n}\nwhoami")
    assert block.when[0].expression == Compare("==", LabelValue("view/name"), Constant("two"))
    assert block.metadata == Metadata(["example.org."], {"view/name": TextLabel("two")}, [])


@pytest.mark.parametrize(
    ("lines", "code", "part"),
    [
        ("view", "argument-count", "`view` takes 1 argument"),
        ("view a b", "argument-count", "`view` takes 1 argument"),
        ("view a {\nexpr\n}", "argument-count", "`expr` takes at least 1 argument"),
        ("view a {\nexp do()\n}", "unknown-option", "did you mean `expr`?"),
        ("view a\nview b", "used-twice", "only once"),
        ("view a {\nexpr foo(\n}", "bad-expression", "there is no function `foo` here"),
        ('view a {\nexpr type() == "A"\n}', "bad-expression", "texts stand in single quotes, as the Corefile takes double ones away: 'A'"),
    ],
)
def test_what_is_wrong_with_a_view_is_told(lines: str, code: str, part: str) -> None:
    [(found, text)] = problems(lines)
    assert found == code
    assert part in text


def test_a_problem_stands_where_the_expression_is_wrong() -> None:
    (problem,) = compiled(".:53 {\n    view a {\n        expr   type() ==   A && do()\n    }\n}\n").problems
    assert problem.place == Place("Corefile", 3, 28)


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (
            "view a {\nexpr metadata('view/name') == ''\n}",
            "the label `view/name` is always empty: this block has no `metadata` | add a line: metadata",
        ),
        (
            "metadata\nview a {\nexpr metadata('view/nam') == ''\n}",
            "`view/nam` is always empty: no directive of this block knows it | did you mean `view/name`?",
        ),
    ],
)
def test_labels_that_are_always_empty_are_told(lines: str, part: str) -> None:
    [(code, text)] = problems(lines, Severity.WARNING)
    assert code == "empty-label"
    assert part in text


def test_several_blocks_serve_one_zone_in_their_order() -> None:
    corefile = (
        ".:53 {\n view a {\n expr do()\n }\n whoami\n}\n.:53 {\n view b\n forward . 192.0.2.1\n cache\n}\n.:53 {\n cache\n whoami\n}\n"
    )
    compilation = compiled(corefile)
    assert compilation.problems == ()
    assert compilation.plan is not None
    assert [(block.zone, block.view, block.listeners) for block in compilation.plan.blocks] == [
        (".", view, [":53"]) for view in ("a", "b", "")
    ]
    assert [served.zone for served in compilation.served] == ["."]
    caches = [op.id for block in compilation.plan.blocks for op in block.program if op.__struct_config__.tag == "cache"]  # type: ignore[union-attr]
    assert [cache.rpartition("/")[0] for cache in caches] == ["cache/.:53 view b", "cache/.:53"], "the name stays when others come and go"


def test_a_view_behind_a_block_that_takes_all_is_told() -> None:
    (problem,) = compiled(".:53 {\n whoami\n}\n.:53 {\n view a\n whoami\n}\n").problems
    assert (problem.code, problem.place.line) == ("unreachable-view", 4)
    assert "the block at Corefile:1:1 takes all of them" in problem.message


def test_two_blocks_without_a_view_are_still_one_too_many() -> None:
    codes = [problem.code for problem in compiled(".:53 {\n view a\n}\n.:53 {\n whoami\n}\n.:53 {\n whoami\n}\n").problems]
    assert codes == ["zone-twice"]
