"""A running server's admin socket, from outside: where it is, one question, a stream of answers. JSON lines on a Unix socket."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from typing import Any

Reply = dict[str, Any]
TIMEOUT = 5.0


class AdminError(Exception):
    """The server cannot be reached, or refuses; the message says why and what to do."""


def default_path(server: str) -> str:
    """Where a server (`serve`, `node-cache`) has its socket unless told otherwise: below /run, else below $XDG_RUNTIME_DIR."""
    directory = "/run" if os.access("/run", os.W_OK) else os.environ.get("XDG_RUNTIME_DIR", "/tmp")
    return os.path.join(directory, "clusterdns", f"{server}.sock")


def path_of(server: str) -> str:
    """The path in `unix:PATH`; a bare path is taken as well."""
    return server.removeprefix("unix:")


def ask(path: str, request: Reply) -> Reply:
    """Sends one request and gives the reply. Raises `AdminError`."""
    for reply in stream(path, request, timeout=TIMEOUT):
        return reply
    raise AdminError(f"{path}: the server closed the connection without an answer")


def stream(path: str, request: Reply, timeout: float | None = None) -> Iterator[Reply]:
    """Sends one request and gives every line that comes, until the server closes. Raises `AdminError`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                for line in lines:
                    if line.strip():
                        yield _checked(json.loads(line))
        except (OSError, ValueError) as why:
            hint = "is a server running? --server unix:PATH names another socket"
            raise AdminError(f"{path}: {getattr(why, 'strerror', None) or why}; {hint}") from why


def _checked(reply: Reply) -> Reply:
    """The reply, unless it says that something was wrong."""
    if "error" in reply:
        raise AdminError(str(reply["error"]))
    return reply
