"""Which Rust toolchain and which linker are used: the machine's where they fit, ours where not."""

import subprocess
from pathlib import Path

import pytest

from tools import rust
from tools.console import ROOT


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH."""
    programs = tmp_path / "machine"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def put(programs: Path, name: str, script: str) -> None:
    """A program on the machine."""
    (programs / name).write_text(f"#!/bin/sh\n{script}\n")
    (programs / name).chmod(0o755)


def test_the_version_is_read_from_what_cargo_says() -> None:
    assert rust.cargo_version("cargo 1.95.0 (f2d3ce0bd 2026-03-21)") == (1, 95)
    assert rust.cargo_version("error: no default toolchain") == ()


@pytest.mark.parametrize(
    ("script", "fits"),
    [
        ("echo 'cargo 1.999.0 (x 2030-01-01)'", True),
        ("echo 'cargo 1.63.0 (x 2022-08-11)'", False),
        ("echo 'rustup could not choose a version of cargo to run' >&2; exit 1", False),
    ],
)
def test_a_cargo_that_is_too_old_or_does_not_work_is_none(machine: Path, script: str, fits: bool) -> None:
    put(machine, "cargo", script)
    assert rust.machine_has_rust(ROOT) is fits


def test_a_machine_without_rust_and_linker_gets_both_on_the_path(machine: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    variables = rust.toolchain(ROOT, venv)
    assert variables["PATH"] == f"{venv}/rust/cargo/bin:{venv}/linker:{machine}"
    assert variables["RUSTUP_HOME"] == f"{venv}/rust/rustup"
    assert variables["CARGO_HOME"] == f"{venv}/rust/cargo"


def test_a_machine_with_both_is_left_as_it_is(machine: Path, tmp_path: Path) -> None:
    put(machine, "cargo", "echo 'cargo 1.999.0'")
    put(machine, "cc", "exit 0")
    assert rust.toolchain(ROOT, tmp_path) == {}


def test_a_compiler_that_cannot_link_is_none(machine: Path) -> None:
    put(machine, "cc", "echo 'cannot find crt1.o' >&2; exit 1")
    assert not rust.machine_has_linker()


def test_what_the_machine_has_is_not_installed(machine: Path, tmp_path: Path) -> None:
    put(machine, "cargo", "echo 'cargo 1.999.0'")
    put(machine, "cc", "exit 0")
    rust.install_missing(ROOT, tmp_path, lambda title, name: pytest.fail(f"installed {name}"))


def test_the_stand_in_for_the_compiler_is_zig_with_the_machines_unwinder(tmp_path: Path) -> None:
    """Run as a linker by a Python that only tells what it was asked for."""
    (tmp_path / "bin").mkdir()
    put(tmp_path / "bin", "python", 'echo "$@"')
    rust.write_linker(tmp_path)
    command = [str(rust.linker(tmp_path)), "-o", "two words", "--target=x86_64-unknown-linux-gnu", "-lgcc_s", "-lc"]
    asked = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert asked == f"-m ziglang cc -o two words {rust.loaded_library('libgcc_s.so.1') or '-lgcc_s'} -lc"
    archive = subprocess.run([str(rust.archiver(tmp_path)), "cq", "a.a"], capture_output=True, text=True, check=True).stdout.strip()
    assert archive == "-m ziglang ar cq a.a"


def test_a_library_is_found_where_the_loader_finds_it() -> None:
    assert str(rust.loaded_library("libc.so.6")).endswith("/libc.so.6")
    assert rust.loaded_library("libnot-there.so.1") is None
