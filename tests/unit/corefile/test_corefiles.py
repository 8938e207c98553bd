"""Corefiles from the field: each parses, and what is missing here is the only thing that is wrong with them."""

from pathlib import Path

import pytest

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Severity, has_errors
from clusterdns.corefile.syntax import Parsed, parse_corefile
from clusterdns.directives import LATER, TABLE
from clusterdns.sources import Sources, sources_of_texts

COREFILES = Path(__file__).parents[2] / "corefiles"
PILLARS = {
    "__PILLAR__LOCAL__DNS__": "169.254.20.10",
    "__PILLAR__DNS__SERVER__": "10.96.0.10",
    "__PILLAR__CLUSTER__DNS__": "10.96.0.11",
    "__PILLAR__UPSTREAM__SERVERS__": "/etc/resolv.conf",
}
NAMES = sorted(path.name for path in COREFILES.iterdir() if path.suffix in (".Corefile", ".base"))


def sources(name: str, fragments: bool) -> Sources:
    """A Corefile of the collection, with or without the fragments that it may import."""
    text = (COREFILES / name).read_text()
    for pillar, value in PILLARS.items():
        text = text.replace(pillar, value)
    files = {f"/etc/coredns/custom/{path.name}": path.read_text() for path in (COREFILES / "fragments").iterdir()}
    resolv = {"/etc/resolv.conf": "nameserver 192.0.2.53\n"}
    return sources_of_texts({"/etc/coredns/Corefile": text, **resolv, **(files if fragments else {})})


def checked(name: str, fragments: bool) -> tuple[Parsed, Compilation]:
    """What the Corefile says, and what becomes of it."""
    outside = sources(name, fragments)
    parsed = parse_corefile("/etc/coredns/Corefile", outside)
    return parsed, compile_plan(parsed, outside)


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
    parsed, _ = checked("aks.Corefile", fragments=True)
    assert [str(key.text) for block in parsed.tree.blocks for key in block.keys] == [".:53", "corp.example.com:53"]
    assert "log" in {line.name.text for line in parsed.tree.blocks[0].lines}
    without, _ = checked("aks.Corefile", fragments=False)
    assert [problem.code for problem in without.problems] == ["empty-glob", "empty-glob"]
