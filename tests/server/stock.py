"""A stock Corefile on a machine made for it: it has the addresses and the ports that the Corefile names, so no word of it is changed.

Run as `unshare --user --map-root-user --net --mount python -m tests.server.stock NAME DIRECTORY`; prints what went wrong, line by line.
This process is the outside: upstreams and API server. The server, and the thread that asks it, are on a machine behind a link.
"""

from __future__ import annotations

import asyncio
import ctypes
import http.client
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

from clusterdns.plan import Block, Plan
from clusterdns.plan.ops import ForwardOp, RewriteOp, ZoneOp
from clusterdns.scalars import Endpoint
from tests.behaviour.scenario import Rule, UpstreamSpec
from tests.behaviour.upstream import Upstream
from tests.certificates import self_signed
from tests.corefiles.collection import PLACE, RESOLV_CONF, checked, fragments, text_of
from tests.faults.apiserver import ApiServer

API = "10.96.0.1"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CLONE_NEWNET = 0x40000000
PATIENCE = 20.0
ANSWERS = (Rule(type="A", answer=("@ 300 IN A 198.51.100.80",)), Rule(type="PTR", answer=("@ 300 IN PTR host.example.org.",)))
SERVICE = "kubernetes.default.svc.cluster.local."


def main(name: str, directory: Path) -> list[str]:
    """What went wrong with a Corefile."""
    plan = checked(name, with_fragments=True)[1].plan
    assert plan is not None
    upstreams = {
        upstream.address for block in plan.blocks for op in block.program if isinstance(op, ForwardOp) for upstream in op.upstreams
    }
    prepare_files(name, directory)
    with machine(directory) as process, api_server(directory):
        connect(process.pid, own_addresses(plan), {Endpoint.parse(address, 53).host for address in upstreams} | {API})
        return asyncio.run(play(plan, upstreams, process, directory))


def prepare_files(name: str, directory: Path) -> None:
    """The files that a pod has. Only the folder of the Corefile is another one: /etc is not ours."""
    (directory / "custom").mkdir()
    for fragment, text in fragments().items():
        (directory / "custom" / fragment).write_text(text)
    for file in ("NodeHosts", "hosts"):
        (directory / file).write_text("192.0.2.99 node.k8s.local\n")
    text = text_of(name).replace(f"{PLACE}/", f"{directory}/").replace("/rootfs/etc/hosts", f"{directory}/hosts")
    (directory / "Corefile").write_text(text)
    (directory / "resolv.conf").write_text(RESOLV_CONF)
    run("mount", "--bind", str(directory / "resolv.conf"), os.path.realpath("/etc/resolv.conf"))
    run("mount", "-t", "tmpfs", "tmpfs", os.path.realpath("/var/run"))
    SERVICE_ACCOUNT.mkdir(parents=True)
    self_signed(directory, "kubernetes", address=API)
    (SERVICE_ACCOUNT / "ca.crt").write_bytes((directory / "cert.pem").read_bytes())
    (SERVICE_ACCOUNT / "token").write_text("token")


@contextmanager
def machine(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """A machine without a network yet; the server starts on it when it is told a line."""
    program = Path(sys.executable).with_name("coredns")
    command = f"read ready && exec {program} -conf {directory}/Corefile -admin unix:{directory}/admin.sock"
    environment = os.environ | {"KUBERNETES_SERVICE_HOST": API, "KUBERNETES_SERVICE_PORT": "443"}
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", command], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True, env=environment
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@contextmanager
def api_server(directory: Path) -> Iterator[None]:
    """An API server with the objects that every cluster has."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", f"{API}/32", "dev", "lo")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    with ApiServer((API, 443), context) as server:
        server.put("namespaces", {"metadata": {"name": "default"}})
        port = {"name": "https", "port": 443, "protocol": "TCP"}
        spec = {"type": "ClusterIP", "clusterIP": API, "clusterIPs": [API], "ports": [port]}
        server.put("services", {"metadata": {"name": "kubernetes", "namespace": "default"}, "spec": spec})
        yield


def connect(pid: int, inside: set[str], outside: set[str]) -> None:
    """A link between the machine and the outside, and the addresses of both."""
    until = time.monotonic() + PATIENCE
    while os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net") and time.monotonic() < until:
        time.sleep(0.01)
    on_machine = ("nsenter", "--target", str(pid), "--net")
    run("ip", "link", "add", "out", "type", "veth", "peer", "name", "in", "netns", str(pid))
    for prefix, device, address, addresses in (
        ((), "out", "172.31.255.1/30", outside - {API}),
        (on_machine, "in", "172.31.255.2/30", inside),
    ):
        run(*prefix, "ip", "link", "set", "lo", "up")
        run(*prefix, "ip", "address", "add", address, "dev", device)
        run(*prefix, "ip", "link", "set", device, "up")
        run(*prefix, "ip", "route", "add", "default", "dev", device)
        for own in sorted(addresses):
            run(*prefix, "ip", "address", "add", f"{own}/32", "dev", "lo")


def own_addresses(plan: Plan) -> set[str]:
    """The addresses that the machine has to have."""
    hosts = {listener.host for listener in plan.listeners} | {Endpoint.parse(listener.address, 0).host for listener in plan.http}
    return {host for host in hosts if host not in ("", "0.0.0.0", "127.0.0.1")}


async def play(plan: Plan, upstreams: set[str], process: subprocess.Popen[str], directory: Path) -> list[str]:
    """Starts everything, and has it asked."""
    servers = []
    for address in sorted(upstreams):
        to = Endpoint.parse(address, 53)
        servers.append(Upstream(UpstreamSpec(rules=ANSWERS), to.port, directory, to.host))
        await servers[-1].up()
    assert process.stdin is not None
    process.stdin.write("ready\n")
    process.stdin.flush()
    wrong = await asyncio.to_thread(ask_everything, plan, process.pid)
    for server in servers:
        await server.close()
    return [*wrong, *(directory / "log").read_text().splitlines()] if wrong else []


def ask_everything(plan: Plan, pid: int) -> list[str]:
    """Asks on the machine, from a thread that is there."""
    with open(f"/proc/{pid}/ns/net") as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
            return [f"cannot enter the machine: {os.strerror(ctypes.get_errno())}"]
    listeners = {listener.id: listener for listener in plan.listeners}
    wrong = []
    for listener in plan.http:
        path = {"health": "/health", "ready": "/ready", "metrics": "/metrics"}[listener.serves]
        if (status := status_of(Endpoint.parse(listener.address, 0), path)) != 200:
            wrong.append(f"{listener.address}{path}: {status}")
    for block in plan.blocks:
        for identity in block.listeners:
            to = listeners[identity]
            for name, rtype in questions(block):
                rcode, count = answer(to.host or "127.0.0.1", to.port, name, rtype)
                if rcode != "NOERROR" or not count:
                    wrong.append(f"{identity}: {name} {rtype}: {rcode} with {count} records")
    return wrong


def questions(block: Block) -> Iterator[tuple[str, str]]:
    """A name of each kind that a block has an answer for."""
    # Who renames what is asked below a zone of the world means the cluster's names.
    first = "kubernetes" if any(isinstance(op, RewriteOp) for op in block.program) else "www"
    for op in block.program:
        if isinstance(op, ZoneOp) and block.zone in (".", "cluster.local."):
            yield SERVICE, "A"
        if isinstance(op, ForwardOp) and block.zone.endswith("arpa."):
            yield f"4.3.2.10.{block.zone}" if block.zone.count(".") < 5 else f"4.3.{block.zone}", "PTR"
        elif isinstance(op, ForwardOp):
            yield ("www.example.org." if block.zone == "." else f"{first}.{block.zone}"), "A"


def answer(host: str, port: int, name: str, rtype: str) -> tuple[str, int]:
    """The response code, and the number of records; asked until it is no SERVFAIL, for the start takes its time."""
    until = time.monotonic() + PATIENCE
    rcode, count = "no answer", 0
    while time.monotonic() < until and rcode in ("no answer", "SERVFAIL"):
        try:
            reply = dns.query.udp(dns.message.make_query(name, rtype), host, port=port, timeout=2)
            rcode, count = dns.rcode.to_text(reply.rcode()), len(reply.answer)
        except (OSError, dns.exception.Timeout):
            time.sleep(0.05)
    return rcode, count


def status_of(to: Endpoint, path: str) -> int | str:
    """The status of a page; asked until it is 200, for the start takes its time."""
    until = time.monotonic() + PATIENCE
    status: int | str = "nothing"
    while status != 200 and time.monotonic() < until:
        connection = http.client.HTTPConnection(to.host if to.host not in ("", "0.0.0.0") else "127.0.0.1", to.port, timeout=2)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as why:
            status = type(why).__name__
        finally:
            connection.close()
        time.sleep(0.05)
    return status


def run(*command: str) -> None:
    """Runs a command that has to work."""
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    print("\n".join(main(sys.argv[1], Path(sys.argv[2]))))
