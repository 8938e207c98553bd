"""`clusterdns lint`"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clusterdns.cli import lint
from clusterdns.control import machine

GOOD = ".:53 {\n    errors\n    whoami\n}\n"
WARNED = GOOD + "}\n"
BAD = ".:53 {\n    error\n    whoami x\n}\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    """Runs lint in a folder with some Corefiles."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine, "_stdin", None)
    for name, text in {"good": GOOD, "warned": WARNED, "bad": BAD}.items():
        (tmp_path / name).write_text(text)
    return Run()


class Run:
    """Lint, run in this process."""

    def __call__(self, *arguments: str, stdin: str = "") -> Result:
        """The outcome of `clusterdns lint ARGUMENTS`."""
        return CliRunner().invoke(lint.command, arguments, input=stdin)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["good"], 0),
        (["warned"], 0),
        (["--strict", "good"], 0),
        (["--strict", "warned"], 1),
        (["bad"], 1),
        (["good", "bad"], 1),
        (["nosuch"], 2),
        (["bad", "nosuch", "good"], 2),
        (["."], 2),
        ([], 2),
        (["--nosuch", "good"], 2),
        (["-o", "yaml", "good"], 2),
        (["--default-port", "65536", "good"], 2),
    ],
)
def test_the_exit_status_tells_clean_wrong_and_unreadable(run: Run, arguments: list[str], status: int) -> None:
    assert run(*arguments).exit_code == status


def test_the_report_has_all_problems_and_counts_them(run: Run) -> None:
    assert run("good", "bad").output == (
        "good: no problems\n"
        "bad:2:5: error: unknown directive `error` [unknown-directive]\n"
        "    2 |     error\n"
        "      |     ^~~~~\n"
        "      = did you mean `errors`?\n"
        "bad:3:12: error: `whoami` takes no arguments, found 1 [argument-count]\n"
        "    3 |     whoami x\n"
        "      |            ^\n"
        "      = write: whoami\n"
        "2 errors, 0 warnings\n"
    )


def test_no_name_is_looked_up(run: Run) -> None:
    Path("named").write_text(
        ".:53 {\n    forward . nosuch.invalid tls://other.invalid%dns.example {\n        source_address ::1\n    }\n}\n"
    )
    assert run("named").output == "named: no problems\n"


def test_one_of_each_is_counted_in_the_singular(run: Run) -> None:
    assert run("warned").output.endswith("\n0 errors, 1 warning\n")
    assert run("nosuch").output.endswith("\n1 error, 0 warnings\n")


def test_the_json_has_the_problems_of_all_files(run: Run) -> None:
    problems = json.loads(run("-o", "json", "good", "bad", "warned").output)["problems"]
    assert [(problem["file"], problem["severity"], problem["code"], problem["line"]) for problem in problems] == [
        ("bad", "error", "unknown-directive", 2),
        ("bad", "error", "argument-count", 3),
        ("warned", "warning", "stray-brace", 5),
    ]
    assert json.loads(run("-o", "json", "good").output) == {"problems": []}


def test_a_dash_is_standard_input(run: Run) -> None:
    result = run("-", stdin=BAD)
    assert result.exit_code == 1
    assert result.output.startswith("stdin:2:5: error")


def test_the_default_port_counts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ports").write_text(". .:1053 {\n}\n")
    assert run("ports").exit_code == 0
    assert run("--default-port", "1053", "ports").exit_code == 1


def test_imports_are_found_beside_the_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/Corefile").write_text(". {\n import more\n}\n")
    (tmp_path / "sub/more").write_text("whoami x\n")
    assert run("sub/Corefile").output.startswith("sub/more:1:8: error")


def test_a_network_interface_of_this_machine_is_known(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bind").write_text(". {\n bind lo\n}\n")
    assert run("bind").exit_code == 0


def test_a_machine_without_a_list_of_interfaces_has_none(monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path) -> None:
    def listdir(path: str) -> list[str]:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "listdir", listdir)
    (tmp_path / "bind").write_text(". {\n bind lo\n}\n")
    assert run("bind").exit_code == 1


def test_colours_come_on_a_terminal_only_and_not_against_the_wish(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in run("bad").output
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert lint.colours_wanted()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not lint.colours_wanted()


class Terminal:
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_lint_starts_without_engine_and_network(tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text("(s) {\n errors\n}\n. {\n import s\n bind 127.0.0.1 lo\n whoami\n}\n")
    script = (
        "import sys; from clusterdns.cli.main import main; sys.argv[1:] = ['lint', 'Corefile']\n"
        "try: main()\n"
        "finally: print(sorted(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True
    )
    assert loaded.returncode == 0, loaded.stderr
    heavy = ("clusterdns.engine", "clusterdns._engine", "socket", "ssl", "asyncio", "yaml", "rich", "http", "subprocess")
    assert [module for module in heavy if f"'{module}'" in loaded.stdout] == []
