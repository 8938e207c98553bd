"""`clusterdns` as a process: commands that end, and servers with any flags."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from tests.servers import PATIENCE, Running, free_port

WHOAMI = ".:PORT {\n    bind 127.0.0.1\n    errors\n    whoami\n}\n"
KUBERNETES = ".:PORT {\n    bind 127.0.0.1\n    errors\n    kubernetes cluster.local {\n        manifests manifests\n    }\n}\n"
BANNER = "linux/"


def command(directory: Path, *arguments: str, stdin: str = "", user: int | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `clusterdns ARGUMENTS` in this directory until it ends."""
    line = [sys.executable, "-m", "clusterdns.cli.main", *arguments]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(directory)}
    return subprocess.run(line, cwd=directory, input=stdin, capture_output=True, text=True, timeout=PATIENCE, user=user, env=environment)


@contextmanager
def launched(directory: Path, *arguments: str, port: int, stdin: str | None = None, ready: str = BANNER) -> Iterator[Running]:
    """`clusterdns serve ARGUMENTS`, once it has printed `ready` (nothing: at once). Its stderr is among the lines."""
    line = [sys.executable, "-m", "clusterdns.cli.main", "serve", *arguments]
    into = subprocess.PIPE if stdin is not None else subprocess.DEVNULL
    process = subprocess.Popen(line, cwd=directory, stdin=into, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running = Running(process, port, directory)
    reader = Thread(target=running.read_lines, daemon=True)
    reader.start()
    try:
        if stdin is not None:
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.close()
        if ready:
            running.wait_for(ready)
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def served(directory: Path, corefile: str = WHOAMI, *arguments: str, port: int = 0) -> Iterator[Running]:
    """Serves a Corefile, whose PORT is a free one, with these flags; its admin socket is `admin.sock`."""
    port = port or free_port()
    write_corefile(directory, corefile, port)
    admin = () if "-admin" in arguments else ("-admin", f"unix:{directory / 'admin.sock'}")
    with launched(directory, "-conf", "Corefile", *admin, *arguments, port=port) as running:
        yield running


def write_corefile(directory: Path, text: str, port: int) -> None:
    """Writes the Corefile whole: a reader finds the old one or the new one."""
    replace(directory / "Corefile", text.replace("PORT", str(port)))


def replace(path: Path, text: str) -> None:
    """Writes a file as editors and ConfigMaps do: beside the old one, and then in its place."""
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.rename(path)
