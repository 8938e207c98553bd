"""The documents hold together: links lead somewhere, commands exist, each difference is complete."""

import re
from pathlib import Path

import pytest

from tools.console import ROOT

PAGES = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")))
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)[^)]*\)")
COMMANDS = ("run", "test", "build", "check", "bench", "fuzz")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_link_leads_to_a_file(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_command_that_is_named_exists(page: Path) -> None:
    assert set(re.findall(r"\./dev ([a-z]+)", page.read_text())) <= set(COMMANDS)


def test_the_readme_has_the_two_commands_first() -> None:
    commands = re.findall(r"^\./dev .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands[0].startswith("./dev run")
    assert commands[1].startswith("./dev test")


def test_ci_runs_the_readmes_test_command() -> None:
    assert "\n./dev test\n" in (ROOT / ".ci/run").read_text()


def test_each_folder_of_tests_is_explained() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.name != "__pycache__" and any(path.glob("[!_.]*"))}
    assert folders == set(re.findall(r"^\| `tests/(\w+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))


def test_each_difference_from_coredns_has_a_number_and_a_reason() -> None:
    rows = [line for line in (ROOT / "docs/differences.md").read_text().splitlines() if line.startswith("| D")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == [f"D{number}" for number in range(1, len(cells) + 1)]
    assert all(len(row) == 4 and all(row) for row in cells), "id, what CoreDNS does, what clusterdns does, why"


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert numbers == list(range(len(numbers)))
