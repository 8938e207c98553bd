"""`cache`: its options, CoreDNS's own cases of what is right and wrong, and what a cache is known by."""

import pytest

from clusterdns.compiler import compile_plan
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.plan.ops import CacheClass, CacheOp, Prefetch, ServeStale
from clusterdns.sources import sources_of_texts
from tests.unit.directives.blocks import compile_lines, ops, problems

SUCCESS = CacheClass(9984, 3600, 5)
DENIAL = CacheClass(9984, 1800, 5)


def cache(line: str) -> CacheOp:
    """The op that a line becomes, without errors."""
    assert problems(line) == []
    plan = compile_lines(line).plan
    assert plan is not None
    (op,) = plan.blocks[0].program
    assert isinstance(op, CacheOp)
    return op


def stale(option: str) -> ServeStale | None:
    """What `serve_stale` becomes."""
    return cache(f"cache {{\n{option}\n}}").serve_stale


def test_without_options_the_block_is_cached_with_the_defaults() -> None:
    (op,) = ops("cache")
    assert isinstance(op, CacheOp)
    assert (op.zones, op.success, op.denial, op.servfail) == (["example.org."], SUCCESS, DENIAL, 5)
    assert (op.prefetch, op.serve_stale, op.keepttl, op.disable_success, op.disable_denial) == (None, None, False, [], [])


@pytest.mark.parametrize(
    ("line", "zones", "success", "denial"),
    [
        ("cache 30", ["example.org."], CacheClass(9984, 30, 5), CacheClass(9984, 30, 5)),
        ("cache +30", ["example.org."], CacheClass(9984, 30, 5), CacheClass(9984, 30, 5)),
        ("cache 3600 a.example.org B.example.org", ["a.example.org.", "b.example.org."], SUCCESS, CacheClass(9984, 3600, 5)),
        ("cache 99999999999", ["example.org."], CacheClass(9984, 2**31 - 1, 5), CacheClass(9984, 2**31 - 1, 5)),
        ("cache {\nsuccess 2000\n}", ["example.org."], CacheClass(2000, 3600, 5), DENIAL),
        ("cache {\nsuccess 2000 1800 30\n}", ["example.org."], CacheClass(2000, 1800, 30), DENIAL),
        ("cache {\nsuccess 2000\ndenial 3000 15\n}", ["example.org."], CacheClass(2000, 3600, 5), CacheClass(3000, 15, 5)),
        ("cache 25 {\nsuccess 2000\ndenial 3000 15 2\n}", ["example.org."], CacheClass(2000, 25, 5), CacheClass(3000, 15, 2)),
        ("cache {\nsuccess 2000 60 0\n}", ["example.org."], CacheClass(2000, 60, 0), DENIAL),
    ],
)
def test_own_settings_of_success_and_denial_win_over_the_ttl(line: str, zones: list[str], success: CacheClass, denial: CacheClass) -> None:
    op = cache(line)
    assert (op.zones, op.success, op.denial) == (zones, success, denial)
    assert compile_lines(line).problems == ()


def test_a_cache_is_never_smaller_than_1024_and_says_so() -> None:
    assert cache("cache {\nsuccess 10\ndenial 0\n}").success == CacheClass(1024, 3600, 5)
    assert [code for code, _ in problems("cache {\nsuccess 10\ndenial 0\n}", Severity.WARNING)] == ["raised", "raised"]


def test_a_zone_that_is_not_served_is_told() -> None:
    assert cache("cache 30s").zones == ["30s."]
    ((code, text),) = problems("cache 30s", Severity.WARNING)
    assert code == "unreachable-zone"
    assert "a TTL is a number of seconds without a unit" in text


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("prefetch 10", Prefetch(10, 60, 10)),
        ("prefetch 1 30s", Prefetch(1, 30, 10)),
        ("prefetch 1 1500ms 20%", Prefetch(1, 2, 20)),
        ("prefetch 0", None),
        ("prefetch 0 1m 90%", None),
    ],
)
def test_prefetch(option: str, expected: Prefetch | None) -> None:
    assert cache(f"cache {{\n{option}\n}}").prefetch == expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("serve_stale", ServeStale(3600, "immediate", 0, 0, 0, False)),
        ("serve_stale 20m", ServeStale(1200, "immediate", 0, 0, 0, False)),
        ("serve_stale 1h20m", ServeStale(4800, "immediate", 0, 0, 0, False)),
        ("serve_stale 1h IMMEDIATE", ServeStale(3600, "immediate", 0, 0, 0, False)),
        ("serve_stale 1h immediate 30s", ServeStale(3600, "immediate", 0, 30, 0, False)),
        ("serve_stale 1h immediate 30s 45s", ServeStale(3600, "immediate", 0, 30, 45, False)),
        ("serve_stale 1h immediate 4294967295s", ServeStale(3600, "immediate", 0, 2**32 - 1, 0, False)),
        ("serve_stale 1h immediate 0 0", ServeStale(3600, "immediate", 0, 0, 0, False)),
        ("serve_stale 1h verify", ServeStale(3600, "verify", 0, 0, 0, False)),
        ("serve_stale 1h VERIFY 250ms", ServeStale(3600, "verify", 250, 0, 0, False)),
        ("serve_stale 1h verify 0 1m", ServeStale(3600, "verify", 0, 60, 0, False)),
        ("serve_stale 1h verify 100ms 30s 250ms", ServeStale(3600, "verify", 100, 30, 1, False)),
        ("serve_stale 1h verify 0 0 5m", ServeStale(3600, "verify", 0, 0, 300, False)),
        ("serve_stale 0", None),
        ("serve_stale 0m", None),
        ("serve_stale 0 verify", None),
        ("serve_stale 0 immediate", None),
        ("serve_stale\nserve_stale_policy prefer_positive", ServeStale(3600, "immediate", 0, 0, 0, True)),
        ("serve_stale_policy PREFER_POSITIVE\nserve_stale", ServeStale(3600, "immediate", 0, 0, 0, True)),
        ("serve_stale 0\nserve_stale_policy prefer_positive", None),
    ],
)
def test_serve_stale(option: str, expected: ServeStale | None) -> None:
    assert stale(option) == expected
    assert compile_lines(f"cache {{\n{option}\n}}").problems == ()


@pytest.mark.parametrize(("option", "seconds"), [("1s", 1), ("5m", 300), ("0s", 0), ("0", 0), ("1500ms", 2)])
def test_servfail(option: str, seconds: int) -> None:
    assert cache(f"cache {{\nservfail {option}\n}}").servfail == seconds


@pytest.mark.parametrize(
    ("option", "success", "denial"),
    [
        ("disable denial a.org B.org", [], ["a.org.", "b.org."]),
        ("disable success a.org b.org", ["a.org.", "b.org."], []),
        ("disable denial", [], ["."]),
        ("disable success", ["."], []),
        ("disable denial a.org\ndisable success b.org", ["b.org."], ["a.org."]),
        ("disable denial a.org\ndisable denial b.org", [], ["b.org."]),
    ],
)
def test_disable(option: str, success: list[str], denial: list[str]) -> None:
    op = cache(f"cache {{\n{option}\n}}")
    assert (op.disable_success, op.disable_denial) == (success, denial)


def test_keepttl() -> None:
    assert cache("cache {\nkeepttl\n}").keepttl


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("cache 0", "a TTL of 0 keeps nothing"),
        ("cache -1 example.org", "a TTL of -1 keeps nothing"),
        ("cache foo..bar", "is no zone"),
        ("cache 30\ncache 60", "can be used only once"),
        ("cache {\nnosuch\n}", "unknown option `nosuch`"),
        ("cache {\npositive 15\n}", "unknown option `positive`"),
        ("cache {\nsuccess\n}", "takes 1 to 3 arguments, found 0"),
        ("cache {\nsuccess x\n}", "`x` is no whole number"),
        ("cache {\ndenial aaa\n}", "`aaa` is no whole number"),
        ("cache {\nsuccess 2000 0\n}", "a TTL of 0 keeps nothing"),
        ("cache {\ndenial 2000 10 -1\n}", "-1 is out of range"),
        ("cache {\nprefetch\n}", "takes 1 to 3 arguments"),
        ("cache {\nprefetch -1\n}", "-1 is out of range"),
        ("cache {\nprefetch 0 blurp\n}", "`blurp` is no duration"),
        ("cache {\nprefetch 1 1m 20\n}", "`20` is no percentage | write: 20%"),
        ("cache {\nprefetch 1 1m 9%\n}", "9 is out of range: from 10 to 90"),
        ("cache {\nprefetch 1 1m 91%\n}", "91 is out of range"),
        ("cache {\nprefetch 1 1m x%\n}", "`x` is no whole number"),
        ("cache {\nprefetch 1 1m 20% 5\n}", "takes 1 to 3 arguments"),
        ("cache {\nserve_stale 20\n}", "`20` is no duration"),
        ("cache {\nserve_stale -20m\n}", "is out of range"),
        ("cache {\nserve_stale aa\n}", "`aa` is no duration"),
        ("cache {\nserve_stale 1m nono\n}", "`nono` is not one of immediate, verify"),
        ("cache {\nserve_stale 0 after nono\n}", "`after` is not one of"),
        ("cache {\nserve_stale 1h immediate 100ms\n}", "a TTL of 100ms is no whole number of seconds | write: 1s"),
        ("cache {\nserve_stale 1h immediate 4294967296s\n}", "is out of range"),
        ("cache {\nserve_stale 1h immediate -1s\n}", "-1s is out of range"),
        ("cache {\nserve_stale 1h immediate 30s extra\n}", "`extra` is no duration"),
        ("cache {\nserve_stale 1h immediate 30s 5m1s\n}", "5m1s is out of range"),
        ("cache {\nserve_stale 1h immediate 30s 30s extra\n}", "takes at most 4 arguments, found 5"),
        ("cache {\nserve_stale 1h verify -1ms\n}", "-1ms is out of range"),
        ("cache {\nserve_stale 1h verify garbage\n}", "`garbage` is no duration"),
        ("cache {\nserve_stale 1h verify 100ms 500ms\n}", "a TTL of 500ms is no whole number"),
        ("cache {\nserve_stale 1h verify 100ms 30s -1s\n}", "-1s is out of range"),
        ("cache {\nserve_stale 1h verify 100ms 30s 30s extra\n}", "takes at most 5 arguments, found 6"),
        ("cache {\nserve_stale_policy prefer_positive\n}", "needs `serve_stale`"),
        ("cache {\nserve_stale\nserve_stale_policy\n}", "takes 1 argument, found 0"),
        ("cache {\nserve_stale\nserve_stale_policy prefer_positive extra\n}", "takes 1 argument, found 2"),
        ("cache {\nserve_stale\nserve_stale_policy invalid\n}", "`invalid` is not one of"),
        ("cache {\nserve_stale\nserve_stale_policy prefer_positive\nserve_stale_policy prefer_positive\n}", "can be used only once"),
        ("cache {\nservfail\n}", "takes 1 argument"),
        ("cache {\nservfail 6m\n}", "6m0s is out of range"),
        ("cache {\nservfail 20\n}", "`20` is no duration"),
        ("cache {\nservfail -1s\n}", "-1s is out of range"),
        ("cache {\nservfail 1m invalid\n}", "takes 1 argument, found 2"),
        ("cache {\ndisable\n}", "takes at least 1 argument"),
        ("cache {\ndisable invalid a.org\n}", "`invalid` is not one of success, denial"),
        ("cache {\nkeepttl x\n}", "takes no arguments, found 1"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    ((_, text),) = problems(line)
    assert part in text


def test_all_problems_are_told_at_once() -> None:
    assert len(problems("cache 0 {\nsuccess x\nservfail 6m\nkeepttl x\n}")) == 4


def identities(corefile: str) -> list[str]:
    """The identities of a Corefile's caches."""
    sources = sources_of_texts({"Corefile": corefile})
    plan = compile_plan(parse_corefile("Corefile", sources), sources).plan
    assert plan is not None
    return [op.id for block in plan.blocks for op in block.program if isinstance(op, CacheOp)]


def test_a_cache_is_known_by_its_block_and_its_options() -> None:
    (first,) = identities("example.org {\n    cache 30\n}")
    assert identities("\n# moved\nexample.org {\n    errors\n    cache 30\n}") == [first]
    assert identities("example.org {\n    cache 31\n}") != [first]
    assert identities("example.net {\n    cache 30\n}") != [first]


def test_each_block_has_a_cache_of_its_own_and_its_keys_share_it() -> None:
    same, also, other, bound = identities(
        ".:53 example.org:53 {\n    bind 127.0.0.1\n    cache\n}\n.:54 {\n    cache\n}\n.:53 example.org:53 {\n    bind ::1\n    cache\n}"
    )[:4]
    assert same == also
    assert len({same, other, bound}) == 3
