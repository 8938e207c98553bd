"""Reloading: what is said is what CoreDNS says, and no query is lost."""

from __future__ import annotations

import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event, Thread

import dns.message
import dns.query
import pytest

from tests.server.process import KUBERNETES, replace, served, write_corefile
from tests.servers import PATIENCE, Running, free_port

RELOAD = ".:PORT {\n    reload 2s 0s\n    bind 127.0.0.1\n    errors\n    whoami\n}\n"
EMPTY = ".:PORT {\n    reload 2s 0s\n    bind 127.0.0.1\n    errors\n}\n"
SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: svc1, namespace: testns}, spec: {clusterIP: 10.96.0.1}}\n"
HASH = "[INFO] plugin/reload: Running configuration SHA512 = "


def signalled(server: Running, text: str, last: str = "Reloading complete") -> list[str]:
    """Writes a Corefile and sends SIGUSR1; the lines up to one with `last`."""
    write_corefile(server.directory, text, server.port)
    before = len(server.lines)
    os.kill(server.process.pid, signal.SIGUSR1)
    return server.lines[before : server.wait_for(last, before)]


def whoami(server: Running) -> bool:
    """Whether `whoami` answers."""
    return bool(server.ask("example.org.").additional)


@pytest.mark.slow
def test_a_changed_corefile_is_taken_up(tmp_path: Path) -> None:
    with served(tmp_path, RELOAD) as server:
        assert whoami(server)
        first = server.lines[server.wait_for(HASH) - 1]
        write_corefile(tmp_path, EMPTY, server.port)
        before = len(server.lines)
        lines = server.lines[before : server.wait_for("Reloading complete", before)]
        assert [line.removeprefix("[INFO] ").partition(" =")[0] for line in lines] == [
            "Reloading",
            "plugin/reload: Running configuration SHA512",
            "Reloading complete",
        ]
        assert lines[1].startswith(HASH)
        assert lines[1] != first
        assert not whoami(server)


@pytest.mark.slow
def test_a_bad_corefile_changes_nothing_and_is_told_once_until_it_is_mended(tmp_path: Path) -> None:
    with served(tmp_path, RELOAD) as server:
        write_corefile(tmp_path, RELOAD.replace("whoami", "nosuch"), server.port)
        before = len(server.lines)
        server.wait_for("[ERROR] plugin/reload", before)
        why = f"{tmp_path.joinpath('Corefile').name}:5:5: unknown directive `nosuch`"
        assert server.lines[before:] == [
            "[INFO] Reloading",
            f"[ERROR] Restart failed: {why}",
            f"[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: {why}",
        ]
        assert whoami(server)
        before = len(server.lines)
        write_corefile(tmp_path, RELOAD[:-2], server.port)
        server.wait_for("WARNING", before)
        (warning,) = server.lines[before:]
        assert warning.startswith("[WARNING] plugin/reload: Corefile parse failed: Corefile:1:9: this `{` is never closed")
        assert whoami(server)
        write_corefile(tmp_path, EMPTY, server.port)
        server.wait_for("Reloading complete", before)
        assert len(server.lines) == before + 4, "neither was told a second time"
        assert not whoami(server)


@pytest.mark.slow
def test_a_changed_import_is_taken_up_and_white_space_is_not(tmp_path: Path) -> None:
    replace(tmp_path / "parts" / "a.conf", "whoami\n")
    corefile = ".:PORT {\n    reload 2s 0s\n    bind 127.0.0.1\n    import parts/*.conf\n}\n"
    with served(tmp_path, corefile) as server:
        assert whoami(server)
        before = len(server.lines)
        write_corefile(tmp_path, "# moved\n\n" + corefile.replace("    ", "\t"), server.port)
        replace(tmp_path / "parts" / "a.conf", "# nothing any more\n")
        server.wait_for("Reloading complete", before)
        assert not whoami(server)
        assert len(server.lines) == before + 3
        before = len(server.lines)
        replace(tmp_path / "parts" / "a.conf", "# nothing at all any more\n\n\n")
        write_corefile(tmp_path, corefile + "# a remark", server.port)
        replace(tmp_path / "parts" / "b.conf", "errors\n")
        server.wait_for("Reloading complete", before)
        assert len(server.lines) == before + 3, "white space and remarks make no difference"


def test_SIGUSR1_reloads_without_the_directive(tmp_path: Path) -> None:
    corefile = RELOAD.replace("    reload 2s 0s\n", "")
    with served(tmp_path, corefile) as server:
        lines = signalled(server, corefile.replace("whoami", "debug"))
        assert lines == ["[INFO] SIGUSR1: Reloading", "[INFO] Reloading", "[INFO] Reloading complete"]
        assert not whoami(server)


def test_SIGUSR1_with_a_bad_corefile_changes_nothing(tmp_path: Path) -> None:
    with served(tmp_path, RELOAD) as server:
        lines = signalled(server, RELOAD.replace("whoami", "nosuch\n    nothing"), "[ERROR] SIGUSR1")
        why = "Corefile:5:5: unknown directive `nosuch`; Corefile:6:5: unknown directive `nothing`"
        assert lines == [
            "[INFO] SIGUSR1: Reloading",
            "[INFO] Reloading",
            f"[ERROR] Restart failed: {why}",
            f"[ERROR] SIGUSR1: starting with listener file descriptors: {why}",
        ]
        assert whoami(server)


def test_SIGUSR1_without_a_corefile_changes_nothing(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        (tmp_path / "Corefile").unlink()
        before = len(server.lines)
        os.kill(server.process.pid, signal.SIGUSR1)
        server.wait_for("[ERROR] SIGUSR1: starting with listener file descriptors: Corefile: cannot read Corefile", before)
        assert whoami(server)


def test_SIGUSR1_with_an_empty_corefile_changes_nothing(tmp_path: Path) -> None:
    """Difference D4."""
    with served(tmp_path) as server:
        lines = signalled(server, "", "[ERROR] SIGUSR1")
        assert lines[-1].endswith(": Corefile: there is no server block")
        assert whoami(server)


def test_a_port_that_is_taken_changes_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken, served(tmp_path, RELOAD) as server:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = free_port()
        more = f"a.test:{port} {{\n    bind 127.0.0.1\n}}\nb.test:{other} {{\n    bind 127.0.0.1\n    whoami\n}}\n"
        lines = signalled(server, EMPTY + more, "[ERROR] SIGUSR1")
        assert f"127.0.0.1:{port}" in lines[-1]
        assert whoami(server)
        assert not answers(other), "the other new listener was closed again"


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_connection_outlives_a_reload(tmp_path: Path) -> None:
    with served(tmp_path, RELOAD) as server, socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        assert over(connection, "a.test").additional
        signalled(server, EMPTY)
        assert not over(connection, "b.test").additional, "it is answered by the new plan"
        signalled(server, RELOAD)
        assert over(connection, "c.test").additional


def over(connection: socket.socket, name: str) -> dns.message.Message:
    """The answer to a question on this connection."""
    query = dns.message.make_query(name, "A").to_wire()
    connection.sendall(struct.pack("!H", len(query)) + query)
    (length,) = struct.unpack("!H", exactly(connection, 2))
    return dns.message.from_wire(exactly(connection, length))


def exactly(connection: socket.socket, count: int) -> bytes:
    """So many octets."""
    octets = b""
    while len(octets) < count:
        more = connection.recv(count - len(octets))
        assert more, "the connection was closed"
        octets += more
    return octets


def test_a_zone_outlives_a_reload(tmp_path: Path) -> None:
    replace(tmp_path / "manifests" / "one.yaml", SERVICE)
    with served(tmp_path, KUBERNETES) as server:
        serial = server.ask("cluster.local.", "SOA").answer[0][0].serial
        signalled(server, KUBERNETES.replace("errors", "loadbalance"))
        assert server.ask("svc1.testns.svc.cluster.local.").answer
        assert server.ask("cluster.local.", "SOA").answer[0][0].serial == serial
        signalled(server, KUBERNETES.replace("manifests manifests", "manifests manifests\n        ttl 30"))
        assert server.ask("svc1.testns.svc.cluster.local.").answer[0].ttl == 30


@dataclass
class Load:
    """Questions that are asked without a pause, and what became of them."""

    asked: int = 0
    lost: list[str] = field(default_factory=list)
    more: Condition = field(default_factory=Condition)

    def wait_for(self, count: int) -> None:
        """Waits until so many more have been asked."""
        with self.more:
            until = self.asked + count
            assert self.more.wait_for(lambda: self.asked >= until, PATIENCE)


@contextmanager
def under_load(port: int, tcp_every: int = 4) -> Iterator[Load]:
    """Asks one question after the other until the block ends, each `tcp_every`th over TCP (0: none)."""
    load, enough = Load(), Event()

    def ask() -> None:
        while not enough.is_set():
            query = dns.message.make_query(f"q{load.asked}.test", "A")
            send = dns.query.tcp if tcp_every and load.asked % tcp_every == 0 else dns.query.udp
            try:
                send(query, "127.0.0.1", port=port, timeout=2)
            except Exception as why:
                load.lost.append(f"{load.asked} {send.__name__}: {why!r}")
            with load.more:
                load.asked += 1
                load.more.notify()

    asking = Thread(target=ask)
    asking.start()
    try:
        yield load
    finally:
        enough.set()
        asking.join()


@pytest.mark.slow
def test_no_query_is_lost_while_the_configuration_changes(tmp_path: Path) -> None:
    with served(tmp_path, RELOAD) as server, under_load(server.port) as load:
        for turn in range(12):
            signalled(server, EMPTY if turn % 2 else RELOAD)
            load.wait_for(10)
    assert load.lost == []


@pytest.mark.slow
def test_no_query_is_lost_while_listeners_come_and_go(tmp_path: Path) -> None:
    other = free_port()
    more = f"b.test:{other} {{\n    bind 127.0.0.1\n    whoami\n}}\n"
    with served(tmp_path, RELOAD) as server, under_load(server.port) as load:
        for _ in range(6):
            signalled(server, RELOAD + more)
            assert dns.query.udp(dns.message.make_query("b.test", "A"), "127.0.0.1", port=other, timeout=2).additional
            assert dns.query.tcp(dns.message.make_query("b.test", "A"), "127.0.0.1", port=other, timeout=2).additional
            signalled(server, RELOAD)
            assert not answers(other)
            load.wait_for(10)
    assert load.lost == []


@pytest.mark.slow
def test_no_datagram_is_lost_between_one_address_and_all(tmp_path: Path) -> None:
    """The listener of 127.0.0.1 goes, and that of all addresses takes over what waits on it.

    Without TCP: a connection that comes in the moment in which its listener is closed is reset by the kernel.
    """
    everywhere = RELOAD.replace("    bind 127.0.0.1\n", "")
    with served(tmp_path, RELOAD) as server, under_load(server.port, tcp_every=0) as load:
        for turn in range(6):
            signalled(server, RELOAD if turn % 2 else everywhere)
            load.wait_for(10)
    assert load.lost == []
