"""Label selectors, as the options `labels` and `namespace_labels` and the API have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Operator = Literal["Exists", "DoesNotExist", "In", "NotIn"]


class Requirement(msgspec.Struct, frozen=True):
    """One condition on a label. `=` and `!=` are In and NotIn with one value."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()


Selector = tuple[Requirement, ...]


def parse_selector(text: str) -> Selector:
    """The selector that a text like `environment in (staging, qa),app=nginx,!legacy` means. Raises ValueError that says what is wrong."""
    if not text.strip():
        return ()
    return tuple(_requirement(part.strip()) for part in re.split(r",(?![^()]*\))", text))


def format_selector(selector: Iterable[Requirement]) -> str:
    """The canonical text: equal for selectors that differ in order or spaces only."""
    return ",".join(sorted(_format(requirement) for requirement in selector))


def matches(selector: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether all conditions hold. A label that is not there is in no list of values, and so fulfils every NotIn."""
    return all(_holds(requirement, labels) for requirement in selector)


def _requirement(text: str) -> Requirement:
    """One condition from its text."""
    if found := _LIST.fullmatch(text):
        key, word, values = found["key"], found["word"], [value.strip() for value in found["values"].split(",")]
        return _checked(text, key, "In" if word == "in" else "NotIn", values)
    if found := _EQUALITY.fullmatch(text):
        return _checked(text, found["key"], "NotIn" if found["sign"] == "!=" else "In", [found["value"].strip()])
    if text.startswith("!"):
        return _checked(text, text[1:].strip(), "DoesNotExist", [])
    return _checked(text, text, "Exists", [])


def _checked(text: str, key: str, operator: Operator, values: list[str]) -> Requirement:
    """The condition, if its key and values can be those of labels."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{text!r} does not begin with the key of a label" if key != text else f"{text!r} is not a condition on a label")
    for value in values:
        if not _VALUE.fullmatch(value):
            raise ValueError(f"{value!r} cannot be the value of a label")
    return Requirement(key, operator, tuple(sorted(set(values))))


def _format(requirement: Requirement) -> str:
    """One condition as text."""
    match requirement.operator:
        case "Exists":
            return requirement.key
        case "DoesNotExist":
            return f"!{requirement.key}"
        case operator if len(requirement.values) == 1:
            return f"{requirement.key}{'=' if operator == 'In' else '!='}{requirement.values[0]}"
        case operator:
            return f"{requirement.key} {operator.lower()} ({','.join(requirement.values)})"


def _holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    """Whether one condition holds."""
    match requirement.operator:
        case "Exists":
            return requirement.key in labels
        case "DoesNotExist":
            return requirement.key not in labels
        case "In":
            return labels.get(requirement.key) in requirement.values
        case "NotIn":
            return labels.get(requirement.key) not in requirement.values


_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"(?:[a-z0-9](?:[-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}")
_VALUE = re.compile(rf"(?:{_NAME})?")
_LIST = re.compile(r"(?P<key>\S+)\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALITY = re.compile(r"(?P<key>[^\s=!]+)\s*(?P<sign>==|!=|=)(?P<value>[^=!]*)")
