"""Set-up: from a fresh clone to a running extension. Every step is skipped when what it made is there and its inputs are the same.

Everything lands in `.venv` and `target`.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import rust
from tools.console import ROOT, Failed, step
from tools.stamp import Stamp, fingerprint_of_sources, fingerprint_of_texts

VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
EXTENSION = ROOT / "src/clusterdns"


def set_up(requirements: str) -> None:
    """All that a command needs: the Python environment, the packages of `requirements/NAME.txt`, the extension."""
    if sys.platform != "linux":
        raise Failed("clusterdns needs Linux (it stands on epoll, recvmmsg and SO_REUSEPORT): use a Linux machine, a VM or a container")
    with one_at_a_time():
        make_environment()
        install_requirements(requirements)
        build_extension()


def rust_environment() -> dict[str, str]:
    """The environment in which cargo finds its toolchain, its linker and our Python."""
    return {**os.environ, **rust.toolchain(ROOT, VENV), "VIRTUAL_ENV": str(VENV), "PYO3_PYTHON": str(PYTHON)}


def make_environment() -> None:
    """A virtual environment in `.venv`. A Python other than its own runs this only where `.venv` is missing or does not work."""
    own = Path(sys.prefix).resolve() == VENV.resolve()
    if own and (VENV / "bin/pip").exists():
        return
    try:
        import ensurepip  # noqa: F401  (Debian leaves it out of its python3)
    except ImportError:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise Failed(f"this Python comes without venv: install it (Debian, Ubuntu: apt install {package}) and try again") from None
    command: list[str | Path] = [sys.executable, "-m", "venv", VENV]
    step("Python environment", command if own else [*command, "--clear"], "see the messages above")


def install_requirements(name: str) -> None:
    """The pinned packages of `requirements/NAME.txt`, from the package index that pip is configured for."""
    texts = [path.read_text() for path in sorted((ROOT / "requirements").glob("*.txt"))]
    stamp = Stamp(VENV / f"stamps/requirements-{name}", fingerprint_of_texts([sys.version, *texts]))
    if stamp.is_fresh():
        return
    pip_install(f"Python packages (requirements/{name}.txt)", name)
    stamp.write()


def pip_install(title: str, name: str) -> None:
    """Install one of the files in `requirements/`."""
    hint = "pip needs a package index: check the network, or set PIP_INDEX_URL or HTTPS_PROXY to yours, and try again"
    step(title, [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-r", ROOT / f"requirements/{name}.txt"], hint)


def build_extension() -> None:
    """The Rust core as `clusterdns._engine`, release build; `src` itself becomes importable, so that an edit needs no build."""
    fingerprint = fingerprint_of_sources([ROOT / "Cargo.toml", ROOT / "Cargo.lock", ROOT / "pyproject.toml", ROOT / "crates"])
    stamp = Stamp(VENV / "stamps/extension", fingerprint)
    if stamp.is_fresh() and any(EXTENSION.glob("_engine*.so")) and (VENV / "bin/clusterdns").exists():
        return
    rust.install_missing(ROOT, VENV, pip_install)
    command = [str(VENV / "bin/maturin"), "develop", "--release"]
    hint = "see the messages above; the first time cargo needs the network"
    step("Rust core (about a minute the first time)", command, hint, rust_environment())
    stamp.write()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two commands at once do not set up at once: the second one waits, and finds it done."""
    directory = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
