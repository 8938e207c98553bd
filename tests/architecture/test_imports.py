"""Who may import whom. The contracts stand in pyproject.toml; here they are run, and shown to bite."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.console import ROOT

SOURCE = ROOT / "src"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def lint_imports(repository: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of a repository on its sources."""
    command: list[str | Path] = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    environment = {"PYTHONPATH": str(repository / "src"), "COLUMNS": "200"}
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True)


def test_the_contracts_are_kept() -> None:
    outcome = lint_imports(ROOT)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("plan/__init__.py", "import clusterdns.directives", "Imports go down"),
        ("directives/__init__.py", "import clusterdns.cli", "Imports go down"),
        ("records/__init__.py", "import time", "What decides knows no clock, no network and no threads"),
        ("corefile/__init__.py", "import socket", "What decides knows no clock, no network and no threads"),
        ("control/__init__.py", "import http.client", "HTTP stays in kube/api.py"),
        ("diagnose/__init__.py", "import dns.message", "dnspython is for the tests"),
        ("stray.py", "", "Imports go down"),
    ],
)
def test_a_contract_bites(tmp_path: Path, module: str, line: str, contract: str) -> None:
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    changed = tmp_path / "src/clusterdns" / module
    with changed.open("a") as file:
        file.write(f"\n{line}\n")
    outcome = lint_imports(tmp_path)
    assert outcome.returncode == 1
    assert f"{contract} BROKEN" in outcome.stdout


def test_the_extension_is_imported_by_its_faces_alone() -> None:
    importers = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if imports(path, "clusterdns._engine")}
    assert importers == {"clusterdns/engine.py", "clusterdns/patterns.py", "clusterdns/zonefile.py"}


def test_the_pure_modules_are_all_there_is_below_the_compiler() -> None:
    """A module that is put into a lower layer is pure, or the contract forgets it."""
    layers, pure = (next(contract for contract in CONTRACTS if contract["id"] == id_) for id_ in ("layers", "pure"))
    names = [[name.strip(" ()") for name in layer.split(":")] for layer in layers["layers"]]
    lower = next(number for number, layer in enumerate(names) if "compiler" in layer)
    assert {f"clusterdns.{name}" for layer in names[lower:] for name in layer} == set(pure["source_modules"])


def imports(path: Path, module: str) -> bool:
    """Whether a file imports a module, in either of the ways to write that."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return module in imported
