"""Each Corefile of the collection whose directives exist starts as it is, and what it serves answers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corefiles.collection import NAMES, checked
from tools.console import ROOT

ALONE = ("unshare", "--user", "--map-root-user", "--net", "--mount", "--kill-child", "--fork")


def why_not() -> str:
    """Why no machine can be made here, if none can."""
    for program in ("unshare", "nsenter", "ip", "mount", "openssl"):
        if shutil.which(program) is None:
            return f"there is no `{program}`"
    tried = subprocess.run([*ALONE, "ip", "link", "add", "out", "type", "veth", "peer", "name", "in"], capture_output=True, text=True)
    return f"no namespaces here: {tried.stderr.strip()}" if tried.returncode else ""


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", NAMES)
def test_a_stock_corefile_starts_and_answers(name: str, tmp_path: Path) -> None:
    problems = checked(name, with_fragments=True)[1].problems
    if missing := dict.fromkeys(problem.message for problem in problems if problem.code.startswith("unsupported-")):
        pytest.skip(f"by design: {'; '.join(missing)}")
    if why := why_not():
        pytest.skip(why)
    command = [*ALONE, sys.executable, "-m", "tests.server.stock", name, str(tmp_path)]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert (played.stdout.strip(), played.stderr, played.returncode) == ("", "", 0)
