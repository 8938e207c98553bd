"""Each directive has a module, a page and tests, under one name: the Corefile's word."""

import pytest

from clusterdns.directives import HERE, TABLE, load_directive
from tools.console import ROOT

DIRECTIVES = [name for name, state in TABLE.items() if state is HERE]


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_directive_has_a_module(name: str) -> None:
    assert load_directive(name) is not None


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_directive_has_a_page(name: str) -> None:
    page = ROOT / f"docs/directives/{name}.md"
    assert page.exists()
    assert page.read_text().startswith(f"# {name}\n")


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_directive_has_tests(name: str) -> None:
    assert (ROOT / f"tests/unit/directives/test_{name}.py").exists()


def test_a_page_has_a_directive() -> None:
    pages = {path.stem for path in (ROOT / "docs/directives").glob("*.md")}
    assert pages - {"README", "import"} <= set(DIRECTIVES), "import is the language's own word"
