"""The files of manifests, on disk or as texts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

SUFFIXES = (".yaml", ".yml", ".json")

Fingerprint = tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True)
class Files:
    """Where manifests are read from.

    `walk` gives the files that a path stands for, sorted: itself, or those in the directory and below; `read` gives a file's text.
    Both raise `OSError`, and `read` also `UnicodeDecodeError`.
    """

    walk: Callable[[str], Sequence[str]]
    read: Callable[[str], str]


def files_of_texts(texts: Mapping[str, str]) -> Files:
    """Files made of texts by path; a path that others begin with is a directory."""

    def walk(path: str) -> Sequence[str]:
        if path in texts:
            return [path]
        below = sorted(file for file in texts if file.startswith(path.rstrip("/") + "/") and file.endswith(SUFFIXES))
        if not below:
            raise FileNotFoundError(2, "No such file or directory", path)
        return below

    return Files(walk, lambda path: texts[path])


def fingerprint(paths: Sequence[str]) -> Fingerprint:
    """A value that differs when a file came, went or was written to. It costs one look at each file's entry, and never fails."""
    return tuple(entry for path in paths for entry in _entries(path))


def _walk(path: str) -> Sequence[str]:
    """The files that a path stands for.

    Hidden files and folders are skipped: editors keep their copies in them, and a mounted ConfigMap the versions that its links lead to.
    """
    if not os.path.isdir(path):
        os.stat(path)
        return [path]
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(folder, name) for name in names if name.endswith(SUFFIXES) and not name.startswith(".")]
    return sorted(found)


def _read(path: str) -> str:
    """A file's text; a byte order mark is not part of it."""
    with open(path, encoding="utf-8-sig") as file:
        return file.read()


def _entries(path: str) -> Iterator[tuple[str, int, int, int, int]]:
    """What the file system says of each file that a path stands for. A path that is missing has an entry too."""
    try:
        files = _walk(path)
    except OSError:
        files = [path]
    for file in files:
        try:
            status = os.stat(file)
        except OSError:
            yield file, 0, 0, 0, 0
        else:
            yield file, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


DISK = Files(_walk, _read)
