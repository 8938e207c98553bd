"""The ordered table of directives."""

from pathlib import Path

import pytest

import clusterdns.directives
from clusterdns.directives import FILTERS, HERE, LATER, TABLE, load_directive

OWN = {"python"}
"""What CoreDNS does not have."""
NOT_DIRECTIVES = {"__init__", "block", "options", "upstreams"}


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


def test_filters_are_directives() -> None:
    assert set(TABLE) >= FILTERS
