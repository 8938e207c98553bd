"""`hosts`: CoreDNS's own cases, and what was recorded of it."""

import msgspec
import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.hostsfile import HostsOptions
from clusterdns.plan.ops import RecordsOp
from tests.unit.directives.blocks import compile_lines, ops, problems


def wanted(lines: str) -> list[HostsOptions]:
    """What the feeds are told, without problems."""
    compilation = compile_lines(lines)
    assert compilation.problems == ()
    return [feed.options for feed in compilation.feeds if isinstance(feed.options, HostsOptions)]


def op(lines: str) -> RecordsOp:
    """The one op, without problems."""
    (found,) = ops(lines)
    assert isinstance(found, RecordsOp)
    return found


DEFAULTS = HostsOptions("/etc/hosts", False, ("example.org.",), 3600, True, 5.0)


def test_the_defaults() -> None:
    assert wanted("hosts") == [DEFAULTS]
    found = op("hosts")
    assert (found.under, found.types, found.anywhere, found.name) == (["example.org."], [1, 28], [12], "hosts")
    assert (found.fallthrough, found.fallthrough_types) == ([], False)


def test_a_file_and_its_zones() -> None:
    named = msgspec.structs.replace(DEFAULTS, path="/x", named=True)
    assert wanted("hosts /x") == [named]
    assert wanted("hosts /x A.example.org b.EXAMPLE.org") == [msgspec.structs.replace(named, zones=("a.example.org.", "b.example.org."))]


def test_options_of_the_records() -> None:
    expected = msgspec.structs.replace(DEFAULTS, ttl=65535, reverse=False, reload_seconds=90.0)
    assert wanted("hosts {\nttl 65535\nno_reverse\nreload 1m30s\n}") == [expected]
    assert wanted("hosts {\nreload 0\n}")[0].reload_seconds == 0


def test_entries_are_a_zone_of_their_own_so_that_the_file_stays_when_they_change() -> None:
    file, entries = wanted("hosts {\n192.0.2.1 a.example.org b.example.org # tail\n::1 c.example.org\nttl 9\n}")
    assert file == msgspec.structs.replace(DEFAULTS, ttl=9)
    assert entries == msgspec.structs.replace(file, entries=("192.0.2.1 a.example.org b.example.org", "::1 c.example.org"))
    first, second = (compile_lines(f"hosts {{\n192.0.2.{number} a.example.org\n}}") for number in (1, 2))
    assert first.feeds[0].zone == second.feeds[0].zone
    assert first.feeds[1].zone != second.feeds[1].zone
    assert op("hosts {\n192.0.2.1 a.example.org\n}").zones == [feed.zone for feed in first.feeds]


def test_the_same_file_in_two_blocks_is_one_zone() -> None:
    compilation = compile_lines("hosts /x .\n}\nexample.net {\nhosts /x .")
    assert compilation.plan is not None
    assert len(compilation.plan.zones) == len(compilation.feeds) == 1


@pytest.mark.parametrize(
    ("line", "expected"), [("fallthrough", ["."]), ("fallthrough sub.example.org 10.0.0.0/8", ["sub.example.org.", "10.in-addr.arpa."])]
)
def test_fallthrough(line: str, expected: list[str]) -> None:
    assert op(f"hosts {{\n{line}\n}}").fallthrough == expected


def test_fallthrough_unsupported_stands_on_either_side_of_fallthrough_but_not_alone() -> None:
    assert op("hosts {\nfallthrough_unsupported\nfallthrough\n}").fallthrough_types
    assert op("hosts {\nfallthrough\nfallthrough_unsupported\nttl 5\n}").fallthrough_types
    assert [code for code, _ in problems("hosts {\nfallthrough_unsupported\n}")] == ["conflict"]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ("ttl", "argument-count", "takes 1 argument, found 0"),
        ("ttl 0", "bad-value", "0 is out of range: from 1 to 65535"),
        ("ttl 65536", "bad-value", "out of range"),
        ("ttl x", "bad-value", "is no whole number"),
        ("reload", "argument-count", "takes 1 argument"),
        ("reload 5", "bad-value", "is no duration"),
        ("reload -1s", "bad-value", "out of range"),
        ("reload 1s 2s", "argument-count", "takes 1 argument"),
        ("fallthrough_unsupported x\nfallthrough", "argument-count", "takes no arguments"),
        ("fallthrough\n192.0.2.1 a.example.org", "unknown-option", "no entry may stand behind `fallthrough`"),
        ("fallthrough\ntll 5", "unknown-option", "did you mean `ttl`?"),
        ("192.0.2.1 a.example.org {\nx\n}", "unexpected-block", "takes no block"),
    ],
)
def test_what_keeps_a_corefile_from_being_used(options: str, code: str, text: str) -> None:
    ((found, message),) = problems(f"hosts {{\n{options}\n}}")
    assert found == code
    assert text in message


def test_hosts_is_once_in_a_block() -> None:
    assert [code for code, _ in problems("hosts\nhosts")] == ["used-twice"]


@pytest.mark.parametrize(
    ("lines", "code", "text"),
    [
        ("hosts {\nfalltrough\n}", "bad-entry", "did you mean `fallthrough`?"),
        ("hosts {\n192.0.2.300 a.example.org\n}", "bad-entry", "the entry is left out: `192.0.2.300` is no IP address"),
        ("hosts {\n192.0.2.3 a.example.net\n}", "entry-outside", "these are example.org."),
        ("hosts /x example.net", "unreachable-zone", "no question for `example.net.` comes here"),
        ("hosts {\nttl 5 6\n}", "ignored-word", "`6` means nothing here"),
        ("hosts {\nno_reverse x\n}", "ignored-word", "`x` means nothing here"),
    ],
)
def test_what_is_probably_not_meant(lines: str, code: str, text: str) -> None:
    assert problems(lines) == []
    ((found, message),) = problems(lines, Severity.WARNING)
    assert found == code
    assert text in message
