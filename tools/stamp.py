"""Stamps: what a finished step was made from, so that it is not done again. Reads sizes and times of files, not their contents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stamp:
    """A file that remembers the fingerprint of a step's inputs."""

    path: Path
    fingerprint: str

    def is_fresh(self) -> bool:
        """Whether the step was done with these very inputs."""
        return self.path.exists() and self.path.read_text() == self.fingerprint

    def write(self) -> None:
        """Remember that the step is done. The fingerprint is from before it: an edit meanwhile makes the stamp stale."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.fingerprint)


def fingerprint_of_texts(texts: Iterable[str]) -> str:
    """Changes with any of the texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def fingerprint_of_sources(paths: Iterable[Path]) -> str:
    """Changes with the set of files, and with the size or the time of any of them. Folders count with all below them."""
    files = (file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*"))) if file.is_file())
    return fingerprint_of_texts(f"{file} {(status := file.stat()).st_size} {status.st_mtime_ns}" for file in files)
