"""This machine as the compiler sees it: its files, environment, interfaces and name, and the names that it can look up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from glob import glob

from clusterdns.scalars import Endpoint
from clusterdns.sources import Sources

STDIN = "stdin"
"""What a configuration from standard input is called (rule G9)."""


def machine_sources() -> Sources:
    """The outside world, read when it is asked for."""
    return Sources(
        read=_read,
        glob=lambda pattern: sorted(glob(pattern)),
        environment=os.environ,
        interfaces=Interfaces(),
        hostname=os.uname().nodename,
        resolve=_resolve,
    )


class Interfaces(Mapping[str, Sequence[str]]):
    """The addresses of each network interface; asked of the kernel once, and only if somebody wants to know."""

    def __init__(self) -> None:
        self._known: dict[str, list[str]] | None = None

    def _addresses(self) -> dict[str, list[str]]:
        if self._known is None:
            from clusterdns.engine import interfaces  # who does not ask needs no engine

            self._known = interfaces()
        return self._known

    def __getitem__(self, name: str) -> Sequence[str]:
        return self._addresses()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._addresses())

    def __len__(self) -> int:
        return len(self._addresses())


def _resolve(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
    """The addresses of a host name; it may take long."""
    from clusterdns.control.lookup import look_up  # most Corefiles name addresses

    return look_up(name, servers)


def _read(path: str) -> str:
    """The text of a file. Standard input can be read once only, so what came from it is kept."""
    if path != STDIN:
        with open(path, encoding="utf-8") as file:
            return file.read()
    global _stdin
    if _stdin is None:
        _stdin = sys.stdin.read()
    return _stdin


_stdin: str | None = None
