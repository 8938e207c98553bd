"""`${PORT}` and its kind: what they stand for in one play, and how what was seen is written with them again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_NAME = re.compile(r"\$\{([A-Z0-9_]+)\}")
_UPSTREAM = re.compile(r"(UPSTREAM\d+)(_PORT)?")
_NUMBER = re.compile(r"(?<![\w.])\d{4,5}(?!\w)")
"""Digits inside of a hash, which may be those of a port, are none."""
_ALWAYS = (
    (re.compile(r"127\.0\.0\.1:\$\{(UPSTREAM\d+)_PORT\}"), r"${\1}"),
    (re.compile(r"(127\.0\.0\.\d+:|\[::1?\]:|\[::ffff:127\.0\.0\.\d+\]:)\d{5}\b"), r"\1${EPHEMERAL}"),
    (re.compile(r"\bon \d+\.\d+\.\d+\.\d+:53:"), "on ${RESOLVER}:"),
    (re.compile(r"\b\d+\.\d{5,9}s\b"), "${DURATION}"),
    (re.compile(r"\b[0-9a-f]{128}\b"), "${SHA512}"),
    (re.compile(r"\b\d{9,20}\.\d{9,20}\b"), "${RANDOM}"),
    (re.compile(r"\b20\d\d/\d\d/\d\d \d\d:\d\d:\d\d\b"), "${TIME}"),
    (re.compile(r"\bGOMAXPROCS=\d+"), "GOMAXPROCS=${N}"),
    (re.compile(r"\bgo1\.\d+(\.\d+)?\b"), "${GO}"),
)
"""What is different in every play, and says nothing."""
_AS_IT_IS = ("size", "hex")


class Placeholders:
    """The values of one play. Any name that is not known yet is a port, as `take_port` gives them."""

    def __init__(self, directory: Path, program: str, take_port: Callable[[], int]) -> None:
        self.clients: set[int] = set()
        self.process: int | None = None
        self._directory = str(directory)
        self._program = program
        self._take_port = take_port
        self._by_name: dict[str, int] = {}

    def fill(self, text: str) -> str:
        """The text with values."""
        return _NAME.sub(lambda name: self._value(name[1]), text)

    def port(self, name: str) -> int:
        """The port of this name: PORT, HEALTH, UPSTREAM1."""
        if name not in self._by_name:
            self._by_name[name] = self._take_port()
        return self._by_name[name]

    def restore(self, value: Any) -> Any:
        """A document with names in the place of values."""
        match value:
            case dict():
                return {key: inner if key in _AS_IT_IS else self.restore(inner) for key, inner in value.items()}
            case list():
                return [self.restore(inner) for inner in value]
            case str():
                return self._restore_text(value)
        return value

    def _restore_text(self, text: str) -> str:
        text = text.replace(self._directory, "${DIR}").replace(self._program, "${SERVER}")
        if self.process is not None:
            text = re.sub(rf"^{self.process}$", "${PID}", text, flags=re.MULTILINE)
        names = {port: name for name, port in self._by_name.items()}
        text = _NUMBER.sub(lambda number: self._name(int(number[0]), names) or number[0], text)
        for pattern, name in _ALWAYS:
            text = pattern.sub(name, text)
        return text

    def _value(self, name: str) -> str:
        if name == "DIR":
            return self._directory
        if matched := _UPSTREAM.fullmatch(name):
            port = self.port(matched[1])
            return str(port) if matched[2] else f"127.0.0.1:{port}"
        return str(self.port(name))

    def _name(self, port: int, names: dict[int, str]) -> str | None:
        if port in names:
            return f"${{{names[port]}_PORT}}" if _UPSTREAM.fullmatch(names[port]) else f"${{{names[port]}}}"
        return "${CLIENT}" if port in self.clients else None
