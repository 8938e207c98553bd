"""docs/limits.md says the bounds that the code has, and names metrics that there are."""

import re

import pytest

from tools.console import ROOT

PAGE = (ROOT / "docs/limits.md").read_text()

BOUNDS = [
    ("core/src/machine/later.rs", r"MOST_WAITING: usize = ([\d_]+);", "{} queries per thread wait"),
    ("core/src/forward/mod.rs", r"PATIENCE: Duration = Duration::from_secs\((\d+)\)", "{} seconds for one query"),
    ("core/src/way.rs", r"MAX_CHASE: usize = (\d+);", "{} aliases of local zones"),
    ("core/src/way.rs", r"MAX_DEPTH: usize = (\d+);", "{} questions inside each other"),
    ("core/src/cache/mod.rs", r"BYTES_PER_ENTRY: usize = (\d+);", "1 KiB times the capacity"),
    ("core/src/cache/mod.rs", r"LEAST_BYTES: usize = (\d+) \* 1024;", "at least {} KiB"),
    ("core/src/cache/mod.rs", r"SHARDS: usize = (\d+);", "over {} parts"),
    ("core/src/exchanges.rs", r"UDP_LANES: u64 = (\d+);", "{} datagram sockets"),
    ("core/src/exchanges.rs", r"UDP_USES: u32 = (\d+);", "each for {} queries"),
    ("core/src/exchanges.rs", r"PIPELINE: usize = (\d+);", "{} queries at a time over one connection"),
    ("core/src/forward/reply.rs", r"MAX_EXPANDED: usize = (\d+) \* 1024;", "{} KiB of names and data"),
    ("core/src/forward/reply.rs", r"MAX_POINTERS: usize = (\d+);", "{} pointers in a name"),
    ("core/src/chain.rs", r"MOST_ALIASES: usize = (\d+);", "{} aliases in a chain"),
    ("io/src/tcp.rs", r"max_connections: (\d+),", "{} connections, an equal part"),
    ("io/src/tcp.rs", r"max_pipelined: (\d+),", "{} queries of one connection"),
    ("io/src/tcp.rs", r"PAUSE: Duration = Duration::from_millis\((\d+)\)", "nobody is accepted for {} ms"),
    ("io/src/connection.rs", r"OUTPUT_FULL: usize = (\d+) \* 1024;", "{} KiB of answers"),
    ("io/src/mmsg.rs", r"RECEIVE_SIZE: usize = (\d+);", "{} octets of a query"),
    ("io/src/mmsg.rs", r"BATCH: usize = (\d+);", "a batch of {}"),
    ("io/src/listeners.rs", r"BUFFER: i32 = 1 << (20);", "1 MiB of queries"),
    ("io/src/upstreams.rs", r"OUTPUT_FULL: usize = 1 << (20);", "1 MiB that a connection does not take"),
    ("io/src/tasks.rs", r"CAPACITY: usize = (\d+);", "{} questions wait for all functions"),
    ("io/src/http.rs", r"connections: (\d+), longest", "{} connections to"),
    ("io/src/log.rs", r"MOST_LINES: usize = (\d+);", "{} lines or 1 MiB"),
    ("io/src/admin.rs", r"MOST_CLIENTS: usize = (\d+);", "{} clients of the admin socket"),
]
"""A file of the core, how it says the bound, and how the page does; `{}` is the number."""


@pytest.mark.parametrize(("file", "constant", "words"), BOUNDS, ids=lambda value: value if value.endswith(".rs") else "")
def test_the_page_has_the_bound_of_the_code(file: str, constant: str, words: str) -> None:
    found = re.search(constant, (ROOT / "crates" / file).read_text())
    assert found, f"{file} has no {constant}"
    assert words.format(f"{int(found[1].replace('_', '')):,}") in PAGE


def test_the_octets_of_a_cache_add_up() -> None:
    mod = (ROOT / "crates/core/src/cache/mod.rs").read_text()
    shards, least, entry = (
        int(re.search(rf"{name}: usize = (\d+)", mod)[1])  # type: ignore[index]  # the test above has found them
        for name in ("SHARDS", "LEAST_BYTES", "BYTES_PER_ENTRY")
    )
    assert (shards * least, entry) == (10 * 1024, 1024)
    assert "at least 10 MiB" in PAGE


def test_each_metric_exists() -> None:
    page = (ROOT / "docs/directives/prometheus.md").read_text()
    named = set(re.findall(r"`((?:coredns|clusterdns)_\w+)`", PAGE))
    assert named
    assert {name for name in named if name not in page} == set()
