"""`log`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.plan.ops import LogOp, LogRule
from tests.unit.directives.blocks import compile_lines, ops, problems

ALL = ["success", "denial", "error"]
COMMON = [
    *("", "remote", ":", "port", " - ", ">id", ' "', "type", " ", "class", " ", "name", " ", "proto", " ", "size", " ", ">do", " "),
    *(">bufsize", '" ', "rcode", " ", ">rflags", " ", "rsize", " ", "duration", ""),
]
COMBINED = [*COMMON[:-1], ' "', ">opcode", '"']


def rules(lines: str) -> list[LogRule]:
    """What the lines become, without errors."""
    assert problems(lines) == []
    plan = compile_lines(lines).plan
    assert plan is not None
    (op,) = plan.blocks[0].program
    assert isinstance(op, LogOp)
    return op.rules


def test_without_arguments_all_is_logged_in_the_common_format() -> None:
    assert ops("log") == [LogOp([LogRule(".", COMMON, ["success", "denial", "error"])], span=0)]


@pytest.mark.parametrize(
    ("line", "zones", "pieces"),
    [
        ("log example.org", ["example.org."], COMMON),
        ("log A.example.org b.example.org", ["a.example.org.", "b.example.org."], COMMON),
        ("log . {common}", ["."], COMMON),
        ("log . {combined}", ["."], COMBINED),
        ('log example.org "{name} {rcode}"', ["example.org."], ["", "name", " ", "rcode", ""]),
        ('log . "a {name}{>id} } {b"', ["."], ["a ", "name", "", ">id", " } {b"]),
    ],
)
def test_zones_and_format(line: str, zones: list[str], pieces: list[str]) -> None:
    assert [(rule.zone, rule.format) for rule in rules(line)] == [(zone, pieces) for zone in zones]
    assert compile_lines(line).problems == ()


@pytest.mark.parametrize(
    ("lines", "pieces", "codes"),
    [
        ('log . "{ {type} {/meta/data}"', ["{ ", "type", " ", "/meta/data", ""], ["empty-label"]),
        ('log . "{/log/class}"', ["", "", ""], ["empty-label"]),
        ('log . "{/log/class}"\nmetadata', ["", "/log/class", ""], []),
    ],
)
def test_metadata_of_a_line(lines: str, pieces: list[str], codes: list[str]) -> None:
    assert rules(lines)[0].format == pieces
    assert [code for code, _ in problems(lines, Severity.WARNING)] == codes


@pytest.mark.parametrize(
    ("option", "classes"),
    [
        ("class all", ALL),
        ("class denial", ["denial"]),
        ("class error denial", ["error", "denial"]),
        ("class success\nclass error success", ["success", "error"]),
        ("class denial all", ["denial", "success", "error"]),
    ],
)
def test_classes(option: str, classes: list[str]) -> None:
    assert rules(f"log {{\n{option}\n}}")[0].classes == classes


def test_several_lines_are_rules_in_their_order() -> None:
    lines = 'log a.example.org "{name}"\nlog example.org {\nclass error\n}'
    assert [(rule.zone, rule.classes) for rule in rules(lines)] == [("a.example.org.", ALL), ("example.org.", ["error"])]
    assert compile_lines(lines).problems == ()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("log {common}", "format-as-zone"),
        ('log . "{nosuch}"', "unknown-placeholder"),
        ("log other.example", "unreachable-zone"),
        ("log\nlog a.example.org", "unreachable-line"),
        ("log\nlog", "unreachable-line"),
    ],
)
def test_what_is_probably_not_meant_is_told(line: str, code: str) -> None:
    assert problems(line) == []
    assert code in [code for code, _ in problems(line, Severity.WARNING)]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("log {\nclass\n}", "`class` takes at least 1 argument"),
        ("log {\nclass nosuch\n}", "`nosuch` is not one of all, success, denial, error"),
        ("log {\nnosuch\n}", "unknown option `nosuch` of `log`"),
        ("log foo..bar", "is no zone"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    ((_, text),) = problems(line)
    assert part in text
