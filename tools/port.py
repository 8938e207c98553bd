"""The port that `./dev run` serves on: whether it is free, and whether it answers. Knows just enough DNS to ask one question."""

from __future__ import annotations

import errno
import secrets
import socket
import struct
import subprocess
import time

from tools.console import Failed

HOST = "127.0.0.1"
READY_WITHIN = 60.0
# Asked until the server is ready: a name that is not there. SERVFAIL while the cluster is being read, NXDOMAIN after it.
ABSENT = "not-there.default.svc.cluster.local"
SERVFAIL = 2


def check_port_is_free(port: int) -> None:
    """Say at once that a port is taken: servers share their ports among their threads, so two of them would not notice each other."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise Failed(why_not(error, port)) from None


def why_not(error: OSError, port: int) -> str:
    """Why a port cannot be had, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {HOST} is in use: end what listens there (ss -lnutp shows it), or take another with --port"
    if error.errno == errno.EACCES:
        return f"no permission for port {port}: take one above 1023 with --port"
    return f"port {port} of {HOST}: {error.strerror}"


def wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    """Ask until the answer is that of a server which knows its cluster."""
    deadline = time.monotonic() + READY_WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((HOST, port))
        client.settimeout(0.05)
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise Failed(f"the server did not start (exit code {server.returncode}): the lines above say why")
            if ask(client, ABSENT) not in (None, SERVFAIL):
                return
    raise Failed(f"no answer from {HOST}:{port} within {READY_WITHIN:.0f} s")


def ask(client: socket.socket, name: str) -> int | None:
    """The response code of an answer about a name's address, nothing when none came in time."""
    query = address_question(secrets.randbits(16), name)
    try:
        client.send(query)
        while True:
            answer = client.recv(512)
            if len(answer) >= 12 and answer[:2] == query[:2]:
                return answer[3] & 15
    except ConnectionRefusedError:
        time.sleep(0.02)  # nobody listens yet, and that answer comes at once
        return None
    except TimeoutError:
        return None


def address_question(identity: int, name: str) -> bytes:
    """A message that asks for a name's IPv4 addresses (RFC 1035 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", identity, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)
