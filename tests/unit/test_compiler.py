"""Tree to plan: blocks, listeners, order of ops, and all problems at once (rules G3, G6 to G9)."""

from collections.abc import Mapping

import pytest

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.directives import HERE, LATER, TABLE
from clusterdns.directives.block import ReloadOptions
from clusterdns.listeners import Served
from clusterdns.plan import VERSION, Plan, decode_plan, encode_plan
from clusterdns.plan.listeners import Listener, Span
from clusterdns.scalars import Duration
from clusterdns.sources import sources_of_texts


def compiled(text: str, files: Mapping[str, str] | None = None, default_port: int = 53) -> Compilation:
    """What becomes of a Corefile of this text."""
    sources = sources_of_texts({"Corefile": text, **(files or {})})
    return compile_plan(parse_corefile("Corefile", sources), sources, default_port=default_port)


def plan_of(text: str, default_port: int = 53) -> Plan:
    """The plan of a Corefile without problems."""
    compilation = compiled(text, default_port=default_port)
    assert compilation.problems == ()
    assert compilation.plan is not None
    return compilation.plan


def errors(compilation: Compilation) -> list[tuple[str, int, int]]:
    """The errors as code, line and column."""
    assert compilation.plan is None
    found = (problem for problem in compilation.problems if problem.severity is Severity.ERROR)
    return [(problem.code, problem.place.line, problem.place.column) for problem in found]


def test_a_plan_has_listeners_blocks_and_spans() -> None:
    plan = plan_of(".:53 {\n    whoami\n}")
    assert plan.version == VERSION
    assert plan.listeners == [Listener(id=":53", host="", port=53, server="dns://:53")]
    assert [(block.zone, block.listeners) for block in plan.blocks] == [(".", [":53"])]
    assert plan.spans[plan.blocks[0].span] == Span("Corefile", 1, 1, ".:53")
    assert plan.spans[plan.blocks[0].program[0].span] == Span("Corefile", 2, 5, "whoami")
    assert decode_plan(encode_plan(plan)) == plan


def test_G1_a_block_without_directives_has_an_empty_program() -> None:
    assert [block.program for block in plan_of("example.org").blocks] == [[]]


def test_G3_the_order_of_the_ops_is_that_of_the_table() -> None:
    plan = plan_of(". {\n whoami\n loadbalance\n errors\n debug\n}")
    assert [type(op).__name__ for op in plan.blocks[0].program] == ["DebugOp", "ErrorsOp", "ShuffleOp", "WhoamiOp"]


def test_G3_the_lines_of_one_directive_are_compiled_together() -> None:
    plan = plan_of(". {\n bind 127.0.0.1\n whoami\n bind 127.0.0.2\n}")
    assert plan.blocks[0].listeners == ["127.0.0.1:53", "127.0.0.2:53"]


def test_G6_the_default_port_is_that_of_the_command_line() -> None:
    assert plan_of(". org:53 {\n}", default_port=1053).listeners[0].id == ":1053"


def test_G6_each_key_has_its_own_port() -> None:
    plan = plan_of(".:53 .:5353 org:5353 {\n whoami\n}")
    assert [(block.zone, block.listeners) for block in plan.blocks] == [(".", [":53"]), (".", [":5353"]), ("org.", [":5353"])]
    assert [listener.id for listener in plan.listeners] == [":53", ":5353"]


def test_G6_a_classless_prefix_becomes_several_blocks() -> None:
    plan = plan_of("10.0.0.0/27 {\n whoami\n}")
    assert len(plan.blocks) == 32
    assert {block.span for block in plan.blocks} == {plan.blocks[0].span}


def test_G6_ipv6_listeners_have_brackets() -> None:
    plan = plan_of(". {\n bind ::1\n}")
    assert plan.listeners == [Listener(id="[::1]:53", host="::1", port=53, server="dns://[::1]:53")]


@pytest.mark.parametrize(
    "text",
    [".:53 .:53 {\n}", ".:53 {\n}\n.:53 {\n}", ". {\n}\n.:53 {\n}", "Org {\n}\norg. {\n}"],
)
def test_G7_a_zone_can_be_served_once_on_a_listener(text: str) -> None:
    compilation = compiled(text)
    assert [code for code, _, _ in errors(compilation)] == ["zone-twice"]
    assert "it is already defined" in compilation.problems[0].message
    assert "it was defined at Corefile:1:1" in compilation.problems[0].hint


def test_G7_the_message_is_that_of_coredns() -> None:
    assert compiled(". {\n}\n. {\n}").problems[0].message == "cannot serve dns://.:53 - it is already defined"
    twice = compiled(". {\n bind ::1 ::1\n}").problems[0].message
    assert twice == "cannot serve dns://.:53 on ::1 - it is already defined"


@pytest.mark.parametrize("first_bound", [True, False])
def test_G7_all_addresses_overlap_with_each_single_one(first_bound: bool) -> None:
    bound, unbound = ". {\n bind 127.0.0.1\n}\n", ". {\n whoami\n}\n"
    compilation = compiled(bound + unbound if first_bound else unbound + bound)
    message = "cannot serve dns://.:53 - zone overlap listener capacity with dns://.:53 on 127.0.0.1"
    other = "cannot serve dns://.:53 on 127.0.0.1 - zone overlap listener capacity with dns://.:53"
    assert [problem.message for problem in compilation.problems] == [message if first_bound else other]


def test_G7_other_zones_ports_and_addresses_do_not_overlap() -> None:
    plan_of(".:53 {\n bind 127.0.0.1\n}\n.:53 {\n bind 127.0.0.2\n}\n.:54 {\n}\norg:53 {\n}")


def test_G7_blocks_with_a_view_may_share_a_zone() -> None:
    plan = plan_of(". {\n view a {\n }\n}\n. {\n view b {\n }\n}\n. {\n}")
    assert [block.view for block in plan.blocks] == ["a", "b", ""]


def test_G8_the_keys_of_a_block_share_its_program() -> None:
    plan = plan_of("example.org example.net {\n errors\n whoami\n}")
    assert plan.blocks[0].program == plan.blocks[1].program
    assert len(plan.blocks[0].program) == 2


def test_G9_without_a_server_block_the_plan_is_empty_and_somebody_must_say_what_to_serve() -> None:
    compilation = compiled("# nothing\n")
    assert compilation.plan is not None
    assert compilation.plan.blocks == []
    assert [problem.code for problem in compilation.problems] == ["no-server-block"]


def test_all_problems_of_all_blocks_are_told_in_the_order_of_the_file() -> None:
    text = ". {\n reload 1s x\n nosuch\n whoami a\n cache 30\n}\na..b {\n errors { nosuch\n }\n whoami }\n"
    assert errors(compiled(text)) == [
        ("bad-value", 2, 9),
        ("bad-value", 2, 12),
        ("unknown-directive", 3, 2),
        ("argument-count", 4, 9),
        *([("unsupported-directive", 5, 2)] if TABLE["cache"] is LATER else []),
        ("bad-key", 7, 1),
        ("unknown-option", 8, 11),
        ("brace-in-line", 10, 9),
    ]


def test_a_problem_in_a_snippet_is_told_once() -> None:
    assert errors(compiled("(s) {\n whoami a\n}\n. {\n import s\n}\norg {\n import s\n}")) == [("argument-count", 2, 9)]


def test_problems_of_imported_files_come_after_those_of_the_corefile() -> None:
    compilation = compiled(". {\n import a\n whoami x\n}", {"a": "nosuch"})
    assert [str(problem.place) for problem in compilation.problems] == ["Corefile:3:9", "a:1:1"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("forwad . 1.1.1.1", "did you mean `forward`?"),
        ("Errors", "did you mean `errors`?"),
        ("health{", "write: health {"),
        ("xyzzy", "there are: "),
    ],
)
def test_an_unknown_directive_comes_with_a_suggestion(line: str, hint: str) -> None:
    compilation = compiled(f". {{\n {line}\n}}")
    assert [code for code, _, _ in errors(compilation)] == ["unknown-directive"]
    assert compilation.problems[0].hint.startswith(hint)


def test_an_unknown_directive_lists_what_there_is() -> None:
    hint = compiled(". {\n xyzzy\n}").problems[0].hint
    assert hint.removeprefix("there are: ").split(", ") == [name for name, state in TABLE.items() if state is HERE]


def test_a_directive_that_may_stand_once_is_refused_the_second_time() -> None:
    compilation = compiled(". {\n errors\n errors x\n}")
    assert errors(compilation) == [("used-twice", 3, 2)]
    assert "Corefile:2:2" in compilation.problems[0].hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cache 30 {\n}", "directive-as-zone"),
        ("foo://. {\n}", "odd-zone"),
        ("_tcp.org {\n}", "odd-zone"),
        ("{\n whoami\n}\norg {\n}", "no-key"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(text: str, code: str) -> None:
    compilation = compiled(text)
    assert compilation.plan is not None
    assert compilation.problems[0].code == code
    assert all(problem.severity is Severity.WARNING for problem in compilation.problems)


@pytest.mark.parametrize("text", ["local {\n}", "10.0.0.0/8 in-addr.arpa {\n}", ". {\n}"])
def test_usual_zones_are_not_warned_of(text: str) -> None:
    plan_of(text)


def test_the_banner_tells_each_zone_and_listener() -> None:
    compilation = compiled("org:53 . {\n bind 127.0.0.1 ::1\n}\n")
    assert compilation.served == (
        Served(".", "dns://127.0.0.1:53"),
        Served(".", "dns://[::1]:53"),
        Served("org.", "dns://127.0.0.1:53"),
        Served("org.", "dns://[::1]:53"),
    )


def test_the_last_reload_decides_for_the_process() -> None:
    compilation = compiled(". {\n reload 10s 0s\n}\norg {\n reload 20s 0s\n}\nnet {\n}")
    assert compilation.reload == ReloadOptions(Duration.parse("20s"), Duration(0))
    assert compiled(". {\n}").reload is None


def test_debug_of_any_block_is_told() -> None:
    assert compiled(". {\n}\norg {\n debug\n}").debug
    assert not compiled(". {\n}").debug
