"""`/health` and `/ready` of a real server: through reloads, while Python is stuck, and until the end."""

from __future__ import annotations

import os
import signal
import socket
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.server.process import launched, served, write_corefile
from tests.servers import PATIENCE, free_port

BLOCK = ".:PORT {\n    bind 127.0.0.1\n    health 127.0.0.1:HEALTH\n    ready 127.0.0.1:READY\n    whoami\n}\n"
LOADING = """\
.:PORT {
    bind 127.0.0.1
    ready 127.0.0.1:READY
    kubernetes cluster.local {
        endpoint http://127.0.0.1:NOBODY
        startup_timeout 1s
    }
}
"""


def with_ports(corefile: str, **ports: int) -> str:
    """The Corefile with these numbers."""
    for name, port in ports.items():
        corefile = corefile.replace(name, str(port))
    return corefile


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_a_server_lives_and_is_ready(tmp_path: Path) -> None:
    health, ready = free_port(), free_port()
    with served(tmp_path, with_ports(BLOCK, HEALTH=health, READY=ready)):
        assert get(health, "/health") == (200, "OK")
        assert get(ready, "/ready") == (200, "OK")
        assert get(ready, "/ready?verbose") == (200, "ready\n")
        assert get(ready, "/health") == (404, "404 page not found\n")


def test_before_the_first_list_it_is_not_ready_and_says_why(tmp_path: Path) -> None:
    ready = free_port()
    with served(tmp_path, with_ports(LOADING, READY=ready, NOBODY=free_port())) as server:
        assert get(ready, "/ready") == (503, "kubernetes")
        server.wait_for('[INFO] plugin/ready: Plugins not ready: "kubernetes"')
        assert get(ready, "/ready?verbose") == (503, "[-] kubernetes cluster.local.: loading, 0 names so far\nnot ready\n")


def test_it_is_answered_while_python_is_stuck(tmp_path: Path) -> None:
    health, ready = free_port(), free_port()
    with served(tmp_path, with_ports(BLOCK, HEALTH=health, READY=ready)) as server:
        # Whoever opens a pipe that nobody writes to waits for ever.
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "pipe").rename(tmp_path / "Corefile")
        server.process.send_signal(signal.SIGUSR1)
        server.wait_for("SIGUSR1: Reloading")
        assert get(health, "/health") == (200, "OK")
        assert get(ready, "/ready") == (200, "OK")
        assert server.ask("a.test.").additional
        server.process.kill()


def test_a_reload_keeps_the_address_and_follows_a_new_one(tmp_path: Path) -> None:
    health, ready, other = free_port(), free_port(), free_port()
    corefile = with_ports(BLOCK, HEALTH=health, READY=ready)
    with served(tmp_path, corefile) as server:
        for text, address in [
            (f"{corefile}a.test:PORT {{\n    whoami\n    bind 127.0.0.1\n}}\n", health),
            (with_ports(BLOCK, HEALTH=other, READY=ready), other),
        ]:
            write_corefile(tmp_path, text, server.port)
            seen = len(server.lines)
            server.process.send_signal(signal.SIGUSR1)
            server.wait_for("Reloading complete", seen)
            assert get(address, "/health") == (200, "OK")
        with pytest.raises(ConnectionRefusedError):
            get(health, "/health")


def test_a_taken_address_ends_the_start_for_health_and_not_for_ready(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        write_corefile(tmp_path, with_ports(BLOCK, HEALTH=port, READY=free_port()), free_port())
        with launched(tmp_path, "-conf", "Corefile", "-admin", "none", port=0, ready="") as server:
            assert server.process.wait(PATIENCE) == 1
            server.wait_for(f"cannot listen on 127.0.0.1:{port} (tcp): the port is in use by another process")
        health = free_port()
        with served(tmp_path, with_ports(BLOCK, HEALTH=health, READY=port)) as server:
            assert get(health, "/health") == (200, "OK")
            server.wait_for(f"[WARNING] plugin/ready: cannot listen on 127.0.0.1:{port}")


def test_as_a_lame_duck_it_answers_but_is_not_ready(tmp_path: Path) -> None:
    health, ready = free_port(), free_port()
    corefile = with_ports(BLOCK, HEALTH=health, READY=ready).replace(
        f"health 127.0.0.1:{health}", f"health 127.0.0.1:{health} {{\n        lameduck 1s\n    }}"
    )
    with served(tmp_path, corefile) as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("[INFO] plugin/health: Going into lameduck mode for 1s")
        assert get(health, "/health") == (200, "OK")
        assert server.ask("a.test.").additional
        with pytest.raises(ConnectionRefusedError):
            get(ready, "/ready")
        assert server.process.wait(PATIENCE) == 0
    said = [line for line in server.lines if "[INFO]" in line]
    assert said == ["[INFO] SIGTERM: Shutting down servers then terminating", "[INFO] plugin/health: Going into lameduck mode for 1s"]


@pytest.mark.parametrize(("told", "code"), [(signal.SIGQUIT, 0), (signal.SIGINT, 2)])
def test_a_lame_duck_can_be_ended_at_once(tmp_path: Path, told: signal.Signals, code: int) -> None:
    corefile = with_ports(BLOCK, HEALTH=free_port(), READY=free_port()).replace("\n    ready", " {\n        lameduck 1h\n    }\n    ready")
    with served(tmp_path, corefile) as server:
        server.process.send_signal(signal.SIGINT)
        server.wait_for("Going into lameduck mode")
        server.process.send_signal(told)
        assert server.process.wait(PATIENCE) == code
