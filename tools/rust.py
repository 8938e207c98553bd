"""The Rust toolchain and the linker: those of the machine where they fit, else packages from the package index, into `.venv`."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.console import Failed, say, step

LINKER = """#!/bin/sh
for argument do
    shift
    case $argument in
        --target=*) continue ;;
        -lgcc_s) argument={library} ;;
    esac
    set -- "$@" "$argument"
done
exec "{python}" -m ziglang cc "$@"
"""
ARCHIVER = """#!/bin/sh
exec "{python}" -m ziglang ar "$@"
"""


def install_missing(root: Path, venv: Path, pip_install: Callable[[str, str], None]) -> None:
    """Bring what the machine lacks: a toolchain (by rustup, through puccinialin) and a linker (Zig's)."""
    own_cargo = [str(venv / "rust/cargo/bin/cargo"), "--version"]
    if not machine_has_rust(root) and not _works(own_cargo, {**os.environ, **toolchain(root, venv)}):
        needed = ".".join(map(str, oldest_rust(root)))
        pip_install(f"no Rust {needed} or newer here: fetching the installer", "rust")
        hint = f"install Rust {needed} or newer (https://rustup.rs, or your distribution's rustc and cargo) and try again"
        step("Rust toolchain, into .venv", [venv / "bin/python", "-m", "puccinialin", "--location", venv / "rust"], hint)
    if not machine_has_linker() and not archiver(venv).exists():
        say("set-up: no C compiler here (cc): linking with Zig's, from the package ziglang")
        pip_install("linker (ziglang)", "linker")
        write_linker(venv)


def toolchain(root: Path, venv: Path) -> dict[str, str]:
    """The environment variables by which cargo uses what `install_missing` brought; none where the machine has all."""
    variables: dict[str, str] = {}
    folders = []
    if not machine_has_rust(root):
        variables |= {"RUSTUP_HOME": str(venv / "rust/rustup"), "CARGO_HOME": str(venv / "rust/cargo")}
        folders.append(str(venv / "rust/cargo/bin"))
    if not machine_has_linker():
        folders.append(str(linker(venv).parent))
    return {**variables, "PATH": ":".join([*folders, os.environ.get("PATH", os.defpath)])} if folders else {}


def require_components(root: Path, venv: Path, environment: Mapping[str, str]) -> None:
    """See that clippy and rustfmt are there. They are added to a toolchain of our own, never to the machine's."""
    if _works(["cargo", "clippy", "--version"], environment) and _works(["cargo", "fmt", "--version"], environment):
        return
    add = ["rustup", "component", "add", "clippy", "rustfmt"]
    if machine_has_rust(root):
        raise Failed(f"clippy or rustfmt is missing: {' '.join(add)} (or your distribution's packages for them)")
    step("clippy and rustfmt, into .venv", add, "see the messages above", environment)


def machine_has_rust(root: Path) -> bool:
    """Whether `cargo` on the PATH works and is new enough for the workspace. A rustup without a toolchain does not work."""
    try:
        answer = subprocess.run(["cargo", "--version"], cwd=root, capture_output=True, text=True)
    except OSError:
        return False
    return answer.returncode == 0 and cargo_version(answer.stdout) >= oldest_rust(root)


def cargo_version(text: str) -> tuple[int, ...]:
    """`cargo 1.95.0 (f2d3ce0bd 2026-03-21)` as (1, 95)."""
    match = re.match(r"cargo (\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else ()


def oldest_rust(root: Path) -> tuple[int, ...]:
    """The `rust-version` of the workspace."""
    workspace = tomllib.loads((root / "Cargo.toml").read_text())
    return tuple(map(int, workspace["workspace"]["package"]["rust-version"].split(".")))


def machine_has_linker() -> bool:
    """Whether `cc` links a program: a compiler without the C library's files is none."""
    if not shutil.which("cc"):
        return False
    program = "int main(void) { return 0; }"
    return subprocess.run(["cc", "-xc", "-", "-o", "/dev/null"], input=program, capture_output=True, text=True).returncode == 0


def linker(venv: Path) -> Path:
    """The stand-in for the C compiler, found by its usual name on the PATH."""
    return venv / "linker/cc"


def archiver(venv: Path) -> Path:
    """What puts compiled C together, beside it."""
    return venv / "linker/ar"


def write_linker(venv: Path) -> None:
    """Make it: a script that calls Zig's, and gives it the machine's libgcc_s for the one that Zig has of its own.

    Python ends a thread that is left at exit by unwinding it with the machine's; two unwinders in one process end in a crash.
    What is written in C (the arithmetic of TLS) is compiled by it too, for this machine, whose name Zig does not understand as Rust
    writes it; an archiver stands beside it for that.
    """
    library = loaded_library("libgcc_s.so.1") or "-lgcc_s"
    linker(venv).parent.mkdir(exist_ok=True)
    programs = {linker(venv): LINKER, archiver(venv): ARCHIVER}
    for path, script in programs.items():
        path.write_text(script.format(library=library, python=venv / "bin/python"))
        path.chmod(0o755)


def loaded_library(name: str) -> str | None:
    """Where the dynamic loader finds a library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return None
    paths = (line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines())
    return next((path for path in paths if Path(path).name == name), None)


def _works(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a command can be run and succeeds."""
    try:
        return subprocess.run(command, env=environment, capture_output=True).returncode == 0
    except OSError:
        return False
