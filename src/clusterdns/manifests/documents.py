"""The text of a manifest, as documents with their places. Must not know what the documents mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import msgspec
import yaml

from clusterdns.corefile.problems import Place, Problem, Severity


@dataclass(frozen=True)
class Document:
    """A parsed document, or an item of a `List`, and where it begins."""

    value: object
    place: Place


def documents(path: str, text: str) -> Iterator[Document | Problem]:
    """All documents of a file, lists taken apart. One that does not parse is a problem; those around it are not lost."""
    yield from _json(path, text) if path.endswith(".json") else _yaml(path, text)


def _yaml(path: str, text: str) -> Iterator[Document | Problem]:
    """The documents between lines of `---`, each parsed by itself."""
    start = 0
    line = 1
    for separator in (*_SEPARATOR.finditer(text), None):
        end = separator.start() if separator else len(text)
        yield from _yaml_document(path, text[start:end], line)
        if separator:
            line += text.count("\n", start, separator.end())
            start = separator.end()


def _yaml_document(path: str, text: str, first_line: int) -> Iterator[Document | Problem]:
    """One document, whose text begins in that line. Nothing for one that is empty."""
    loader = _Loader(text)
    try:
        if _is_too_deep(text):
            yield _problem(Place(path, first_line, 1), f"not YAML that can be read: nested more than {MOST_NESTING} times")
            return
        node = loader.get_single_node()
        value = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        place = Place(path, first_line + mark.line, mark.column + 1) if mark else Place(path, first_line, 1)
        yield _problem(place, f"not YAML: {problem.problem or problem.context}")
        return
    except (yaml.YAMLError, ValueError) as problem:
        yield _problem(Place(path, first_line, 1), f"not YAML: {str(problem).splitlines()[0]}")
        return
    finally:
        loader.dispose()
    if node is None or value is None:
        return
    items = next((of for key, of in node.value if key.value == "items"), None) if isinstance(node, yaml.MappingNode) else None
    marks = [item.start_mark for item in items.value] if isinstance(items, yaml.SequenceNode) else []
    place, *places = [Place(path, first_line + mark.line, mark.column + 1) for mark in (node.start_mark, *marks)]
    yield from _apart(value, place, places)


def _is_too_deep(text: str) -> bool:
    """Whether a document is nested beyond reason. The C parser calls itself for each level, and would overflow the stack."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_NESTING:
            return True
    return False


def _json(path: str, text: str) -> Iterator[Document | Problem]:
    """The one document of a file, or several behind each other."""
    try:
        dump = msgspec.json.decode(text, type=_Dump)
        if dump.kind.endswith("List") and dump.items is not None:
            yield from _items(dump, dump.items, Place(path, 1, 1))
        else:
            yield Document(msgspec.json.decode(text), Place(path, 1, 1))
        return
    except (msgspec.MsgspecError, RecursionError, ValueError):
        pass  # the slower way knows where it stopped
    decoder, at = json.JSONDecoder(), 0
    while found := _WORD.search(text, at):
        line = text.count("\n", 0, found.start()) + 1
        try:
            value, at = decoder.raw_decode(text, found.start())
        except json.JSONDecodeError as problem:
            yield _problem(Place(path, problem.lineno, problem.colno), f"not JSON: {problem.msg}")
            return
        except RecursionError:
            yield _problem(Place(path, line, 1), "not JSON: nested too deeply")
            return
        yield from _apart(value, Place(path, line, 1), [])


class _Dump(msgspec.Struct, rename="camel"):
    """A file that holds one object, or a list of them: `kubectl get -o json` of a large cluster. Its items are read one by one."""

    kind: str = ""
    api_version: str = ""
    items: list[msgspec.Raw] | None = None


def _items(dump: _Dump, items: Sequence[msgspec.Raw], place: Place) -> Iterator[Document]:
    """The items of a list, each decoded when it is its turn: a dump of a large cluster is never in memory twice."""
    of = {} if dump.kind == "List" else {"apiVersion": dump.api_version, "kind": dump.kind.removesuffix("List")}
    for raw in items:
        item = msgspec.json.decode(raw)
        yield from _apart({**of, **item} if isinstance(item, dict) else item, place, [])


def _apart(value: object, place: Place, item_places: Sequence[Place]) -> Iterator[Document]:
    """The document, or the items of a list; those of a `ServiceList` get the kind that they leave out."""
    kind = value.get("kind") if isinstance(value, dict) else None
    items = value.get("items") if isinstance(value, dict) else None
    if not (isinstance(value, dict) and isinstance(kind, str) and kind.endswith("List") and isinstance(items, list)):
        yield Document(value, place)
        return
    of = {} if kind == "List" else {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}
    # Items that come from an alias, or from a second `items`, have no places of their own.
    for item, item_place in zip(items, item_places if len(item_places) == len(items) else repeat(place), strict=False):
        yield from _apart({**of, **item} if isinstance(item, dict) else item, item_place, [])


def _problem(place: Place, message: str) -> Problem:
    """What keeps a document from being read."""
    return Problem(Severity.WARNING, "bad-manifest", place, message, "what it holds is left out until it is mended; the rest is served")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as Kubernetes reads it: what looks like a date is a text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}

MOST_NESTING = 500
_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_WORD = re.compile(r"\S")
