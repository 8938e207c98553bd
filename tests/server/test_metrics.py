"""`/metrics` of a real server, read by Prometheus's own parser."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.server.process import served, write_corefile
from tests.server.test_health import get, with_ports
from tests.servers import PATIENCE, Running, free_port

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
BOARDS = (
    *("coredns_dns_requests_total", "coredns_dns_do_requests_total", "coredns_dns_responses_total", "coredns_cache_hits_total"),
    *("coredns_dns_request_duration_seconds_bucket", "coredns_dns_request_size_bytes_bucket", "coredns_dns_response_size_bytes_bucket"),
    *("coredns_cache_entries",),
    *("coredns_cache_misses_total", "coredns_panics_total", "coredns_plugin_enabled", "coredns_build_info", "process_cpu_seconds_total"),
    *("process_resident_memory_bytes", "coredns_dns_request_count_total", "coredns_dns_request_type_count_total", "coredns_cache_size"),
    *("coredns_dns_request_do_count_total", "coredns_dns_response_rcode_count_total", "coredns_panic_count_total"),
    *("coredns_forward_requests_total", "coredns_forward_responses_total", "coredns_forward_request_duration_seconds_bucket"),
    *("coredns_forward_healthcheck_broken_total",),
)
"""What the boards 12028 and 14570 and coredns-mixin ask Prometheus for."""


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
    sums: dict[str, float] = {}
    for sample in page(port):
        sums[sample.name] = sums.get(sample.name, 0) + sample.value
    return sums


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it is so."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until


def ask_all(server: Running, upstream: Running) -> None:
    """Questions of each kind: to the upstream, from the cache, with DO, to the other block."""
    assert upstream.ask("a.test.").additional
    for name in ("a.test.", "a.test.", "b.example.org."):
        assert server.ask(name)


def test_everything_that_boards_ask_for_is_there(tmp_path: Path) -> None:
    (tmp_path / "upstream").mkdir()
    with served(tmp_path / "upstream", ".:PORT {\n    bind 127.0.0.1\n    whoami\n}\n") as upstream:
        metrics = free_port()
        with served(tmp_path, with_ports(BLOCK, METRICS=metrics, UPSTREAM=upstream.port)) as server:
            ask_all(server, upstream)
            found = samples(metrics)
    assert found["coredns_dns_requests_total"] == found["coredns_dns_request_duration_seconds_count"] == 3
    assert found["coredns_dns_responses_total"] == found["coredns_dns_response_rcode_count_total"] == 3
    assert (found["coredns_cache_hits_total"], found["coredns_cache_misses_total"], found["coredns_forward_requests_total"]) == (1, 1, 1)
    missing = [name for name in BOARDS if name not in found]
    assert missing == ["coredns_dns_do_requests_total", "coredns_dns_request_do_count_total"], "nobody asked with DO"


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
