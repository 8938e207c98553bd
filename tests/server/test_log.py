"""A reader of the log that does not read loses lines; the queries are answered."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.server.process import BANNER, KUBERNETES, served, write_corefile
from tests.servers import PATIENCE, free_port

QUERY = dns.message.make_query(".".join(["x" * 60] * 4), "A").to_wire()


def test_errors_are_logged_with_name_and_type(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    with served(tmp_path, KUBERNETES) as server:
        assert server.ask("example.org.", "MX").rcode() == dns.rcode.SERVFAIL
        server.wait_for("[ERROR] plugin/errors: 2 example.org. MX: ")


@pytest.mark.slow
def test_a_reader_that_does_not_read_stalls_no_query(tmp_path: Path) -> None:
    """Each query writes a line; the pipe takes 64 KiB, the buffer 4096 lines, and then nobody may wait."""
    with unread(tmp_path) as (process, port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        assert process.stdout is not None
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", port))
        for _ in range(6000):
            client.send(QUERY)
            assert client.recv(512)[3] & 0xF == dns.rcode.SERVFAIL
        assert any("lines of the log were lost: its reader is too slow" in line for line in process.stdout)
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_a_server_whose_log_is_not_read_ends_all_the_same(tmp_path: Path) -> None:
    with unread(tmp_path) as (process, port):
        for _ in range(400):
            assert dns.query.udp(dns.message.from_wire(QUERY), "127.0.0.1", port=port, timeout=5).rcode() == dns.rcode.SERVFAIL
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_a_second_SIGINT_does_not_wait_for_the_reader_either(tmp_path: Path) -> None:
    with unread(tmp_path) as (process, port):
        for _ in range(400):
            dns.query.udp(dns.message.from_wire(QUERY), "127.0.0.1", port=port, timeout=5)
        process.send_signal(signal.SIGINT)
        while (tmp_path / "admin.sock").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 2


@contextmanager
def unread(directory: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server that answers on the port, and whose stdout nobody reads any more."""
    port = free_port()
    write_corefile(directory, KUBERNETES, port)
    (directory / "manifests").mkdir()
    line = [sys.executable, "-m", "clusterdns.cli.main", "serve", "-conf", "Corefile", "-admin", "unix:admin.sock"]
    with subprocess.Popen(line, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(BANNER):
            assert process.poll() is None
        try:
            yield process, port
        finally:
            process.kill()
