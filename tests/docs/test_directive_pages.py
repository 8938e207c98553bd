"""The pages of the directives: each has the same sections, and every Corefile on them compiles."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from clusterdns.compiler import compile_plan
from clusterdns.corefile.report import text_report
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.directives import HERE, TABLE
from clusterdns.sources import sources_of_texts

FOLDER = Path(__file__).parents[2] / "docs/directives"
PAGES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.md")) if path.stem != "README"}
SECTIONS = ["Name", "Syntax", "Options", "Examples"]

_FENCE = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

INTERFACES = {"lo": ["127.0.0.1", "::1"], "eth0": ["192.0.2.1", "192.0.2.2"]}


def fences(page: str) -> list[tuple[str, str, str]]:
    """The fenced texts of a page: kind, file name and text."""
    return _FENCE.findall(PAGES[page])


SNIPPETS = [(page, text) for page in PAGES for kind, _, text in fences(page) if kind == "corefile"]


@pytest.mark.parametrize(("page", "snippet"), SNIPPETS)
def test_a_corefile_on_a_page_compiles(page: str, snippet: str) -> None:
    files = {name: text for kind, name, text in fences(page) if kind == "file"}
    sources = replace(sources_of_texts({"Corefile": snippet, **files}), interfaces=INTERFACES)
    parsed = parse_corefile("Corefile", sources)
    compilation = compile_plan(parsed, sources)
    assert compilation.plan is not None, text_report(compilation.problems, parsed.texts)
    assert {problem.code for problem in compilation.problems} <= {"empty-glob", "no-effect"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_its_sections_in_order(page: str) -> None:
    sections = re.findall(r"^## (.*)$", re.sub(_FENCE, "", PAGES[page]), re.MULTILINE)
    assert PAGES[page].startswith(f"# {page}\n\n## Name\n*{page}* - ")
    assert [section for section in sections if section in SECTIONS] == SECTIONS
    assert page in {name for name, _ in SNIPPETS}


def test_each_directive_that_is_here_has_a_page() -> None:
    assert set(PAGES) == {name for name, state in TABLE.items() if state is HERE} | {"import"}
