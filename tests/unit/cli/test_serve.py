"""`serve`: what its flags make of the options. What a server does with them is in tests/server."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterdns.cli import serve as serve_command
from clusterdns.control.server import ServeOptions, StartError


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> list[ServeOptions]:
    """The options that a server would have started with."""
    started: list[ServeOptions] = []

    def serve(options: ServeOptions) -> int:
        started.append(options)
        return 7

    monkeypatch.setattr("clusterdns.control.server.serve", serve)
    monkeypatch.setattr("clusterdns.admin_socket.default_path", lambda server: f"/run/clusterdns/{server}.sock")
    return started


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ServeOptions("Corefile", 53, "", "/run/clusterdns/serve.sock")),
        ("-conf x -p 1053 -admin none", ServeOptions("x", 1053, "", "")),
        ("--dns.port=5353 --admin unix:/a.sock", ServeOptions("Corefile", 5353, "", "/a.sock")),
        ("-state s -pidfile p -quiet -admin none", ServeOptions("Corefile", 53, "s", "", True, "p")),
    ],
)
def test_flags_become_options(options: list[ServeOptions], words: str, expected: ServeOptions) -> None:
    assert serve_command.run("serve", tuple(words.split())) == 7
    assert options == [expected]


def test_the_reason_why_it_cannot_start_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def refuse(options: ServeOptions) -> int:
        raise StartError("port 53 is taken")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("clusterdns.control.server.serve", refuse)
    assert serve_command.run("serve", ("-conf", "x")) == 1
    assert capsys.readouterr().err == "port 53 is taken\n"
    assert serve_command.run("serve", ()) == 1
    assert capsys.readouterr().err == f"port 53 is taken\n{serve_command.NO_COREFILE}\n"


def test_elsewhere_than_on_linux_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert serve_command.run("serve", ("-conf", "x")) == 1
    assert "virtual machine or a container" in capsys.readouterr().err


def test_the_smallest_corefile_that_is_told_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Corefile").write_text(serve_command.NO_COREFILE.split("\n", 1)[1])
    assert serve_command.run("serve", ("--check",)) == 0


def test_check_looks_up_no_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Corefile").write_text(". {\n    forward . nosuch.invalid\n}\n")
    assert serve_command.run("serve", ("--check", "-conf", str(tmp_path / "Corefile"))) == 0
    assert capsys.readouterr().err == ""
