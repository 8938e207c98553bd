"""The commands of `./dev`: their options, and the shell script in front of them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.console import ROOT
from tools.dev import parse


def test_run_serves_on_port_1053_unless_told_otherwise() -> None:
    assert parse(["run"])[0].port == 1053
    assert parse(["run", "--port", "5300"])[0].port == 5300


@pytest.mark.parametrize("port", ["0", "65536", "-1", "dns", ""])
def test_run_refuses_what_is_no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        parse(["run", "--port", port])
    assert exit_.value.code == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["run", "--prot", "53"], ["build", "x"], ["check", "-v"]])
def test_a_command_refuses_arguments_that_it_does_not_know(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(arguments)
    assert "does not take" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "rest"),
    [("test", ["tests/unit", "-k", "port", "-x"]), ("bench", ["--json", "figures.json"]), ("fuzz", ["--seconds", "5"])],
)
def test_test_bench_and_fuzz_pass_their_arguments_on(command: str, rest: list[str]) -> None:
    parsed, passed_on = parse([command, *rest])
    assert (parsed.command, passed_on) == (command, rest)


def test_a_command_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        parse([])
    assert exit_.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_the_script_says_what_to_install_where_python_is_too_old(tmp_path: Path) -> None:
    """A copy of the script with nothing but an old Python on its PATH."""
    old = tmp_path / "bin"
    old.mkdir()
    (old / "python3").write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    (old / "python3").chmod(0o755)
    dirname = shutil.which("dirname")
    assert dirname
    (old / "dirname").symlink_to(dirname)
    script = shutil.copy(ROOT / "dev", tmp_path / "dev")
    answer = subprocess.run(["/bin/sh", script, "run"], env={"PATH": str(old)}, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer" in answer.stderr
    assert "found Python 3.9.2" in answer.stderr


def test_the_script_is_executable() -> None:
    assert os.access(ROOT / "dev", os.X_OK)
    assert os.access(ROOT / ".ci/run", os.X_OK)
