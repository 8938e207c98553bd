"""`/metrics` of a real server, read by Prometheus's own parser."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.server.process import served, write_corefile
from tests.server.test_health import get, with_ports
from tests.servers import PATIENCE, free_port

BLOCK = """\
.:PORT {
    bind 127.0.0.1
    prometheus 127.0.0.1:METRICS
    errors
    cache
    forward . 127.0.0.1:UPSTREAM
    reload 2s 0s
}
example.org:PORT {
    bind 127.0.0.1
    prometheus 127.0.0.1:METRICS
    whoami
}
"""


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a board of others, or their alerts, ask Prometheus for.

    `asks`: names of samples with the labels that are looked at; those that Prometheus adds (`job`, `instance`) are left out.
    `absent`: what is not there in these tests, and why. `labels_of_nobody`: names that are asked for labels that they do not have.
    """

    board: str
    source: str
    asks: dict[str, list[str]]
    absent: dict[str, str]
    labels_of_nobody: dict[str, str]


BOARDS = msgspec.json.decode(Path(__file__).with_name("boards.json").read_bytes(), type=list[Board])


def page(port: int) -> list[Sample]:
    """All samples. Each family is there once."""
    status, text = get(port, "/metrics")
    assert status == 200
    declared = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")]
    assert len(declared) == len(set(declared))
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def samples_of(port: int, name: str) -> list[tuple[dict[str, str], float]]:
    """The samples of this name: labels and value."""
    return [(sample.labels, sample.value) for sample in page(port) if sample.name == name]


def samples(port: int) -> dict[str, float]:
    """All samples by name, those with different labels added up."""
    return sums(page(port))


def sums(found: list[Sample]) -> dict[str, float]:
    """The samples by name, those with different labels added up."""
    values: dict[str, float] = {}
    for sample in found:
        values[sample.name] = values.get(sample.name, 0) + sample.value
    return values


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it is so."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """What there is after questions of each kind: to the upstream, from the cache, with DO, over TCP, to the other block."""
    with served(tmp_path_factory.mktemp("upstream"), ".:PORT {\n    bind 127.0.0.1\n    whoami\n}\n") as upstream:
        metrics = free_port()
        with served(tmp_path_factory.mktemp("server"), with_ports(BLOCK, METRICS=metrics, UPSTREAM=upstream.port)) as server:
            assert upstream.ask("a.test.").additional
            for name in ("a.test.", "a.test.", "b.example.org."):
                assert server.ask(name)
            assert server.ask("b.example.org.", dnssec=True)
            assert server.ask("b.example.org.", tcp=True)
            return page(metrics)


def test_questions_are_counted_once_under_each_of_their_names(found: list[Sample]) -> None:
    counts = sums(found)
    assert counts["coredns_dns_requests_total"] == counts["coredns_dns_request_duration_seconds_count"] == 5
    assert counts["coredns_dns_responses_total"] == counts["coredns_dns_response_rcode_count_total"] == 5
    assert (counts["coredns_cache_hits_total"], counts["coredns_cache_misses_total"], counts["coredns_forward_requests_total"]) == (1, 1, 1)
    assert counts["coredns_dns_do_requests_total"] == counts["coredns_dns_request_do_count_total"] == 1


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.board)
def test_everything_that_boards_ask_for_is_there(found: list[Sample], board: Board) -> None:
    labels: dict[str, set[str]] = {}
    for sample in found:
        labels.setdefault(sample.name, set()).update(sample.labels)
    missing = {name: sorted(set(asked) - labels.get(name, set())) for name, asked in board.asks.items()}
    assert [name for name in board.asks if name not in labels] == []
    assert {name for name, those in missing.items() if those} == set(board.labels_of_nobody)
    assert set(board.absent).isdisjoint(labels), "it is there"


def test_it_is_answered_while_python_is_stuck(tmp_path: Path) -> None:
    metrics = free_port()
    with served(tmp_path, with_ports(BLOCK, METRICS=metrics, UPSTREAM=free_port())) as server:
        # Whoever opens a pipe that nobody writes to waits for ever.
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "pipe").rename(tmp_path / "Corefile")
        server.process.send_signal(signal.SIGUSR1)
        server.wait_for("SIGUSR1: Reloading")
        server.ask("a.example.org.")
        found = samples(metrics)
        assert (found["coredns_dns_requests_total"], found["coredns_build_info"]) == (1, 1)
        assert time.time() - PATIENCE < found["clusterdns_python_heartbeat_timestamp_seconds"] <= time.time()
        server.process.kill()


def test_a_reload_keeps_counts_and_one_that_fails_is_counted(tmp_path: Path) -> None:
    metrics = free_port()
    corefile = with_ports(BLOCK, METRICS=metrics, UPSTREAM=free_port())
    with served(tmp_path, corefile) as server:
        server.ask("a.example.org.")
        for text, said, failed, successful in [
            (f"{corefile}\nbroken {{\n", "Corefile parse failed", 0, 0),
            (f"{corefile}\n. {{\n    nosuch\n}}\n", "Corefile changed but reload failed", 1, 0),
            (corefile.replace("whoami", "whoami\n    errors"), "Reloading complete", 1, 1),
        ]:
            seen = len(server.lines)
            write_corefile(tmp_path, text, server.port)
            server.wait_for(said, seen)
            wait_for(lambda successful=successful: samples(metrics)["clusterdns_config_last_reload_successful"] == successful)  # type: ignore[misc]
            assert samples(metrics)["coredns_reload_failed_total"] == failed
        server.ask("a.example.org.")
        assert samples(metrics)["coredns_dns_requests_total"] == 2


@pytest.mark.parametrize("path", ["/", "/metrics/", "/nosuch"])
def test_nothing_else_is_there(tmp_path: Path, path: str) -> None:
    metrics = free_port()
    with served(tmp_path, with_ports(BLOCK, METRICS=metrics, UPSTREAM=free_port())):
        assert get(metrics, path) == (404, "404 page not found\n")
