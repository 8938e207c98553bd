"""Where all tests have to run, one that is skipped for want of something has failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REQUIRE_ALL
from tools.console import ROOT

SKIPPED = """
import pytest

@pytest.fixture
def tool():
    pytest.skip("there is no tool")

def test_in_a_fixture(tool): ...

@pytest.mark.skipif(True, reason="there is no compiler")
def test_by_its_mark(): ...

def test_inside():
    pytest.skip("there is no network")

@pytest.mark.skipif(True, reason="by design: root may do that")
def test_by_design(): ...

@pytest.mark.xfail
def test_that_is_known_to_fail():
    assert False
"""


@pytest.mark.parametrize(("mode", "code", "told"), [("", 0, "4 skipped, 1 xfailed"), ("1", 1, "1 failed, 1 skipped, 1 xfailed, 2 errors")])
def test_what_becomes_of_a_skip(tmp_path: Path, mode: str, code: int, told: str) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPED)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
    ]
    environment = os.environ | {REQUIRE_ALL: mode, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (ended.returncode, told in ended.stdout) == (code, True), ended.stdout
    for why in ("there is no tool", "there is no compiler", "there is no network"):
        assert (f"({REQUIRE_ALL}): {why}" in ended.stdout) == bool(mode)
