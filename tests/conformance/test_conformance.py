"""The gate: each recorded question is answered as CoreDNS 1.14.7 answered it, save for the entries of docs/differences.md."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.answers import answer_of, comparable
from tests.servers import serving

HERE = Path(__file__).parent
CONFIGURATIONS = ("plain", "insecure", "disabled", "verified")


def recorded(configuration: str) -> Iterator[dict[str, Any]]:
    """The questions of a configuration with CoreDNS's answers."""
    with gzip.open(HERE / f"{configuration}.answers.jsonl.gz", "rt") as lines:
        yield from map(json.loads, lines)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_answers_are_those_of_coredns(configuration: str, tmp_path: Path) -> None:
    corefile = (HERE / f"{configuration}.Corefile").read_text()
    corefile = re.sub(r"kubeconfig \S+", "manifests objects.json", corefile).replace(":1053", ":PORT")
    shutil.copy(HERE / "objects.json", tmp_path)
    wrong = []
    asked = 0
    with serving(tmp_path, corefile) as server:
        for expected in recorded(configuration):
            name, rtype = expected.pop("name"), expected.pop("type")
            answer = answer_of("127.0.0.1", server.port, name, rtype)
            asked += 1
            if comparable(answer) != comparable(expected):
                wrong.append(f"{name} {rtype}\n  expected {expected}\n  got      {answer}")
    assert asked == 3000
    assert not wrong, f"{len(wrong)} of {asked} answers differ:\n" + "\n".join(wrong[:5])
