"""`clusterdns` and its commands."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from clusterdns.cli import main
from clusterdns.version import COREDNS, VERSION


def clusterdns(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a user does."""
    command = [sys.executable, "-m", "clusterdns.cli.main", *arguments]
    return subprocess.run(command, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True)


def test_the_version_tells_whose_behaviour_it_is() -> None:
    assert f"clusterdns {VERSION} (CoreDNS {COREDNS})" == main.VERSION_LINE
    assert clusterdns("--version").stdout == f"{main.VERSION_LINE}\n"


def test_the_package_has_the_same_version() -> None:
    pyproject = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert pyproject["project"]["version"] == VERSION


def test_the_version_is_told_before_anything_is_imported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["clusterdns", "--version"])
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{main.VERSION_LINE}\n"


def test_help_lists_the_commands_without_importing_them() -> None:
    for flag in ("-h", "--help"):
        shown = clusterdns(flag)
        assert shown.returncode == 0
        assert all(f"  {name} " in shown.stdout for name in main.COMMANDS)


def test_no_command_and_an_unknown_one_are_misuse() -> None:
    assert clusterdns().returncode == 2
    unknown = clusterdns("nosuch")
    assert unknown.returncode == 2
    assert "No such command 'nosuch'" in unknown.stderr


def test_a_command_is_run() -> None:
    assert "Check Corefiles" in clusterdns("lint", "--help").stdout
