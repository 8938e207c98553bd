"""What clusterdns does otherwise on purpose: per scenario a file in `differences/`, by the ids of docs/differences.md.

Under each id stands what takes the place of the recorded (RFC 7396, a list patched by the number of its item). Everything of it is
checked: that we do it, and that CoreDNS did not.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.behaviour.compare import Difference, is_near
from tests.behaviour.scenario import Document, Scenario

FOLDER = Path(__file__).parent / "differences"

Patches = Mapping[str, Document]
"""By the id of the difference: what changes in the recording."""


def path_of(name: str) -> Path:
    """The file of a scenario's accepted differences."""
    return FOLDER / f"{name}.json"


def load_patches(name: str) -> Patches:
    """The accepted differences of a scenario."""
    path = path_of(name)
    patches: dict[str, Document] = json.loads(path.read_text()) if path.exists() else {}
    return patches


def expected(scenario: Scenario) -> Document:
    """What ours does in a scenario."""
    return patched(scenario.recorded, load_patches(scenario.name).values())


def patched(recorded: Document, patches: Iterable[Document]) -> Document:
    """The recording with these changes."""
    account = copy.deepcopy(recorded)
    for patch in patches:
        account = _merge(account, patch)
    return account


def _merge(value: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    if isinstance(value, list):
        changed = dict(enumerate(value)) | {int(number): _merge(value[int(number)], inner) for number, inner in patch.items()}
        return [item for item in changed.values() if item is not None]
    merged = dict(value) if isinstance(value, dict) else {}
    for key, inner in patch.items():
        if inner is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), inner)
    return merged


def patch_between(recorded: Any, played: Any, path: str = "") -> Any:
    """The smallest patch that turns one into the other; nothing where they are near enough."""
    if isinstance(recorded, dict) and isinstance(played, dict):
        inner = {key: patch_between(value, played[key], f"{path}.{key}") for key, value in recorded.items() if key in played}
        gone = {key: None for key in recorded if key not in played}
        new = {key: value for key, value in played.items() if key not in recorded}
        return {key: patch for key, patch in inner.items() if patch is not None} | gone | new or None
    if isinstance(recorded, list) and isinstance(played, list) and len(recorded) == len(played) and not path.endswith("stdout"):
        items = enumerate(zip(recorded, played, strict=True))
        patches = {str(number): patch_between(left, right, f"{path}[{number}]") for number, (left, right) in items}
        return {number: patch for number, patch in patches.items() if patch is not None} or None
    return None if recorded == played or is_near(Difference(path, recorded, played)) else played
