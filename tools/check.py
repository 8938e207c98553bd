"""`./dev check`: what is checked without running the program. All of it runs, also after a failure."""

from __future__ import annotations

import subprocess

from tools import rust
from tools.console import ROOT, say
from tools.setup import VENV, rust_environment, set_up

CHECKS = (
    ["ruff", "check"],
    ["ruff", "format", "--check"],
    ["mypy"],
    ["lint-imports", "--no-logo"],
    ["cargo", "fmt", "--all", "--check"],
    ["cargo", "clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"],
)


def check() -> int:
    """Exit code 0 when every check passes."""
    set_up("dev")
    environment = rust_environment()
    rust.require_components(ROOT, VENV, environment)
    environment["PATH"] = f"{VENV / 'bin'}:{environment['PATH']}"
    failed = [" ".join(command) for command in CHECKS if not passes(command, environment)]
    say(f"./dev check: {len(CHECKS) - len(failed)} of {len(CHECKS)} passed")
    return 1 if failed else 0


def passes(command: list[str], environment: dict[str, str]) -> bool:
    """Run one check, saying its name before and its outcome where that is bad."""
    say(f"check: {' '.join(command)}")
    if subprocess.call(command, cwd=ROOT, env=environment) == 0:
        return True
    say(f"failed: {' '.join(command)}")
    return False
