"""Who is measured: the echo, clusterdns, and unbound where it is installed; each a server that is ready to be asked."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.cluster import SHAPES, Size, cluster_ip, pod_ip, service_name
from bench.processes import SERVER_CORE, Process, pinned
from tools.console import ROOT, Failed
from tools.port import HOST, SERVFAIL, ask
from tools.setup import VENV

PROGRAMS = ROOT / "target/release"
READY_WITHIN = 120.0
ABSENT = "not-there.team-000.svc.cluster.local"
# What a stock Corefile has besides `kubernetes`, as far as it stands in the way of these questions.
DIRECTIVES = {
    "errors": "errors",
    "prometheus": f"prometheus {HOST}:0",
    "cache": "cache 30",
    "reload": "reload",
    "loadbalance": "loadbalance",
}


class Subject(NamedTuple):
    """A server that runs. `echo`: what it answers is the question."""

    name: str
    process: Process
    port: int
    echo: bool = False

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"{HOST}:{self.port}"


@contextmanager
def subjects(folder: Path, manifests: Path, size: Size) -> Iterator[list[Subject]]:
    """All of them, the echo first; unbound only where it is installed."""
    with ExitStack() as stack:
        running = [stack.enter_context(echo(folder)), stack.enter_context(clusterdns(folder, manifests))]
        if shutil.which("unbound"):
            running.append(stack.enter_context(unbound(folder, size)))
        yield running


@contextmanager
def echo(folder: Path) -> Iterator[Subject]:
    """The yardstick, with the sockets of a server on every address."""
    port = free_port()
    with pinned(SERVER_CORE, [PROGRAMS / "udp-echo", f"[::]:{port}"], folder / "echo.log") as process:
        yield _ready(Subject("echo", process, port, echo=True), folder / "echo.log")


@contextmanager
def clusterdns(folder: Path, manifests: Path) -> Iterator[Subject]:
    """The product, as a user starts it."""
    port = free_port()
    corefile = folder / "Corefile"
    corefile.write_text(corefile_for(port, manifests, known_directives()))
    command: list[str | Path] = [VENV / "bin/clusterdns", "serve", "-conf", corefile, "-quiet", "--admin", "none"]
    with pinned(SERVER_CORE, command, folder / "clusterdns.log") as process:
        yield _ready(Subject("clusterdns", process, port), folder / "clusterdns.log")


@contextmanager
def unbound(folder: Path, size: Size) -> Iterator[Subject]:
    """A server in C that holds the same names."""
    port = free_port()
    (folder / "unbound.conf").write_text(unbound_config(port, size, folder))
    program = Path(shutil.which("unbound") or "unbound")
    with pinned(SERVER_CORE, [program, "-d", "-c", folder / "unbound.conf"], folder / "unbound.log") as process:
        yield _ready(Subject("unbound", process, port), folder / "unbound.log")


def corefile_for(port: int, manifests: Path, known: frozenset[str]) -> str:
    """A stock Corefile with the directives that are there; log is off, as it is by default."""
    before = [line for name, line in DIRECTIVES.items() if name in known]
    cluster = ["kubernetes cluster.local in-addr.arpa ip6.arpa {", f"    manifests {manifests}", "}"]
    return "\n".join([f".:{port} {{", *(f"    {line}" for line in [*before, *cluster]), "}", ""])


def known_directives() -> frozenset[str]:
    """The directives that this version has."""
    listed = subprocess.run([VENV / "bin/clusterdns", "serve", "-plugins"], capture_output=True, text=True, check=True).stdout
    return frozenset(line.removeprefix("dns.") for line in listed.split())


def unbound_config(port: int, size: Size, folder: Path) -> str:
    """One thread, loopback, no recursion: a static zone with the addresses of all Services, in changing order as ours."""
    lines = [
        "server:",
        "num-threads: 1",
        "so-reuseport: no",
        f"interface: {HOST}",
        f"port: {port}",
        "do-ip6: no",
        "do-daemonize: no",
        'username: ""',
        'chroot: ""',
        f'directory: "{folder}"',
        'pidfile: ""',
        "use-syslog: no",
        "verbosity: 0",
        'module-config: "iterator"',
        "rrset-roundrobin: yes",
        'local-zone: "cluster.local." static',
    ]
    pods = 0
    for number in range(size.services):
        shape = SHAPES[number % len(SHAPES)]
        space, name = service_name(number)
        count = size.endpoints // size.services * shape.share
        addresses = [pod_ip(pods + index) for index in range(count)] if shape.headless else [cluster_ip(number)]
        lines += [f'local-data: "{name}.{space}.svc.cluster.local. 5 IN A {address}"' for address in addresses]
        pods += count
    return "\n".join([*lines, "remote-control:", "control-enable: no", ""])


def free_port() -> int:
    """A port that nobody has now, for UDP and TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind((HOST, 0))
        port: int = tcp.getsockname()[1]
        udp.bind((HOST, port))
        return port


def wait_until_ready(process: Process, port: int) -> None:
    """Ask now and then, so that asking costs the server nothing, until it answers and knows its data."""
    until = time.monotonic() + READY_WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((HOST, port))
        client.settimeout(0.2)
        while process.poll() is None and time.monotonic() < until:
            if ask(client, ABSENT) not in (None, SERVFAIL):
                return
            time.sleep(0.005)
    raise Failed(f"exit code {process.returncode}" if process.returncode is not None else f"no answer within {READY_WITHIN:.0f} s")


def _ready(subject: Subject, log: Path) -> Subject:
    """The subject, once it answers; a failure has the end of its log."""
    try:
        wait_until_ready(subject.process, subject.port)
    except Failed as why:
        last = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise Failed(f"{subject.name} does not serve ({why}): {'; '.join(last) or 'it said nothing'}") from None
    return subject
