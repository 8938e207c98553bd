"""The golden plans: what each directive's Corefile compiles to, read by the engine's tests too."""

import os
from pathlib import Path

import msgspec
import pytest

from clusterdns.compiler import compile_plan
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.plan import Plan, decode_plan, encode_plan
from clusterdns.sources import sources_of_texts

PLANS = Path(__file__).parents[3] / "tests/plans"
HOSTS = {"dns.example.net": ["2001:db8::6", "192.0.2.6", "192.0.2.5"]}
DIRECTIVES = sorted(path.stem for path in PLANS.glob("*.Corefile"))


def plan_of(directive: str) -> Plan:
    """The plan of a Corefile in the folder of the plans, whose files are all that there is."""
    texts = {path.relative_to(PLANS).as_posix(): path.read_text() for path in PLANS.rglob("*") if path.is_file()}
    sources = sources_of_texts(texts, hosts=HOSTS)
    compilation = compile_plan(parse_corefile(f"{directive}.Corefile", sources), sources)
    assert compilation.problems == ()
    assert compilation.plan is not None
    return compilation.plan


@pytest.mark.parametrize("directive", DIRECTIVES)
def test_the_plan_is_the_golden_one(directive: str) -> None:
    plan, golden = plan_of(directive), PLANS / f"{directive}.json"
    if "UPDATE_PLANS" in os.environ:
        golden.write_bytes(msgspec.json.format(encode_plan(plan), indent=2) + b"\n")
    assert decode_plan(golden.read_bytes()) == plan


def test_each_plan_has_its_corefile() -> None:
    assert {path.stem for path in PLANS.glob("*.json")} <= set(DIRECTIVES)
    assert {"bind", "debug", "errors", "import", "loadbalance", "reload", "whoami"} <= set(DIRECTIVES)
