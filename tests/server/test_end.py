"""Signals, exit codes and the process id's file."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from clusterdns.control.server import NO_UPGRADE
from tests.server.process import WHOAMI, served
from tests.servers import PATIENCE

LINES = {
    signal.SIGTERM: "[INFO] SIGTERM: Shutting down servers then terminating",
    signal.SIGINT: "[INFO] SIGINT: Shutting down",
    signal.SIGQUIT: "[INFO] SIGQUIT: Quitting process immediately",
}


@pytest.mark.parametrize("told", LINES, ids=lambda told: told.name)
def test_a_signal_ends_it_with_0_and_a_line(tmp_path: Path, told: signal.Signals) -> None:
    with served(tmp_path) as server:
        before = len(server.lines)
        os.kill(server.process.pid, told)
        assert server.process.wait(PATIENCE) == 0
        server.wait_for(LINES[told], before)
    assert server.lines[before:] == [LINES[told]]
    assert not os.path.exists(server.admin)


def test_SIGHUP_is_ignored(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        before = len(server.lines)
        os.kill(server.process.pid, signal.SIGHUP)
        assert server.ask("example.org.").additional
        assert server.process.poll() is None
        assert len(server.lines) == before


def test_SIGUSR2_is_no_upgrade_and_says_what_to_do_instead(tmp_path: Path) -> None:
    """In CoreDNS it replaces the process by the program that is on the disk now."""
    with served(tmp_path) as server:
        before = len(server.lines)
        os.kill(server.process.pid, signal.SIGUSR2)
        server.wait_for("SIGUSR2", before)
        assert server.ask("example.org.").additional
        assert server.process.poll() is None
        assert server.lines[before:] == [f"[WARNING] SIGUSR2: {NO_UPGRADE}"]


def test_the_process_id_is_written_and_removed(tmp_path: Path) -> None:
    with served(tmp_path, WHOAMI, "-pidfile", "pid") as server:
        assert (tmp_path / "pid").read_text() == f"{server.process.pid}\n"
    assert not (tmp_path / "pid").exists()
    assert server.process.returncode == 0


def test_a_process_id_that_cannot_be_written_or_is_gone_is_no_reason_to_fail(tmp_path: Path) -> None:
    with served(tmp_path, WHOAMI, "-pidfile", "nosuch/pid") as server:
        server.wait_for("[ERROR] Could not write pidfile: ")
        assert server.ask("example.org.").additional
    assert server.process.returncode == 0
    with served(tmp_path, WHOAMI, "-pidfile", "pid") as server:
        (tmp_path / "pid").unlink()
    assert server.process.returncode == 0
    assert not any("Traceback" in line for line in server.lines)
