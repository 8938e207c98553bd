"""The entry point `coredns`: what images, manifests and scripts call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clusterdns.directives import HERE, TABLE
from clusterdns.version import COREDNS, VERSION

PROGRAM = Path(sys.executable).with_name("coredns")


def coredns(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `coredns ARGUMENTS` until it ends."""
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("flag", ["-version", "--version"])
def test_it_tells_its_version_as_coredns_and_then_its_own(flag: str) -> None:
    first, second = coredns(flag).stdout.splitlines()
    assert first == f"CoreDNS-{COREDNS}"
    assert second.endswith(f"clusterdns-{VERSION}")


def test_it_lists_its_directives() -> None:
    assert coredns("-plugins").stdout.splitlines() == [f"dns.{name}" for name, state in TABLE.items() if state is HERE]


def test_an_unknown_flag_is_told_under_its_own_name() -> None:
    ended = coredns("-nosuch")
    assert ended.returncode == 2
    assert ended.stderr.startswith("flag provided but not defined: -nosuch\nUsage of coredns:\n")


def test_further_words_are_an_error() -> None:
    assert coredns("-conf", "Corefile", "more").returncode == 1
