"""A server block with some lines, compiled: what the tests of the directives look at."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.plan.ops import Op
from clusterdns.sources import sources_of_texts

INTERFACES = {"lo": ["127.0.0.1", "::1"], "eth0": ["192.0.2.1", "fe80::1", "2001:db8::1"], "down0": []}


def compile_lines(
    lines: str,
    files: Mapping[str, str] | None = None,
    interfaces: Mapping[str, Sequence[str]] = INTERFACES,
    hosts: Mapping[str, Sequence[str]] | None = None,
) -> Compilation:
    """What becomes of `example.org { LINES }`; the first line is line 2."""
    texts = {"Corefile": f"example.org {{\n{lines}\n}}", **(files or {})}
    sources = replace(sources_of_texts(texts, hosts=hosts), interfaces=interfaces)
    return compile_plan(parse_corefile("Corefile", sources), sources)


def ops(lines: str, files: Mapping[str, str] | None = None) -> list[Op]:
    """The program that the lines become, without problems."""
    compilation = compile_lines(lines, files)
    assert compilation.problems == ()
    assert compilation.plan is not None
    return compilation.plan.blocks[0].program


def problems(lines: str, severity: Severity = Severity.ERROR, files: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """The problems of the lines of this severity: code, and message with hint."""
    found = [problem for problem in compile_lines(lines, files).problems if problem.severity is severity]
    return [(problem.code, f"{problem.message} | {problem.hint}") for problem in found]
