"""Set-up: what it says where it cannot go on. That it works is what every run of the tests shows."""

import sys
from pathlib import Path

import pytest

from tools import console, setup
from tools.console import Failed


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository in the place of this one."""
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(console, "ROOT", tmp_path)
    monkeypatch.setattr(console, "LOG", tmp_path / "target/set-up.log")
    return tmp_path


def test_another_system_than_linux_is_refused_before_anything_is_made(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Failed, match="needs Linux"):
        setup.set_up("run")
    assert list(repository.iterdir()) == []


def test_a_python_without_venv_says_what_to_install(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(Failed, match=rf"apt install python3\.{sys.version_info.minor}-venv"):
        setup.make_environment()
    assert list(repository.iterdir()) == []


def test_packages_that_cannot_be_had_say_what_to_set(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "requirements").mkdir()
    (repository / ".venv/bin").mkdir(parents=True)
    setup.PYTHON.write_text("#!/bin/sh\necho no route to the index\nexit 1\n")
    setup.PYTHON.chmod(0o755)
    with pytest.raises(Failed, match=r"PIP_INDEX_URL.*set-up\.log"):
        setup.install_requirements("run")
    assert "no route to the index" in capsys.readouterr().err
    assert not (repository / ".venv/stamps").exists()


def test_packages_are_installed_once_until_a_list_of_them_changes(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "requirements").mkdir()
    (repository / ".venv/bin").mkdir(parents=True)
    setup.PYTHON.write_text("#!/bin/sh\nexit 0\n")
    setup.PYTHON.chmod(0o755)

    setup.install_requirements("run")
    setup.install_requirements("run")
    (repository / "requirements/run.txt").write_text("click==1.0\n")
    setup.install_requirements("run")
    assert capsys.readouterr().err.splitlines() == ["set-up: Python packages (requirements/run.txt)"] * 2
