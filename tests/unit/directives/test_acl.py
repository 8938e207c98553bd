"""`acl`"""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterdns.corefile.problems import Severity
from clusterdns.plan.ops import AclList, AclOp
from tests.unit.directives.blocks import compile_lines, ops, problems


def lists(lines: str) -> list[AclList]:
    """The lists of rules that the lines become."""
    return next(op for op in ops(lines) if isinstance(op, AclOp)).lists


def rules(lines: str) -> list[tuple[str, list[int], list[str]]]:
    """The rules of `acl { LINES }`: action, types, networks."""
    (only,) = lists(f"acl {{\n{lines}\n}}")
    return [(rule.action, rule.types, rule.networks) for rule in only.rules]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("block", ("block", [], [])),
        ("BLOCK TYPE A NET 192.0.2.1", ("block", [1], ["192.0.2.1/32"])),
        ("filter type AAAA a TYPE65280 AAAA", ("filter", [28, 1, 65280], [])),
        ("drop net 10.1.2.3/8 fd00::1 fd00::2/16", ("drop", [], ["10.0.0.0/8", "fd00::1/128", "fd00::/16"])),
        ("allow net 10.0.0.0/8 type MX net 192.0.2.0/24", ("allow", [15], ["10.0.0.0/8", "192.0.2.0/24"])),
        ("drop type A * net 10.0.0.0/8 * 192.0.2.1", ("drop", [], [])),
    ],
)
def test_a_rule_has_an_action_types_and_networks(line: str, rule: tuple[str, list[int], list[str]]) -> None:
    assert rules(line) == [rule]


def test_each_line_is_a_list_for_its_zones() -> None:
    first, second = lists("acl {\ndrop type MX\n}\nacl a.example.org B.example.org {\nallow net 192.0.2.1\nblock\n}")
    assert (first.zones, second.zones) == (["example.org."], ["a.example.org.", "b.example.org."])
    assert [rule.action for rule in second.rules] == ["allow", "block"]
    assert lists("acl") == [AclList(["example.org."], [])]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("permit", "unknown action `permit` of `acl` | there are: allow, block, filter, drop"),
        ("blok", "did you mean `block`?"),
        ("block type FOO", "`FOO` is no record type"),
        ("block type AAA", "did you mean `AAAA`?"),
        ("block type", "nothing stands behind `type` | write `*` for all of them"),
        ("block net type A", "nothing stands behind `net`"),
        ("block 10.0.0.0/8", "`10.0.0.0/8` is neither `type` nor `net` | write: block [type QTYPE...] [net SOURCE...]"),
        ("block net 10.0.0.0/33", "`10.0.0.0/33` is no network"),
        ("block net private", "`private` is no network"),
        ("block net fe80::1%eth0", "`fe80::1%eth0` is no network"),
        ("block {\nx\n}", "`block` takes no block"),
    ],
)
def test_what_is_wrong_is_told(lines: str, told: str) -> None:
    assert any(told in message for _, message in problems(f"acl {{\n{lines}\n}}"))


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ("acl {\nblock type A\nblock\nallow net 10.0.0.0/8\n}", "unreachable-line", 5),
        ("acl example.com {\nblock\n}", "unreachable-zone", 2),
        ("acl {\nblock net ::ffff:10.0.0.0/104\n}", "unreachable-network", 3),
    ],
)
def test_what_never_decides_is_told(lines: str, code: str, line: int) -> None:
    (problem,) = compile_lines(lines).problems
    assert (problem.severity, problem.code, problem.place.line) == (Severity.WARNING, code, line)


NETWORKS = st.ip_addresses().flatmap(lambda address: st.tuples(st.just(address), st.integers(0, address.max_prefixlen)))


@given(st.lists(NETWORKS, min_size=1))
def test_networks_are_those_that_are_written(networks: list[tuple[object, int]]) -> None:
    words = [f"{address}/{prefix}" for address, prefix in networks]
    plan = compile_lines(f"acl {{\nblock net {' '.join(words)}\n}}").plan
    assert plan is not None
    (op,) = plan.blocks[0].program
    assert isinstance(op, AclOp)
    assert op.lists[0].rules[0].networks == list(dict.fromkeys(str(ip_network(word, strict=False)) for word in words))
