"""`loop` on a running server: one that forwards to itself ends, also behind a cache and after a reload."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.server.process import served, write_corefile
from tests.servers import PATIENCE, Running

BLOCK = ".:PORT {\n    bind 127.0.0.1\n    errors\n    DIRECTIVES\n}\n"


def corefile(*directives: str) -> str:
    """A Corefile with these directives."""
    return BLOCK.replace("DIRECTIVES", "\n    ".join(directives))


def ends_with_a_loop(running: Running) -> bool:
    """Whether it says so, and its exit code is 1."""
    at = running.wait_for("[FATAL]")
    words = r'\[FATAL\] plugin/loop: Loop \(127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+\) detected for zone "\."'
    words += r', see https://coredns\.io/plugins/loop#troubleshooting\. Query: "HINFO \d+\.\d+\."'
    assert re.fullmatch(words, running.lines[at - 1])
    return running.process.wait(PATIENCE) == 1


@pytest.mark.parametrize("before", [(), ("cache",), ("cache 30 {\n serve_stale\n }",)])
def test_a_server_that_forwards_to_itself_ends(tmp_path: Path, before: tuple[str, ...]) -> None:
    with served(tmp_path, corefile(*before, "loop", "forward . 127.0.0.1:PORT")) as running:
        assert ends_with_a_loop(running)


def test_a_loop_that_comes_with_a_reload_is_found(tmp_path: Path) -> None:
    with served(tmp_path, corefile("loop", "whoami")) as running:
        write_corefile(tmp_path, corefile("loop", "forward . 127.0.0.1:PORT"), running.port)
        os.kill(running.process.pid, signal.SIGUSR1)
        running.wait_for("Reloading complete")
        assert ends_with_a_loop(running)


def test_a_server_that_answers_goes_on(tmp_path: Path) -> None:
    with served(tmp_path, corefile("loop", "whoami")) as running:
        assert running.ask("a.test").additional
        os.kill(running.process.pid, signal.SIGTERM)
        assert running.process.wait(PATIENCE) == 0
    assert not any("FATAL" in line for line in running.lines)
