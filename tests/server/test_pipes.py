"""A command whose reader has gone ends quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from clusterdns.cli.pipes import READER_GONE
from tests.server.process import served
from tests.servers import PATIENCE

CLUSTERDNS = (sys.executable, "-m", "clusterdns.cli.main")
COREDNS = (sys.executable, "-c", "from clusterdns.cli.serve import coredns; coredns()")


@contextmanager
def unread(directory: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A command whose output nobody reads any more."""
    read, write = os.pipe()
    os.close(read)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "XDG_RUNTIME_DIR": str(directory)}
    process = subprocess.Popen(command, cwd=directory, env=environment, text=True, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    with process:
        try:
            yield process
        finally:
            process.kill()


def ended_unread(directory: Path, *command: str) -> tuple[int, str]:
    """The exit code of such a command, and what it says to that."""
    with unread(directory, *command) as process:
        said = process.communicate(timeout=PATIENCE)[1]
        return process.returncode, said


@pytest.mark.parametrize(
    "command",
    [
        *([*COREDNS, flag] for flag in ("-plugins", "-version", "-help")),
        *(
            [*CLUSTERDNS, *words]
            for words in (["--version"], ["serve", "-plugins"], ["lint", "Corefile"], ["lint", "-o", "json", "Corefile"])
        ),
    ],
    ids=lambda command: " ".join(command[-2:]),
)
def test_it_ends_quietly_and_as_programs_do_that_a_signal_ends(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "Corefile").write_text(". {\n    nosuch\n}\n")
    assert ended_unread(tmp_path, *command) == (READER_GONE, "")


def test_help_ends_quietly(tmp_path: Path) -> None:
    """It is click's own, and so is the exit code."""
    assert ended_unread(tmp_path, *CLUSTERDNS, "--help") == (1, "")


def test_explain_and_watch_end_quietly(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        assert ended_unread(tmp_path, *CLUSTERDNS, "explain", "a.", "--server", f"unix:{server.admin}") == (READER_GONE, "")
        with unread(tmp_path, *CLUSTERDNS, "watch", "--server", f"unix:{server.admin}") as watch:
            until = monotonic() + PATIENCE
            while watch.poll() is None and monotonic() < until:
                server.ask("a.")
            assert (watch.poll(), watch.communicate()[1]) == (READER_GONE, "")
