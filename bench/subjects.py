"""Who is measured: the echo, clusterdns, and those of its peers that are installed; each a server that is ready to be asked."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.cluster import Size
from bench.configurations import corefile_of_cache, corefile_of_cluster, dnsmasq_of_cache, unbound_of_cache, unbound_of_cluster
from bench.processes import CLIENT_CORE, SERVER_CORE, Process, pinned
from bench.rows import Setup
from tools.console import ROOT, Failed
from tools.port import HOST, SERVFAIL, ask
from tools.setup import VENV

PROGRAMS = ROOT / "target/release"
OURS = VENV / "bin/clusterdns"
READY_WITHIN = 120.0
ABSENT = "not-there.team-000.svc.cluster.local"


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


class Place(NamedTuple):
    """Where and with what subjects are set up: a folder for their files, the cluster's objects, the port of the upstream."""

    folder: Path
    manifests: Path
    size: Size
    upstream: int = 0


@contextmanager
def subjects(setup: Setup, place: Place) -> Iterator[list[Subject]]:
    """All that this setup has, the echo first."""
    with ExitStack() as stack:
        running = [stack.enter_context(echo(place.folder))]
        if setup != "cluster":
            place = place._replace(upstream=stack.enter_context(upstream(place.folder)))
        running += [stack.enter_context(started(name, command, place)) for name, command in commands(setup, place)]
        yield running


def commands(setup: Setup, place: Place) -> Iterator[tuple[str, Callable[[int], Sequence[str | Path]]]]:
    """The names of the servers that are here, and how each is started on a port."""
    tcp = setup == "cache-tcp"
    yield "clusterdns", lambda port: serve(place, port, setup)
    if shutil.which("unbound"):
        yield "unbound", lambda port: unbound(place, port, setup)
    if setup == "cluster":
        return
    if shutil.which("dnsmasq") and not tcp:
        yield "dnsmasq", lambda port: ["dnsmasq", *dnsmasq_of_cache(port, place.upstream)]
    for name in ("coredns", "node-cache"):
        if peer(name):
            yield name, lambda port, name=name: incumbent(name, place, port, setup)  # type: ignore[misc]


def peer(name: str) -> str | None:
    """The program of an incumbent; our own entry points of the same name are not it."""
    folders = [folder for folder in os.get_exec_path() if Path(folder).resolve() != OURS.parent.resolve()]
    return shutil.which(name, path=os.pathsep.join(folders))


@contextmanager
def started(name: str, command: Callable[[int], Sequence[str | Path]], place: Place) -> Iterator[Subject]:
    """A server on the server's core, once it answers."""
    port, log = free_port(), place.folder / f"{name}.log"
    with pinned(SERVER_CORE, command(port), log) as process:
        yield _ready(Subject(name, process, port), log)


@contextmanager
def echo(folder: Path) -> Iterator[Subject]:
    """The yardstick, with the sockets of a server on every address."""
    port = free_port()
    with pinned(SERVER_CORE, [PROGRAMS / "udp-echo", f"[::]:{port}"], folder / "echo.log") as process:
        yield _ready(Subject("echo", process, port, echo=True), folder / "echo.log")


@contextmanager
def upstream(folder: Path) -> Iterator[int]:
    """A server that has an address for every name, on the client's core; its port."""
    port = free_port()
    with pinned(CLIENT_CORE, [PROGRAMS / "dns-upstream", f"{HOST}:{port}"], folder / "upstream.log") as process:
        yield _ready(Subject("upstream", process, port), folder / "upstream.log").port


@contextmanager
def clusterdns(setup: Setup, place: Place) -> Iterator[Subject]:
    """The product alone, as a user starts it."""
    with started("clusterdns", lambda port: serve(place, port, setup), place) as subject:
        yield subject


def serve(place: Place, port: int, setup: Setup) -> Sequence[str | Path]:
    """How the product is started."""
    corefile = place.folder / f"clusterdns-{setup}.Corefile"
    corefile.write_text(
        corefile_of_cluster(port, place.manifests)
        if setup == "cluster"
        else corefile_of_cache(port, place.upstream, tcp=setup == "cache-tcp")
    )
    return [OURS, "serve", "-conf", corefile, "-quiet", "--admin", "none"]


def unbound(place: Place, port: int, setup: Setup) -> Sequence[str | Path]:
    """How a resolver in C is started that holds the same names, or keeps the same answers."""
    path = place.folder / f"unbound-{setup}.conf"
    path.write_text(
        unbound_of_cluster(port, place.size, place.folder)
        if setup == "cluster"
        else unbound_of_cache(port, place.upstream, place.folder, tcp=setup == "cache-tcp")
    )
    return ["unbound", "-d", "-c", path]


def incumbent(name: str, place: Place, port: int, setup: Setup) -> Sequence[str | Path]:
    """How CoreDNS or node-cache is started with our Corefile; node-cache is kept from links and packet rules."""
    corefile = place.folder / f"{name}-{setup}.Corefile"
    corefile.write_text(corefile_of_cache(port, place.upstream, tcp=setup == "cache-tcp", metrics=free_port()))
    program = peer(name) or name
    if name == "node-cache":
        alone = ["-localip", HOST, "-setupinterface=false", "-setupiptables=false", "-metrics-listen-address", f"{HOST}:{free_port()}"]
        return [program, "-conf", corefile, *alone]
    return [program, "-conf", corefile, "-quiet"]


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
