"""The words of the project: files and names say what they hold."""

import ast
import re
from pathlib import Path

import pytest

from tools.console import ROOT

EMPTY_WORDS = re.compile(r"(?i)(manager|handler|helper|utils?|common|misc)(?![a-z])")
FOLDERS = [ROOT / folder for folder in ("src", "tools", "bench", "fuzz", "tests")]
PYTHON = [path for folder in FOLDERS for path in sorted(folder.rglob("*.py")) if path.stat().st_size]
RUST = sorted((ROOT / "crates").rglob("*.rs"))


def relative(path: Path) -> str:
    """A path as the repository shows it."""
    return path.relative_to(ROOT).as_posix()


def test_no_file_has_an_empty_word_for_a_name() -> None:
    assert [relative(path) for path in (*PYTHON, *RUST) if EMPTY_WORDS.search(path.stem)] == []


@pytest.mark.parametrize("path", [path for path in PYTHON if "src" in path.parts or "tools" in path.parts], ids=relative)
def test_a_python_module_says_what_it_is_and_names_things_by_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the head of a module says what it knows and must not know"
    items = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [item.name for item in items if EMPTY_WORDS.search(item.name)] == []


@pytest.mark.parametrize("path", [path for path in PYTHON if "src" in path.parts], ids=relative)
def test_each_item_of_a_module_has_a_line_of_doc(path: Path) -> None:
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    top = [node for node in ast.parse(path.read_text()).body if isinstance(node, definitions)]
    assert [item.name for item in top if not ast.get_docstring(item)] == []


@pytest.mark.parametrize("path", RUST, ids=relative)
def test_a_rust_module_says_what_it_is(path: Path) -> None:
    assert path.read_text().startswith("//!")
    assert not re.search(r"(?i)\b(struct|enum|trait|fn|mod)\s+\w*(manager|handler|helper|utils?)\b", path.read_text())
