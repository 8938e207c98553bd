"""This machine as the compiler sees it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from clusterdns.control import machine
from clusterdns.control.machine import machine_sources


def test_files_are_read_and_found_in_order(tmp_path: Path) -> None:
    for name in ("b.conf", "a.conf", "c.txt"):
        (tmp_path / name).write_text(name)
    sources = machine_sources()
    assert sources.read(str(tmp_path / "a.conf")) == "a.conf"
    assert [Path(path).name for path in sources.glob(str(tmp_path / "*.conf"))] == ["a.conf", "b.conf"]
    with pytest.raises(FileNotFoundError):
        sources.read(str(tmp_path / "nosuch"))


def test_the_environment_is_the_processs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM", "10.0.0.1")
    assert machine_sources().environment["UPSTREAM"] == "10.0.0.1"


def test_the_loopback_interface_has_its_address() -> None:
    assert "127.0.0.1" in machine_sources().interfaces["lo"]
    assert "lo" in list(machine_sources().interfaces)
    with pytest.raises(KeyError):
        machine_sources().interfaces["nosuch0"]


def test_the_machine_knows_its_own_name() -> None:
    assert "127.0.0.1" in machine_sources().resolve("localhost", [])


def test_G9_standard_input_is_read_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_stdin", None)
    monkeypatch.setattr("sys.stdin", io.StringIO(". {\n}\n"))
    assert [machine_sources().read("stdin") for _ in range(2)] == [". {\n}\n"] * 2
