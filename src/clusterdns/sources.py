"""The outside world as the compiler sees it: a value, so that compiling is pure.

Must not touch the machine itself: `control/machine.py` and the tests make these values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from clusterdns.scalars import Endpoint

Resolve = Callable[[str, Sequence[Endpoint]], Sequence[str]]
"""Gives the addresses of a host name, asked of these servers in turn, or of the system where there are none (`UnresolvedError`)."""


class UnresolvedError(Exception):
    """A host name has no address now; the message says why, in words that follow its name and a colon."""


def _nobody(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
    """Knows no name."""
    raise UnresolvedError("there is no such name")


def stand_in(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
    """Stands for the addresses of any name, where a Corefile is only checked and nobody is to be asked: one of each family."""
    return ("192.0.2.1", "2001:db8::1")


class Sources(msgspec.Struct, frozen=True):
    """What a Corefile may ask of the machine.

    `read` gives a file's text (`OSError`, `UnicodeDecodeError`), `glob` the sorted paths that match a pattern,
    `interfaces` the addresses of each network interface by its name, `hostname` what the machine is called, `resolve` the addresses
    of a host name.
    """

    read: Callable[[str], str]
    glob: Callable[[str], Sequence[str]] = lambda pattern: ()
    environment: Mapping[str, str] = {}
    interfaces: Mapping[str, Sequence[str]] = {}
    hostname: str = "localhost"
    resolve: Resolve = _nobody


def why_unreadable(problem: OSError | UnicodeDecodeError) -> str:
    """What `Sources.read` raised, in words."""
    return (problem.strerror or str(problem)) if isinstance(problem, OSError) else "it is not UTF-8 text"


def sources_of_texts(
    files: Mapping[str, str], environment: Mapping[str, str] | None = None, hosts: Mapping[str, Sequence[str]] | None = None
) -> Sources:
    """Sources made of texts by path (the folders are those that they lie in), for tests and for Corefiles that come from elsewhere.

    `hosts`: the addresses of host names, whoever is asked.
    """
    import posixpath
    from fnmatch import fnmatchcase

    folders = {folder for path in files if (folder := posixpath.dirname(path))}

    def read(path: str) -> str:
        try:
            return files[path]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    def glob(pattern: str) -> Sequence[str]:
        return sorted(path for path in {*files, *folders} if fnmatchcase(path, pattern))

    def resolve(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
        return (hosts or {}).get(name) or _nobody(name, servers)

    return Sources(read=read, glob=glob, environment=environment or {}, resolve=resolve)
