"""The ordered table of directives."""

from pathlib import Path

import pytest

import clusterdns.directives
from clusterdns.directives import FILTERS, HERE, LATER, TABLE, in_order, is_directive, load_directive
from clusterdns.directives.block import Directive

OWN = {"python"}
"""What CoreDNS does not have."""
NOT_DIRECTIVES = {"__init__", "block", "conditions", "edns0", "installed", "labels", "options", "upstreams", "webconfig"}


@pytest.mark.parametrize("name", [name for name, state in TABLE.items() if state is HERE])
def test_a_directive_that_is_here_has_a_module_of_its_name(name: str) -> None:
    directive = load_directive(name)
    assert directive is not None
    assert directive.name == name


def test_each_module_is_in_the_table() -> None:
    modules = {path.stem for path in Path(clusterdns.directives.__file__).parent.glob("*.py")} - NOT_DIRECTIVES
    assert modules == {name for name, state in TABLE.items() if state is HERE}


def test_a_directive_that_is_not_here_is_none() -> None:
    assert [load_directive(name) for name, state in TABLE.items() if state is LATER] == [None] * list(TABLE.values()).count(LATER)
    assert load_directive("nosuch") is None


def test_the_order_is_that_of_coredns() -> None:
    names = list(TABLE)
    assert len(set(names) - OWN) == 60
    assert names.index("errors") < names.index("log") < names.index("rewrite") < names.index("acl") < names.index("cache")
    assert names.index("cache") < names.index("hosts") < names.index("kubernetes") < names.index("forward") < names.index("whoami")


def test_directives_of_other_packages_run_behind_the_one_that_they_name(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {name: Directive(name, lambda lines, block: None, behind=behind) for name, behind in [("b", "log"), ("a", "log"), ("z", "")]}
    monkeypatch.setattr(clusterdns.directives, "installed_directives", lambda: others)
    assert in_order(["whoami", "z", "cache", "b", "errors", "a", "log"]) == ["errors", "log", "a", "b", "cache", "whoami", "z"]
    assert is_directive("a")
    assert load_directive("a") is others["a"]
    assert not is_directive("nosuch")


def test_filters_are_directives() -> None:
    assert set(TABLE) >= FILTERS
