"""The outside world as the compiler sees it: a value, so that compiling is pure.

Must not touch the machine itself: `control/machine.py` and the tests make these values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec


class Sources(msgspec.Struct, frozen=True):
    """What a Corefile may ask of the machine.

    `read` gives a file's text (`OSError`, `UnicodeDecodeError`), `glob` the sorted paths that match a pattern,
    `interfaces` the addresses of each network interface by its name, `hostname` what the machine is called.
    """

    read: Callable[[str], str]
    glob: Callable[[str], Sequence[str]] = lambda pattern: ()
    environment: Mapping[str, str] = {}
    interfaces: Mapping[str, Sequence[str]] = {}
    hostname: str = "localhost"


def sources_of_texts(files: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Sources:
    """Sources made of texts by path (the folders are those that they lie in), for tests and for Corefiles that come from elsewhere."""
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

    return Sources(read=read, glob=glob, environment=environment or {})
