"""Which scenarios wait, and for what: those whose Corefile uses what clusterdns says it does not have yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.sources import sources_of_texts
from tests.behaviour.scenario import Scenario

DIRECTORY = "/dir"
FIRST_PORT = 1053
_MISSING = "unsupported-"
"""How the codes of the compiler's errors about these begin."""


def filled(text: str) -> str:
    """The text with values for its placeholders."""
    ports: dict[str, str] = {}
    text = text.replace("${DIR}", DIRECTORY)
    text = re.sub(r"\$\{(UPSTREAM[0-9]+)\}", r"127.0.0.1:${\1_PORT}", text)
    return re.sub(r"\$\{(\w+)\}", lambda name: ports.setdefault(name[1], str(FIRST_PORT + len(ports))), text)


def missing(scenario: Scenario) -> list[str]:
    """What the compiler says about each part of the Corefiles that does not exist yet."""
    problems = (problem for text in corefiles(scenario) for problem in compiled(scenario, text).problems)
    return list(dict.fromkeys(problem.message for problem in problems if problem.code.startswith(_MISSING)))


def corefiles(scenario: Scenario) -> Iterator[str]:
    """The Corefile that the server starts with, and those that take its place."""
    if scenario.corefile is not None:
        yield scenario.corefile
    for step in scenario.steps:
        if step.write and (text := step.write.get("Corefile")):
            yield text


def compiled(scenario: Scenario, corefile: str, fill: Callable[[str], str] = filled) -> Compilation:
    """What becomes of a Corefile among the files of the scenario. `fill` gives placeholders their values."""
    texts = {name: fill(text) for name, text in scenario.files.items()}
    files = {f"{DIRECTORY}/{name}": text for name, text in texts.items()} | texts
    environment = {name: fill(value) for name, value in scenario.env.items()}
    hosts = {"localhost": ["127.0.0.1", "::1"]}
    sources = sources_of_texts({f"{DIRECTORY}/Corefile": fill(corefile), **files}, environment, hosts)
    return compile_plan(parse_corefile(f"{DIRECTORY}/Corefile", sources), sources)
