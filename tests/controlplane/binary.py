"""The control plane as one binary: built from `program/` once, and kept in the user's cache.

`python -m tests.controlplane.binary` builds it ahead of the tests: they need no network then, and do not wait for each other.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

PROGRAM = Path(__file__).parent / "program"
KUBERNETES = "v1.34.4"


class Unavailable(Exception):
    """There can be no control plane on this machine; the message says why."""


def built() -> Path:
    """The binary for what is in `program/` now. Builds it if need be, once for all who ask at the same time. Raises `Unavailable`."""
    binary = _place()
    binary.parent.mkdir(parents=True, exist_ok=True)
    with (binary.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _build(binary)
    return binary


def _place() -> Path:
    sources = sorted(path for path in PROGRAM.iterdir() if path.suffix in (".go", ".mod", ".sum"))
    digest = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clusterdns" / "control-plane"
    return cache / f"k8s-{digest}"


def _build(binary: Path) -> None:
    if shutil.which("go") is None:
        raise Unavailable("the control plane is not built, and there is no Go to build it (or set KUBEBUILDER_ASSETS)")
    version = "k8s.io/component-base/version"
    stamps = {"gitVersion": KUBERNETES, "gitMajor": "1", "gitMinor": "34", "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z"}
    flags = " ".join(["-s -w", *(f"-X {version}.{name}={value}" for name, value in stamps.items())])
    environment = os.environ | {"GOFLAGS": "-mod=mod -buildvcs=false", "CGO_ENABLED": "0"}
    command = ["go", "build", "-o", f"{binary}.new", "-ldflags", flags, "."]
    done = subprocess.run(command, cwd=PROGRAM, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"the control plane cannot be built: {done.stderr[-500:]}")
    os.replace(f"{binary}.new", binary)


if __name__ == "__main__":
    if not os.environ.get("KUBEBUILDER_ASSETS"):
        # Where it cannot be built, the tests that want it say so.
        with suppress(Unavailable):
            built()
