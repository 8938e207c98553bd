"""Corefiles that were given to CoreDNS: what it starts with compiles, what it refuses does not."""

import pytest

from clusterdns.corefile.problems import Severity
from tests.behaviour.missing import compiled
from tests.behaviour.scenario import load, names

MACHINE = {
    "corefile-bad-flag": "the flag is wrong, not the Corefile",
    "corefile-extra-args": "the arguments are wrong, not the Corefile",
    "corefile-bind-foreign": "that the machine lacks the address shows when it is bound",
    "corefile-kubernetes-no-cluster": "that there is no cluster shows in the environment of the process",
    "corefile-port-used": "that the port is taken shows when it is bound",
    "loop-detected": "that there is a loop shows when the server asks itself",
    "corefile-tls-missing": "that the files are missing shows when the engine reads them",
}
"""Refused by CoreDNS for what is not in the Corefile."""


@pytest.mark.parametrize("name", [name for name in names() if load(name).corefile is not None])
def test_what_coredns_starts_with_compiles_and_what_it_refuses_does_not(name: str) -> None:
    scenario = load(name)
    assert scenario.corefile is not None
    problems = compiled(scenario, scenario.corefile).problems
    wrong = {problem.code for problem in problems if problem.severity is Severity.ERROR}
    missing = {code for code in wrong if code.startswith("unsupported-")}
    if scenario.recorded["start"]["started"] or name in MACHINE:
        assert wrong == missing
    else:
        assert wrong
