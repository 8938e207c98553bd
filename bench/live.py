"""What it costs to follow a real API server, and how soon a change is answered: in quiet, in a storm, and after the API server was away.

The measured server has a core of its own; the API server, etcd and whoever writes and asks share the others.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM
from statistics import median
from typing import NamedTuple

from bench.cluster import HEADLESS, SERVICES_PER_NAMESPACE, SHAPES, Object, Size, endpoint_slice, service_name
from bench.measure import load_command, load_counted, wrong_answers
from bench.plane import Writer
from bench.processes import CLIENT_CORE, SERVER_CORE, Process, cpu_seconds, memory, pinned, spent, start_pinned
from bench.rows import BUDGETED, PACED, SEED, START_CPU_SECONDS, START_RESIDENT_MB, questions, row_named
from bench.subjects import OURS, Subject, free_port, wait_until_ready
from tests.controlplane.plane import ControlPlane
from tools.console import Failed
from tools.port import HOST, address_question

QUIET_RATE, QUIET_CHANGES = 45.0, 1000
STORM_RATE, STORM_SECONDS = 270.0, 10.0
STORM_WRITERS = 4
# Changes of one Service that are watched while the others change without end.
WATCHED_RATE = 10.0
GIVE_UP = 60.0
POLL_SECONDS = 0.0001
PEAK = 1.3
P50_MS, P99_MS = 2.0, 10.0
STORM_P99_MS = 100.0
NOTICED_SECONDS = 5.0
RECOVERY_SECONDS, RELIST_SLACK = 2.0, 1.0
OUTAGE_SECONDS = 30.0
CLUSTER_IPS = row_named("cluster-ip")


class Live(NamedTuple):
    """One figure: what it is, for a cluster of which size, its budget if it has one, and more about it in words."""

    title: str
    size: str
    value: float
    unit: str
    budget: float | None = None
    note: str = ""

    @property
    def passes(self) -> bool | None:
        """Whether it keeps its budget."""
        return None if self.budget is None else self.value <= self.budget


def measure_live(plane: ControlPlane, folder: Path, sizes: Sequence[Size], rounds: int, say: Callable[[str], None]) -> Iterator[Live]:
    """All figures: starts and recoveries with each size, the rest with the last."""
    writer = Writer(plane)
    for size in sizes:
        say(f"the API server gets {size}")
        writer.fill(size)
        starts = list(_measure_starts(plane, folder, size, rounds))
        yield from starts
        with following(plane, folder) as server:
            if size == sizes[-1]:
                yield from _measure_changes(server, writer, size)
                yield from _measure_storm(server, writer, size)
            yield from _measure_relist(server, plane, writer, size, ready=starts[0].value)
            yield from _measure_silence(server, plane, writer, size)
            if size == sizes[-1]:
                yield from _measure_losses(server, plane, writer, folder, size)


class Following(NamedTuple):
    """The measured server, its port, and the file that it logs to."""

    process: Process
    port: int
    log: Path


@contextmanager
def following(plane: ControlPlane, folder: Path) -> Iterator[Following]:
    """The product with an API server as its source, once it knows everything."""
    port = free_port()
    corefile = folder / "Corefile.live"
    kubernetes = f"kubernetes cluster.local in-addr.arpa {{\n kubeconfig {plane.kubeconfig('bench')}\n }}"
    corefile.write_text(f".:{port} {{\n bind {HOST}\n errors\n {kubernetes}\n loadbalance\n}}\n")
    log = folder / "live.log"
    with pinned(SERVER_CORE, [OURS, "serve", "-conf", corefile, "-quiet", "--admin", "none"], log) as process:
        wait_until_ready(process, port)
        yield Following(process, port, log)


def _measure_starts(plane: ControlPlane, folder: Path, size: Size, rounds: int) -> Iterator[Live]:
    taken = []
    for _ in range(rounds):
        began = time.monotonic()
        with following(plane, folder) as server:
            taken.append((time.monotonic() - began, cpu_seconds(server.process.pid), *memory(server.process.pid)))
    seconds, cpu, resident, peak = (median(values) for values in zip(*taken, strict=True))
    cpu_budget, memory_budget = (START_CPU_SECONDS, START_RESIDENT_MB) if size == BUDGETED else (None, None)
    yield Live("start: ready after", str(size), seconds, "s")
    yield Live("start: CPU until then", str(size), cpu, "s", cpu_budget)
    yield Live("start: memory", str(size), resident, "MB", memory_budget, f"peak {peak:.0f} MB")


class Target:
    """A headless Service whose first endpoint gets another address each time."""

    addresses = count(int(IPv4Address("10.200.0.1")))

    def __init__(self, number: int, size: Size) -> None:
        per_service = size.endpoints // size.services
        before = sum(SHAPES[earlier % len(SHAPES)].share for earlier in range(number)) * per_service
        self.slice: Object = endpoint_slice(number, before, per_service * SHAPES[number % len(SHAPES)].share)
        space, name = service_name(number)
        self.name = f"{name}.{space}.svc.cluster.local"
        self.address = IPv4Address(0)

    def change(self, writer: Writer) -> None:
        """Changes it; returns when the API server has it."""
        self.address = IPv4Address(next(Target.addresses))
        endpoints = self.slice["endpoints"]
        endpoints[0]["addresses"] = [str(self.address)]
        writer.change(self.slice, {"endpoints": endpoints})


class Client:
    """Asks for a name until it has an address."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((HOST, port))
        self._socket.settimeout(2.0)
        self._ids = count(1)

    def wait_for(self, name: str, address: IPv4Address) -> float:
        """The seconds until the address is among the answers."""
        began = time.monotonic()
        while not self.has(name, address):
            if time.monotonic() - began > GIVE_UP:
                raise Failed(f"{name} did not get {address} within {GIVE_UP:.0f} s")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def has(self, name: str, address: IPv4Address) -> bool:
        """Whether the address is among the answers. Over UDP ten addresses fit."""
        query = address_question(next(self._ids) & 0xFFFF, name)
        self._socket.send(query)
        while (answer := self._socket.recv(512))[:2] != query[:2]:
            pass
        return address.packed in answer

    def close(self) -> None:
        """Lets go of the socket."""
        self._socket.close()


def _targets(size: Size) -> list[Target]:
    """Headless Services all over the cluster."""
    numbers = range(HEADLESS, size.services, len(SHAPES))
    return [Target(number, size) for number in Random(SEED).sample(numbers, min(SERVICES_PER_NAMESPACE, len(numbers)))]


def _measure_changes(server: Following, writer: Writer, size: Size) -> Iterator[Live]:
    """Changes one by one, as in a cluster on an ordinary day; the time counts from the API server's reply."""
    client, targets = Client(server.port), _targets(size)
    before = spent(server.process.pid)
    taken = []
    began = time.monotonic()
    for number in range(QUIET_CHANGES):
        target = targets[number % len(targets)]
        target.change(writer)
        taken.append(client.wait_for(target.name, target.address))
        time.sleep(max(0.0, began + (number + 1) / QUIET_RATE - time.monotonic()))
    rate = QUIET_CHANGES / (time.monotonic() - began)
    used = spent(server.process.pid).since(before)
    client.close()
    p50, p99, most = _shares(taken)
    waited = f"waited for its core for {used.waiting * 1000 / QUIET_CHANGES:.2g} ms of each"
    yield Live("change → answer, p50", str(size), p50, "ms", P50_MS, f"{rate:.0f} changes/s")
    yield Live("change → answer, p99", str(size), p99, "ms", P99_MS, f"at most {most:.1f} ms; {waited}")
    yield Live("CPU of a change, questions included", str(size), used.running * 1000 / QUIET_CHANGES, "ms")


def _measure_storm(server: Following, writer: Writer, size: Size) -> Iterator[Live]:
    """Many changes at once, and one Service that is watched among them: it must not starve."""
    *others, watched = _targets(size)
    client = Client(server.port)
    before, began = cpu_seconds(server.process.pid), time.monotonic()
    until = began + STORM_SECONDS
    written: list[Target] = []

    def write(which: int) -> None:
        mine = others[which::STORM_WRITERS]
        for number in count():
            due = began + number * STORM_WRITERS / STORM_RATE
            if due >= until:
                return
            time.sleep(max(0.0, due - time.monotonic()))
            target = mine[number % len(mine)]
            target.change(writer)
            written.append(target)

    taken = []
    with ThreadPoolExecutor(STORM_WRITERS) as pool:
        storm = [pool.submit(write, which) for which in range(STORM_WRITERS)]
        while time.monotonic() < until:
            next_one = time.monotonic() + 1 / WATCHED_RATE
            watched.change(writer)
            taken.append(client.wait_for(watched.name, watched.address))
            time.sleep(max(0.0, next_one - time.monotonic()))
        for one in storm:
            one.result()
    rate = (len(written) + len(taken)) / (time.monotonic() - began)
    cpu = (cpu_seconds(server.process.pid) - before) / (len(written) + len(taken))
    last = client.wait_for(written[-1].name, written[-1].address)
    client.close()
    p50, p99, most = _shares(taken)
    yield Live(
        "storm: change → answer, p99", str(size), p99, "ms", STORM_P99_MS, f"{rate:.0f} changes/s, p50 {p50:.1f}, at most {most:.1f} ms"
    )
    yield Live("storm: CPU of a change", str(size), cpu * 1000, "ms")
    yield Live("storm: its last change answered after", str(size), last * 1000, "ms")


def _measure_relist(server: Following, plane: ControlPlane, writer: Writer, size: Size, ready: float) -> Iterator[Live]:
    """The API server is killed and comes back with its past forgotten: everything is listed again."""
    client, target = Client(server.port), _targets(size)[0]
    steady = memory(server.process.pid)[0]
    plane.compact()
    # From here on the peak is counted anew.
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    plane.end("kube-apiserver", SIGKILL)
    plane.start_api_server()
    writer.forget()
    target.change(writer)
    seconds = client.wait_for(target.name, target.address)
    peak = memory(server.process.pid)[1]
    client.close()
    budget, note = (ready + RELIST_SLACK, "one list + 1 s") if size == BUDGETED else (RECOVERY_SECONDS, "")
    yield Live("API server killed and back: current after its /readyz", str(size), seconds, "s", budget, note)
    yield Live("peak of a relist, of the memory before", str(size), peak / steady, "times", PEAK, f"{steady:.0f} → {peak:.0f} MB")


def _measure_silence(server: Following, plane: ControlPlane, writer: Writer, size: Size) -> Iterator[Live]:
    """The API server is told to end: it closes its port at once and keeps the streams, on which nothing comes any more."""
    client, target = Client(server.port), _targets(size)[1]
    said = len(server.log.read_bytes())
    plane.end("kube-apiserver", SIGTERM, wait=False)
    began = time.monotonic()
    while b"no connection to" not in server.log.read_bytes()[said:]:
        if time.monotonic() - began > GIVE_UP:
            raise Failed("the silence of the API server was not noticed")
        time.sleep(0.01)
    noticed = time.monotonic() - began
    plane.start_api_server()
    writer.forget()
    target.change(writer)
    back = client.wait_for(target.name, target.address)
    client.close()
    yield Live("API server terminated, streams silent: noticed after", str(size), noticed, "s", NOTICED_SECONDS)
    yield Live("and back: current after its /readyz", str(size), back, "s", None if size == BUDGETED else RECOVERY_SECONDS)


def _measure_losses(server: Following, plane: ControlPlane, writer: Writer, folder: Path, size: Size) -> Iterator[Live]:
    """The API server is killed, comes back with its past forgotten, and is told to end, all the while that a client asks and counts.

    It asks for names of Services that do not change, on the core of the API server, which takes the longer for it.
    """
    subject = Subject("clusterdns", server.process, server.port)
    asked = folder / "live.questions"
    asked.write_text("\n".join(questions(CLUSTER_IPS, size)) + "\n")
    client, target = Client(server.port), _targets(size)[2]
    with start_pinned(CLIENT_CORE, load_command(subject, CLUSTER_IPS, PACED, asked, OUTAGE_SECONDS)) as load:
        plane.compact()
        for signal in (SIGKILL, SIGTERM):
            plane.end("kube-apiserver", signal, wait=signal == SIGKILL)
            plane.start_api_server()
            writer.forget()
            target.change(writer)
            client.wait_for(target.name, target.address)
        if load.poll() is not None:
            raise Failed(f"the API server was away for longer than the {OUTAGE_SECONDS:.0f} s for which queries are counted")
        counted = load_counted(load)
    client.close()
    wrong = wrong_answers(CLUSTER_IPS, counted)
    slow = f"p99.9 {counted.latency_us['p99.9'] / 1000:.1f} ms, at most {counted.latency_us['max'] / 1000:.0f} ms"
    title = f"queries lost at {PACED.name} while it was killed, listed again, and ended"
    yield Live(title, str(size), counted.lost + wrong, "queries", 0, f"of {counted.answered:,}; {wrong} wrong; {slow}")


def _shares(taken: Sequence[float]) -> tuple[float, float, float]:
    """The median, the 99th of a hundred, and the greatest, in milliseconds."""
    ordered = sorted(taken)
    return median(ordered) * 1000, ordered[int(len(ordered) * 0.99)] * 1000, ordered[-1] * 1000
