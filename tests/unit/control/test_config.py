"""Configurations: read, compared, kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from clusterdns.control.config import (
    LAST_GOOD,
    Configuration,
    has_changed,
    keep_last_good,
    read_configuration,
    read_last_good,
    says_what_runs,
)
from clusterdns.directives.block import ResolvedHost
from clusterdns.sources import Sources, sources_of_texts

GOOD = """.:1053 {
    reload 10s 2s
    errors
    health {
        lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa {
        manifests shop.yaml other
        pods verified
        ttl 30
        namespaces one two
        fallthrough
    }
    loadbalance round_robin {
        prefer 10.0.0.0/8
    }
    whoami
}
example.org:1053 {
    debug
}
"""


def read(text: str, **more: str) -> Configuration:
    """The configuration of a Corefile."""
    return read_configuration("Corefile", sources_of_texts({"Corefile": text, **more}), 53)


def test_what_is_kept_is_read_again_the_same(tmp_path: Path) -> None:
    configuration = read(GOOD)
    assert configuration.plan is not None
    keep_last_good(str(tmp_path / "deep" / "state"), configuration)
    again = read_last_good(str(tmp_path / "deep" / "state"))
    assert again == replace(configuration, texts={}, problems=())


def test_a_file_that_the_plan_was_made_from_is_remembered_by_what_it_held() -> None:
    corefile = ". {\n    loadbalance weighted weights {\n        reload 7s\n    }\n}\n"
    (watched,) = read(corefile, weights="a.test\n192.0.2.1 1\n").watched
    assert (watched.path, str(watched.interval)) == ("weights", "7s")
    assert not has_changed(watched, sources_of_texts({"weights": "a.test\n192.0.2.1 1\n"}))
    assert has_changed(watched, sources_of_texts({"weights": "a.test\n192.0.2.1 2\n"}))
    assert has_changed(watched, sources_of_texts({}))
    (missing,) = read(corefile).watched
    assert not has_changed(missing, sources_of_texts({}))
    assert has_changed(missing, sources_of_texts({"weights": ""}))


def test_keeping_replaces_what_was_kept(tmp_path: Path) -> None:
    keep_last_good(str(tmp_path), read(GOOD))
    newer = read(GOOD.replace("ttl 30", "ttl 31"))
    keep_last_good(str(tmp_path), newer)
    again = read_last_good(str(tmp_path))
    assert again is not None
    assert again.hash == newer.hash
    assert [path.name for path in tmp_path.iterdir()] == [LAST_GOOD]


def test_a_configuration_with_errors_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not good"):
        keep_last_good(str(tmp_path), read("nosuch {\n"))


def test_nothing_kept_is_no_configuration(tmp_path: Path) -> None:
    assert read_last_good(str(tmp_path)) is None
    (tmp_path / LAST_GOOD).write_bytes(b"\x00")
    assert read_last_good(str(tmp_path)) is None


def test_what_a_newer_version_kept_is_no_configuration_where_nobody_can_fill_its_zones(tmp_path: Path) -> None:
    keep_last_good(str(tmp_path), read(GOOD))
    file = tmp_path / LAST_GOOD
    file.write_text(file.read_text().replace('"directive":"kubernetes"', '"directive":"nosuch"'))
    assert read_last_good(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("text", "parsed"),
    [(GOOD, True), (". {\nnosuch\n}", True), (". {\nwhoami\n", False), (". {\nimport nosuch.conf\n}", False), ("", True)],
)
def test_parsed_says_whether_the_text_is_a_corefile(text: str, parsed: bool) -> None:
    assert read(text).parsed is parsed


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "(snippet) {\n    whoami\n}\n"])
def test_to_serve_nothing_is_an_error(text: str) -> None:
    """Difference D4."""
    configuration = read(text)
    assert configuration.plan is None
    assert [(problem.severity.value, problem.code) for problem in configuration.problems] == [("error", "no-server-block")]


def test_a_corefile_that_cannot_be_read_is_a_problem() -> None:
    configuration = read_configuration("nosuch", sources_of_texts({}), 53)
    assert (configuration.plan, configuration.parsed) == (None, False)
    assert [problem.code for problem in configuration.problems] == ["unreadable"]


@pytest.mark.parametrize("other", ["# remark\n" + GOOD, GOOD.replace("    ", "\t"), GOOD + "\n\n"])
def test_white_space_and_remarks_do_not_change_the_hash(other: str) -> None:
    assert read(other).hash == read(GOOD).hash


@pytest.mark.parametrize("change", [("ttl 30", "ttl 31"), ("10s 2s", "10s"), ("example.org", "example.com")])
def test_words_do(change: Sequence[str]) -> None:
    assert read(GOOD.replace(change[0], change[1])).hash != read(GOOD).hash


def test_imported_words_do() -> None:
    text = ". {\nimport part\n}"
    assert read(text, part="whoami").hash != read(text, part="errors").hash


def test_the_same_means_the_same_words_files_and_addresses() -> None:
    text = ". {\n    forward . dns.example resolv.conf\n}\n"
    resolv = "nameserver 192.0.2.53\n"

    def of(text: str, resolv: str, *addresses: str) -> tuple[Configuration, Sources]:
        sources = sources_of_texts({"Corefile": text, "resolv.conf": resolv}, hosts={"dns.example": addresses})
        return read_configuration("Corefile", sources, 53), sources

    one, sources = of(text, resolv, "192.0.2.1", "192.0.2.2")
    assert one.hosts == (ResolvedHost("dns.example", ("192.0.2.1", "192.0.2.2")),)
    for same in (of(f"# a remark\n{text}", resolv, "192.0.2.1", "192.0.2.2"), of(text, resolv, "192.0.2.2", "192.0.2.1")):
        assert one.means_the_same(same[0])
        assert says_what_runs("Corefile", one, same[1])
    other_address, sources = of(text, resolv, "192.0.2.3")
    assert not one.means_the_same(other_address)
    assert says_what_runs("Corefile", one, sources), "nobody is asked"
    wrong = f"{text}}}\n}}{{"
    for other in (of(text, f"# {resolv}", "192.0.2.1", "192.0.2.2"), of(text.replace(". dns", "a dns"), resolv, "192.0.2.1", "192.0.2.2")):
        assert not one.means_the_same(other[0])
        assert not says_what_runs("Corefile", one, other[1])
    assert not says_what_runs("Corefile", one, of(wrong, resolv)[1])
    assert not says_what_runs("Corefile", one, sources_of_texts({}))
