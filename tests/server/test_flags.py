"""The flags of `serve`, as CoreDNS takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterdns.directives import HERE, TABLE
from clusterdns.version import COREDNS, VERSION
from tests.server.process import WHOAMI, command, launched, served
from tests.servers import free_port


def test_G9_the_corefile_may_come_from_standard_input(tmp_path: Path) -> None:
    port = free_port()
    text = WHOAMI.replace("PORT", str(port))
    with launched(tmp_path, "-conf", "stdin", "-admin", "none", port=port, stdin=text) as server:
        assert server.ask("example.org.").additional


def test_G9_problems_on_standard_input_have_their_place(tmp_path: Path) -> None:
    ended = command(tmp_path, "serve", "-conf", "stdin", "-check", stdin=". {\n    nosuch\n}\n")
    assert ended.returncode == 1
    assert ended.stderr.startswith("stdin:2:5: error: unknown directive `nosuch`")


def test_G9_without_a_corefile_it_says_what_to_do(tmp_path: Path) -> None:
    ended = command(tmp_path, "serve")
    assert ended.returncode == 1
    assert "name one with -conf FILE, or write one" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_G9_the_corefile_of_the_directory_is_taken(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "Corefile").write_text(WHOAMI.replace("PORT", str(port)))
    with launched(tmp_path, "-admin", "none", port=port) as server:
        assert server.ask("example.org.").additional


def test_a_corefile_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    ended = command(tmp_path, "serve", "-conf", "nosuch")
    assert ended.returncode == 1
    assert ended.stderr == "nosuch: error: cannot read nosuch: no such file [unreadable]\n"


@pytest.mark.parametrize("flags", [["-p", "PORT"], ["--p=PORT"], ["-dns.port=PORT"], ["--dns.port", "PORT"]])
def test_the_port_of_keys_without_one(tmp_path: Path, flags: list[str]) -> None:
    port = free_port()
    (tmp_path / "Corefile").write_text(". {\n    bind 127.0.0.1\n    whoami\n}\n")
    given = [flag.replace("PORT", str(port)) for flag in flags]
    with launched(tmp_path, *given, "-admin=none", port=port) as server:
        assert server.ask("example.org.").additional


def test_quiet_prints_no_banner(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "Corefile").write_text(WHOAMI.replace("PORT", str(port)))
    with launched(tmp_path, "-quiet", "-admin", "none", "-pidfile", "pid", port=port, ready="") as server:
        while not (tmp_path / "pid").exists():
            assert server.process.poll() is None
        assert server.ask("example.org.").additional
        assert server.lines == []


def test_the_banner_says_what_is_served_and_the_versions(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        assert server.lines[0] == f".:{server.port} on 127.0.0.1"
        assert server.lines[1] == f"CoreDNS-{COREDNS}"
        assert server.lines[2].startswith("linux/")


def test_version(tmp_path: Path) -> None:
    ended = command(tmp_path, "serve", "-version")
    first, second = ended.stdout.splitlines()
    assert (ended.returncode, first) == (0, f"CoreDNS-{COREDNS}")
    assert f"clusterdns-{VERSION}" in second


def test_plugins(tmp_path: Path) -> None:
    ended = command(tmp_path, "serve", "--plugins")
    assert ended.returncode == 0
    assert ended.stdout.splitlines() == [f"dns.{name}" for name, state in TABLE.items() if state is HERE]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-nosuch"], 2, "flag provided but not defined: -nosuch\nUsage of clusterdns serve:"),
        (["-conf"], 2, "flag needs an argument: -conf\nUsage of clusterdns serve:"),
        (["-quiet=maybe"], 2, 'invalid boolean value "maybe" for -quiet\nUsage of clusterdns serve:'),
        (["one", "two"], 1, "extra command line arguments: one two\n"),
        (["-p", "x"], 1, "-dns.port x: a port is a number from 0 to 65535\n"),
        (["-p", "65536"], 1, "-dns.port 65536: a port is a number from 0 to 65535\n"),
    ],
)
def test_a_flag_that_is_wrong(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    ended = command(tmp_path, "serve", *arguments)
    assert ended.returncode == code
    assert ended.stderr.startswith(message)


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help(tmp_path: Path, flag: str) -> None:
    ended = command(tmp_path, "serve", flag)
    assert ended.returncode == 0
    assert ended.stdout.startswith("Usage of clusterdns serve:\n")
    signals = ended.stdout.partition("\nSignals:\n")[2]
    assert all(f"  {name} " in signals for name in ("SIGTERM", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGHUP"))
