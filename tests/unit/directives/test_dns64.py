"""`dns64`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.plan.ops import Dns64Op
from tests.unit.directives.blocks import ops, problems


@pytest.mark.parametrize(
    ("lines", "prefix", "translate_all", "allow_ipv4"),
    [
        ("dns64", "64:ff9b::/96", False, False),
        ("dns64 2001:db8::/32", "2001:db8::/32", False, False),
        ("dns64 2001:db8:64::1/96", "2001:db8:64::/96", False, False),
        ("dns64 {\nprefix 64:1337::/96\n}", "64:1337::/96", False, False),
        ("dns64 {\ntranslate_all\nallow_ipv4\n}", "64:ff9b::/96", True, True),
        ("dns64 64:1::/64 {\nallow_ipv4\n}", "64:1::/64", False, True),
        ("dns64 64:1::/64\ndns64 {\ntranslate_all\n}", "64:1::/64", True, False),
    ],
)
def test_options(lines: str, prefix: str, translate_all: bool, allow_ipv4: bool) -> None:
    assert ops(lines) == [Dns64Op(prefix=prefix, translate_all=translate_all, allow_ipv4=allow_ipv4, span=0)]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("dns64 {\nfoo\n}", "unknown option `foo` of `dns64`"),
        ("dns64 64:1::/96 64:2::/96", "`dns64` takes at most 1 argument, found 2"),
        ("dns64 64:1::", "is no network"),
        ("dns64 10.0.0.0/8", "`10.0.0.0/8` is a network of IPv4 | write one of IPv6, like 64:ff9b::/96"),
        ("dns64 64:1::/104", "a prefix cannot have 104 bits | it can have 32, 40, 48, 56, 64, 96"),
        ("dns64 64:1::/33", "a prefix cannot have 33 bits"),
        ("dns64 {\nprefix\n}", "`prefix` takes 1 argument, found 0"),
        ("dns64 {\ntranslate_all yes\n}", "`translate_all` takes no arguments, found 1"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    assert any(part in message for _, message in problems(line))


def test_lengths_that_coredns_takes_and_the_standard_does_not_know_are_doubtful() -> None:
    assert problems("dns64 64:1::/80") == []
    ((code, message),) = problems("dns64 64:1::/80", Severity.WARNING)
    assert code == "odd-prefix"
    assert "80 bits" in message
