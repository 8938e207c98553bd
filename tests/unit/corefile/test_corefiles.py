"""Corefiles from the field: each parses, and what is missing here is the only thing that is wrong with them."""

import pytest

from clusterdns.corefile.problems import Severity, has_errors
from clusterdns.directives import LATER, TABLE
from tests.corefiles.collection import NAMES, checked


@pytest.mark.parametrize("fragments", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_corefile_parses_and_only_what_is_missing_here_is_wrong(name: str, fragments: bool) -> None:
    parsed, compilation = checked(name, fragments)
    assert not has_errors(parsed.problems)
    missing = {line.place for block in parsed.tree.blocks for line in block.lines if TABLE[line.name.text] is LATER}
    errors = [problem for problem in compilation.problems if problem.severity is Severity.ERROR]
    assert {problem.place for problem in errors if problem.code == "unsupported-directive"} == missing
    assert [problem for problem in errors if not problem.code.startswith("unsupported-")] == []
    assert (compilation.plan is None) == bool(errors)


def test_the_collection_is_there() -> None:
    assert len(NAMES) >= 14
    assert {"aks.Corefile", "k3s.Corefile", "kubeadm.Corefile", "nodelocaldns.Corefile.base", "openshift.Corefile"} <= set(NAMES)


def test_G5_fragments_are_part_of_the_corefile_that_imports_them() -> None:
    parsed, _ = checked("aks.Corefile", with_fragments=True)
    assert [str(key.text) for block in parsed.tree.blocks for key in block.keys] == [".:53", "corp.example.com:53"]
    assert "log" in {line.name.text for line in parsed.tree.blocks[0].lines}
    without, _ = checked("aks.Corefile", with_fragments=False)
    assert [problem.code for problem in without.problems] == ["empty-glob", "empty-glob"]
