"""`./dev test`: all tests of both languages; with arguments, pytest with these."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tools.console import ROOT, say, step
from tools.setup import PYTHON, rust_environment, set_up


def test(arguments: Sequence[str]) -> int:
    """Exit code 0 when all passed. Rust first: it is quick to fail, and Python's tests stand on it."""
    started = time.monotonic()
    set_up("dev")
    environment = rust_environment()
    if arguments:
        return subprocess.call([PYTHON, "-m", "pytest", *arguments], cwd=ROOT, env=environment)
    # Ahead of the tests, which have no use for the network then.
    build: list[str | Path] = [PYTHON, "-m", "tests.controlplane.binary"]
    step("control plane for the tests, where there is Go (six minutes the first time)", build, "see the messages above", environment)
    commands = (
        ["cargo", "test", "--workspace", "--quiet"],
        [str(PYTHON), "-m", "pytest", "--numprocesses=2", "--dist=loadfile"],
    )
    failed = [" ".join(command) for command in commands if subprocess.call(command, cwd=ROOT, env=environment)]
    for command in failed:
        say(f"failed: {command}")
    say(f"./dev test: {'failed' if failed else 'all passed'}, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0
