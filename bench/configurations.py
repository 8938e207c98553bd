"""The configuration of each subject for each setup, as the people who run it would write it; log is off, as it is by default."""

from __future__ import annotations

from pathlib import Path

from bench.cluster import SHAPES, Size, cluster_ip, pod_ip, service_name
from bench.rows import CACHED_NAMES
from tools.port import HOST


def corefile_of_cluster(port: int, manifests: Path) -> str:
    """A stock Corefile with `kubernetes`; its objects come from a file."""
    cluster = ["kubernetes cluster.local in-addr.arpa ip6.arpa {", f"    manifests {manifests}", "}"]
    return _block(port, ["errors", f"prometheus {HOST}:0", "cache 30", *cluster, "reload", "loadbalance"])


def corefile_of_cache(port: int, upstream: int, *, tcp: bool, metrics: int = 0) -> str:
    """What a node cache has for all names; CoreDNS and node-cache read it too."""
    forward = f"forward . {HOST}:{upstream}" + (" {\n        force_tcp\n    }" if tcp else "")
    cache = f"cache {{\n        success {2 * CACHED_NAMES} 3600\n    }}"
    return _block(port, [f"bind {HOST}", "errors", f"prometheus {HOST}:{metrics}", cache, forward, "reload 2s 1s"])


def _block(port: int, lines: list[str]) -> str:
    return "\n".join([f".:{port} {{", *(f"    {line}" for line in lines), "}", ""])


def unbound_of_cluster(port: int, size: Size, folder: Path) -> str:
    """A static zone with the addresses of all Services, in changing order as ours."""
    lines = ["rrset-roundrobin: yes", 'local-zone: "cluster.local." static']
    pods = 0
    for number in range(size.services):
        shape = SHAPES[number % len(SHAPES)]
        space, name = service_name(number)
        count = size.endpoints // size.services * shape.share
        addresses = [pod_ip(pods + index) for index in range(count)] if shape.headless else [cluster_ip(number)]
        lines += [f'local-data: "{name}.{space}.svc.cluster.local. 5 IN A {address}"' for address in addresses]
        pods += count
    return _unbound(port, folder, lines)


def unbound_of_cache(port: int, upstream: int, folder: Path, *, tcp: bool) -> str:
    """A cache in front of one upstream; nothing is validated, as with the others."""
    lines = ["do-not-query-localhost: no", "msg-cache-size: 16m", "rrset-cache-size: 32m"]
    zone = ["forward-zone:", 'name: "."', f"forward-addr: {HOST}@{upstream}", f"forward-tcp-upstream: {'yes' if tcp else 'no'}"]
    return _unbound(port, folder, lines, zone)


def _unbound(port: int, folder: Path, lines: list[str], more: list[str] | None = None) -> str:
    """One thread, loopback, no recursion."""
    server = [
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
    ]
    return "\n".join([*server, *lines, *(more or []), "remote-control:", "control-enable: no", ""])


def dnsmasq_of_cache(port: int, upstream: int) -> list[str]:
    """The same as arguments; it asks over UDP."""
    own = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--pid-file="]
    asked = ["--dns-forward-max=10000", f"--cache-size={CACHED_NAMES}", f"--server={HOST}#{upstream}"]
    return [*own, f"--listen-address={HOST}", f"--port={port}", *asked]
