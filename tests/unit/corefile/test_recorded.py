"""Corefiles that were given to CoreDNS: what it starts with compiles, what it refuses does not."""

import json
import re
from pathlib import Path
from typing import NotRequired, TypedDict

import pytest

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.sources import sources_of_texts


class Recorded(TypedDict):
    """A Corefile and what CoreDNS did with it."""

    name: str
    shows: str
    corefile: str
    started: bool
    files: NotRequired[dict[str, str]]
    env: NotRequired[dict[str, str]]
    args: NotRequired[list[str]]
    stderr: NotRequired[list[str]]


RECORDED: list[Recorded] = json.loads((Path(__file__).parents[2] / "corefiles/recorded.json").read_text())

MACHINE = {
    "corefile-bad-flag": "the flag is wrong, not the Corefile",
    "corefile-extra-args": "the arguments are wrong, not the Corefile",
    "corefile-bind-foreign": "that the machine lacks the address shows when it is bound",
    "corefile-kubernetes-no-cluster": "that there is no cluster shows in the environment of the process",
    "corefile-port-used": "that the port is taken shows when it is bound",
}
"""Refused by CoreDNS for what is not in the Corefile."""


def filled(text: str) -> str:
    """The text with values for the recorder's placeholders."""
    ports: dict[str, str] = {}
    text = text.replace("${DIR}", "/dir")
    text = re.sub(r"\$\{(UPSTREAM[0-9]+)\}", r"127.0.0.1:${\1_PORT}", text)
    return re.sub(r"\$\{(\w+)\}", lambda name: ports.setdefault(name[1], str(1053 + len(ports))), text)


def compiled(recorded: Recorded) -> Compilation:
    """What becomes of a recorded Corefile."""
    files = {f"/dir/{name}": filled(text) for name, text in recorded.get("files", {}).items()}
    environment = {name: filled(value) for name, value in recorded.get("env", {}).items()}
    sources = sources_of_texts({"/dir/Corefile": filled(recorded["corefile"]), **files}, environment)
    return compile_plan(parse_corefile("/dir/Corefile", sources), sources)


@pytest.mark.parametrize("recorded", RECORDED, ids=[recorded["name"] for recorded in RECORDED])
def test_what_coredns_starts_with_compiles_and_what_it_refuses_does_not(recorded: Recorded) -> None:
    compilation = compiled(recorded)
    wrong = {problem.code for problem in compilation.problems if problem.severity is Severity.ERROR}
    missing = {code for code in wrong if code.startswith("unsupported-")}
    if recorded["started"] or recorded["name"] in MACHINE:
        assert wrong == missing
    else:
        assert wrong
