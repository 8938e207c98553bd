"""A real server for a test: `clusterdns serve` in its own process, asked over real sockets."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread
from time import monotonic

import dns.exception
import dns.message
import dns.query

PATIENCE = 20.0
ANSWER_SECONDS = 5.0


@dataclass
class Running:
    """A server that answers on `port` of 127.0.0.1. `lines` are those of its stdout so far."""

    process: subprocess.Popen[str]
    port: int
    directory: Path
    lines: list[str] = field(default_factory=list)
    ended: bool = False
    _more: Condition = field(default_factory=Condition)

    @property
    def admin(self) -> str:
        """The path of its admin socket."""
        return str(self.directory / "admin.sock")

    def ask(self, name: str, rtype: str = "A", *, tcp: bool = False, edns: int = 4096, dnssec: bool = False) -> dns.message.Message:
        """Its answer to one question. `edns`: the size that is offered; 0: none is. `dnssec`: the DO bit is set."""
        query = dns.message.make_query(name, rtype, use_edns=0 if edns else None, payload=edns or None, want_dnssec=dnssec)
        send = dns.query.tcp if tcp else dns.query.udp
        began = monotonic()
        try:
            return send(query, "127.0.0.1", port=self.port, timeout=ANSWER_SECONDS)
        except dns.exception.Timeout as timeout:
            waited, ended = monotonic() - began, self.process.poll()
            state = "runs" if ended is None else f"has ended with {ended}"
            timeout.add_note(f"{name} {rtype}: nothing within {waited:.1f} s; the server {state} and said {self.lines}")
            raise

    def wait_for(self, text: str, after: int = 0) -> int:
        """Waits for a line with this text behind the first `after` lines; gives the number of lines up to it."""

        def found() -> int:
            return next((at for at in range(after, len(self.lines)) if text in self.lines[at]), -1)

        with self._more:
            if not self._more.wait_for(lambda: found() >= 0 or self.ended, PATIENCE) or found() < 0:
                raise AssertionError(f"no line with {text!r} in {self.lines}")
            return found() + 1

    def read_lines(self) -> None:
        """Collects stdout until it ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self.ended = True
            self._more.notify_all()


def free_port() -> int:
    """A port that is free for UDP and TCP on 127.0.0.1."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextmanager
def serving(directory: Path, corefile: str, *arguments: str) -> Iterator[Running]:
    """Serves a Corefile, whose PORT is a free one, from this directory; the server has ended when the block is left."""
    port = free_port()
    (directory / "Corefile").write_text(corefile.replace("PORT", str(port)))
    command = [sys.executable, "-m", "clusterdns.cli.main", "serve", "-conf", str(directory / "Corefile")]
    command += ["-admin", f"unix:{directory / 'admin.sock'}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=directory)
    running = Running(process, port, directory)
    reader = Thread(target=running.read_lines, daemon=True)
    reader.start()
    try:
        running.wait_for("CoreDNS-")
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()
