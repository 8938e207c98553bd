"""`bind`"""

import pytest

from clusterdns.corefile.problems import Severity
from tests.unit.directives.blocks import compile_lines, problems


def hosts(lines: str) -> list[str]:
    """The hosts that the block listens on."""
    plan = compile_lines(lines).plan
    assert plan is not None
    return [listener.host for listener in plan.listeners]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("whoami", [""]),
        ("bind 127.0.0.1", ["127.0.0.1"]),
        ("bind 127.0.0.1 127.0.0.2\nbind 127.0.0.3", ["127.0.0.1", "127.0.0.2", "127.0.0.3"]),
        ("bind 0:0:0:0:0:0:0:1", ["::1"]),
        ("bind ::ffff:127.0.0.1", ["127.0.0.1"]),
        ("bind fe80::1%eth0", ["fe80::1%eth0"]),
        ("bind 0.0.0.0", ["0.0.0.0"]),
        ("bind lo", ["127.0.0.1", "::1"]),
        ("bind eth0", ["192.0.2.1", "fe80::1%eth0", "2001:db8::1"]),
        ("bind lo 192.0.2.1 {\nexcept 127.0.0.1\n}", ["::1", "192.0.2.1"]),
        ("bind lo eth0 {\nexcept eth0\n}", ["127.0.0.1", "::1"]),
        ("bind lo {\nexcept ::1\nexcept 127.0.0.1\n}", ["::1"]),
        ("bind lo {\nexcept lo\n}\nbind 127.0.0.1", ["127.0.0.1"]),
    ],
)
def test_addresses_and_interfaces(lines: str, expected: list[str]) -> None:
    assert compile_lines(lines).problems == ()
    assert hosts(lines) == expected


@pytest.mark.parametrize("lines", ["bind lo {\nexcept lo\n}", "bind down0"])
def test_a_block_without_an_address_is_not_served(lines: str) -> None:
    assert hosts(lines) == []
    assert [code for code, _ in problems(lines, Severity.WARNING)] == ["no-address"]


@pytest.mark.parametrize(
    ("lines", "code", "part"),
    [
        ("bind", "argument-count", "at least 1 argument"),
        ("bind eth1", "bad-address", "did you mean `eth0`?"),
        ("bind 127.0.0.1:53", "bad-address", "no IP address and no network interface"),
        ("bind lo {\nexcept\n}", "argument-count", "write: except ADDRESS..."),
        ("bind lo {\nexcept x..y\n}", "bad-address", "`x..y`"),
        ("bind lo {\nonly ::1\n}", "unknown-option", "unknown option `only`"),
        ("bind lo 127.0.0.1", "zone-twice", "it is already defined"),
    ],
)
def test_what_is_no_address_is_told(lines: str, code: str, part: str) -> None:
    [(found, text)] = problems(lines)
    assert found == code
    assert part in text
    assert problems(lines, Severity.WARNING) == []
