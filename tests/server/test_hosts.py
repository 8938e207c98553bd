"""`hosts` on a running server: files that change, that come late, and that are large."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from urllib.request import urlopen

from tests.server.process import replace, served, write_corefile
from tests.servers import PATIENCE, Running, free_port

COREFILE = """.:PORT {
    bind 127.0.0.1
    errors
    hosts names {
        192.0.2.9 inline.example.org
        reload 50ms
        fallthrough example.org
    }
}
"""


def addresses(running: Running, name: str) -> list[str]:
    """The addresses of a name."""
    return [record.to_text() for rrset in running.ask(name).answer for record in rrset]


def wait_until(running: Running, name: str, expected: list[str]) -> None:
    """Asks until the answer is this one; the server's patience is the test's."""
    while addresses(running, name) != expected:
        assert running.process.poll() is None


def test_a_file_that_comes_late_is_read_and_the_warning_names_it(tmp_path: Path) -> None:
    with served(tmp_path, COREFILE) as running:
        running.wait_for("[WARNING] plugin/hosts: File does not exist: names")
        assert running.ask("a.example.org").rcode() == 2
        running.wait_for("[ERROR] plugin/errors: 2 a.example.org. A: plugin/hosts: no next plugin found")
        assert addresses(running, "inline.example.org") == ["192.0.2.9"]
        replace(tmp_path / "names", "192.0.2.1 a.example.org\n")
        wait_until(running, "a.example.org", ["192.0.2.1"])
        (tmp_path / "names").unlink()
        replace(tmp_path / "names", "192.0.2.22 b.example.org\n")
        wait_until(running, "b.example.org", ["192.0.2.22"])
        assert addresses(running, "a.example.org") == []


def test_ready_tells_the_file_and_the_lines_of_the_corefile_apart(tmp_path: Path) -> None:
    replace(tmp_path / "names", "192.0.2.1 a.example.org\n192.0.2.1 b.example.org\n")
    port = free_port()
    url, corefile = f"http://127.0.0.1:{port}/ready?verbose", COREFILE.replace("errors", f"errors\n    ready 127.0.0.1:{port}")
    with served(tmp_path, corefile), urlopen(url, timeout=PATIENCE) as response:
        report = response.read().decode()
    assert report == "[+] hosts . (names): 3 names\n[+] hosts . (inline): 2 names\nready\n"


def test_with_reload_0_sigusr1_reads_the_file_again(tmp_path: Path) -> None:
    replace(tmp_path / "names", "192.0.2.1 a.example.org\n")
    with served(tmp_path, COREFILE.replace("50ms", "0")) as running:
        assert addresses(running, "a.example.org") == ["192.0.2.1"]
        replace(tmp_path / "names", "192.0.2.22 a.example.org\n")
        os.kill(running.process.pid, signal.SIGUSR1)
        running.wait_for("Reloading complete")
        wait_until(running, "a.example.org", ["192.0.2.22"])


def test_a_reload_with_other_entries_keeps_what_the_file_said(tmp_path: Path) -> None:
    replace(tmp_path / "names", "192.0.2.1 a.example.org\n")
    with served(tmp_path, COREFILE.replace("50ms", "0")) as running:
        (tmp_path / "names").unlink()
        write_corefile(tmp_path, COREFILE.replace("50ms", "0").replace("192.0.2.9", "192.0.2.10"), running.port)
        os.kill(running.process.pid, signal.SIGUSR1)
        running.wait_for("Reloading complete")
        assert addresses(running, "inline.example.org") == ["192.0.2.10"]
        assert addresses(running, "a.example.org") == ["192.0.2.1"]


def test_a_large_file_is_read_while_others_are_answered(tmp_path: Path) -> None:
    lines = [f"10.0.{at >> 8}.{at & 255} name-{at}.example.org" for at in range(50_000)]
    replace(tmp_path / "names", "\n".join((*lines, "junk\n")))
    with served(tmp_path, COREFILE) as running:
        assert addresses(running, "inline.example.org") == ["192.0.2.9"]
        running.wait_for("[WARNING] plugin/hosts: names:50001: an entry is left out: `junk` is no IP address")
        for name, address in (("name-0.example.org", "10.0.0.0"), ("name-49999.example.org", "10.0.195.79")):
            wait_until(running, name, [address])
        assert running.ask("79.195.0.10.in-addr.arpa", "PTR").answer[0][0].to_text() == "name-49999.example.org."
        replace(tmp_path / "names", "\n".join(lines[1:]) + "\n")
        wait_until(running, "name-0.example.org", [])
        assert addresses(running, "name-49999.example.org") == ["10.0.195.79"]


def test_a_reload_waits_for_a_large_file_before_it_is_asked(tmp_path: Path) -> None:
    whoami = ".:PORT {\n    bind 127.0.0.1\n    whoami\n}\n"
    replace(tmp_path / "names", "".join(f"192.0.2.1 name-{at}.example.org\n" for at in range(20_000)))
    with served(tmp_path, whoami) as running:
        write_corefile(tmp_path, COREFILE, running.port)
        os.kill(running.process.pid, signal.SIGUSR1)
        running.wait_for("Reloading complete")
        assert addresses(running, "name-19999.example.org") == ["192.0.2.1"]
