"""Writes scenarios.

python -m tests.behaviour.record play NAME...        plays the server of CLUSTERDNS_SUBJECT and writes what it did into the scenarios
python -m tests.behaviour.record accept ID NAME...   plays ours and writes what it does otherwise, as the difference of this id
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from tests.behaviour import expected
from tests.behaviour.compare import comparable, differences
from tests.behaviour.expected import load_patches, patch_between, patched
from tests.behaviour.play import play
from tests.behaviour.scenario import Document, Scenario, load, path_of
from tests.behaviour.subject import COMMAND, OTHER

WIDTH = 150


def main(arguments: list[str]) -> int:
    """Exit code 0 when it was done, 2 when it is not said what to do."""
    match arguments:
        case ["play", *names] if names and OTHER:
            for name in names:
                record(name)
        case ["accept", identity, *names] if names and not OTHER:
            for name in names:
                accept(identity, name)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def record(name: str) -> None:
    """Plays a scenario as often as it says; the first play is the recording, and what others do differently varies."""
    scenario = msgspec.structs.replace(load(name), varies={})
    accounts = [played(scenario, None) for _ in range(scenario.runs)]
    varies: dict[str, list[Any]] = {}
    for account in accounts[1:]:
        for path, first, other in differences(scenario, accounts[0], account):
            values = varies.setdefault(path, [first])
            values += [] if other in values else [other]
    text = json.loads(path_of(name).read_text()) | {"server": " ".join(COMMAND), "recorded": accounts[0], "varies": varies}
    write(path_of(name), text)


def accept(identity: str, name: str) -> None:
    """Adds what ours does otherwise to the accepted differences of a scenario."""
    scenario, patches = load(name), load_patches(name)
    wanted = comparable(scenario, patched(scenario.recorded, patches.values()))
    if patch := patch_between(wanted, comparable(scenario, played(scenario, wanted))):
        write(expected.path_of(name), {**patches, identity: patch})


def played(scenario: Scenario, wanted: Document | None) -> Document:
    """What the server does in it."""
    return asyncio.run(play(scenario, COMMAND, wanted))


def write(path: Path, document: Document) -> None:
    """Writes a document for readers: what is short stands on one line."""
    path.write_text(laid_out(document, 0) + "\n")


def laid_out(value: Any, depth: int) -> str:
    """A value as JSON, from this depth on."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(line) + depth <= WIDTH:
        return line
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        items = [f"{pad}{json.dumps(key)}: {laid_out(inner, depth + 1)}" for key, inner in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + " " * depth + "}"
    return "[\n" + ",\n".join(pad + laid_out(inner, depth + 1) for inner in value) + "\n" + " " * depth + "]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
