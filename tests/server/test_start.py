"""Starting: what is wrong is told, all of it, and DNS comes up when it can."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from tests.server.process import WHOAMI, command, launched, served
from tests.servers import free_port

BROKEN = ".:PORT {\n    errors to-nowhere\n    nosuch\n    loadbalance sometimes\n}\nexample.org:PORT {\n    forwrad . 1.1.1.1\n}\n"


def test_all_problems_of_a_corefile_are_told_and_the_exit_code_is_1(tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text(BROKEN.replace("PORT", "1053"))
    ended = command(tmp_path, "serve", "-conf", "Corefile")
    assert ended.returncode == 1
    assert ended.stdout == ""
    told = [line.split(": ")[0] for line in ended.stderr.splitlines() if ": error: " in line]
    assert told == ["Corefile:2:12", "Corefile:3:5", "Corefile:4:17", "Corefile:7:5"]
    assert "    nosuch\n" in ended.stderr
    assert "^~~~~~\n" in ended.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "Corefile: error: there is no server block"),
        (b"\xff\xfe", "Corefile: error: cannot read Corefile: it is not UTF-8 text"),
        (b".:53 {\n" + b"whoami {\n" * 3000, "Corefile:1:6: error: this `{` is never closed"),
        (b".:53 {\n    whoami\x00 a\n}\n", "Corefile:2:5: error: "),
        (b"(a) {\n    import a\n}\n.:53 {\n    import a\n}\n", "Corefile:2:5: error: the snippet (a) imports itself"),
        (b"a.test:99999 {\n}\n", "Corefile:1:1: error: `99999` is no port"),
        (b"\xef\xbb\xbf.:53 {\r\n    bogus\r\n}\r\n", "Corefile:2:5: error: unknown directive `bogus`"),
    ],
    ids=["empty", "not text", "deep", "nul", "endless", "port", "windows"],
)
def test_whatever_is_in_the_file_the_problem_has_its_place(tmp_path: Path, text: bytes, told: str) -> None:
    (tmp_path / "Corefile").write_bytes(text)
    ended = command(tmp_path, "serve")
    assert ended.returncode == 1
    assert ended.stderr.startswith(told)
    assert "Traceback" not in ended.stderr


def test_check_says_the_same_and_opens_nothing(tmp_path: Path) -> None:
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "Corefile").write_text(BROKEN.replace("PORT", str(port)))
        serve = command(tmp_path, "serve", "-conf", "Corefile")
        check = command(tmp_path, "serve", "-conf", "Corefile", "--check")
        assert (check.returncode, check.stdout, check.stderr) == (1, "", serve.stderr)
        (tmp_path / "Corefile").write_text(WHOAMI.replace("PORT", str(port)))
        check = command(tmp_path, "serve", "--check")
        assert (check.returncode, check.stdout, check.stderr) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Corefile"]


def test_with_a_state_it_starts_from_what_ran_last_and_says_so(tmp_path: Path) -> None:
    with served(tmp_path, WHOAMI, "--state", "state") as server:
        assert server.ask("example.org.").additional
        port = server.port
    (tmp_path / "Corefile").write_text(BROKEN.replace("PORT", str(port)))
    with launched(tmp_path, "-conf", "Corefile", "--state", "state", "-admin", "none", port=port) as server:
        assert server.ask("example.org.").additional
        (loud,) = [line for line in server.lines if line.startswith("[ERROR]")]
        assert loud == f"[ERROR] Corefile cannot be used; starting with the configuration that ran last, from {tmp_path / 'state'}"
        assert len([line for line in server.lines if ": error: " in line]) == 4


def test_without_a_last_configuration_a_state_does_not_help(tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text(BROKEN.replace("PORT", "1053"))
    ended = command(tmp_path, "serve", "-conf", "Corefile", "--state", "state")
    assert ended.returncode == 1
    assert ended.stderr.count(": error: ") == 4
    assert ended.stderr.endswith(f"[ERROR] Corefile cannot be used, and {tmp_path / 'state'} has no configuration that ran before\n")


@pytest.mark.parametrize("text", ["", "{", "{}", '{"plan": {"version": 0}}'])
def test_a_damaged_state_is_no_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "Corefile").write_text("nosuch {\n")
    (tmp_path / "last-good.json").write_text(text)
    ended = command(tmp_path, "serve", "-conf", "Corefile", "--state", ".")
    assert ended.returncode == 1
    assert "has no configuration that ran before" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_state_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    with served(tmp_path, WHOAMI, "--state", "state") as server:
        server.wait_for("[WARNING] the running configuration cannot be kept in state")
        assert server.ask("example.org.").additional


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_is_taken_ends_it(tmp_path: Path, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "Corefile").write_text(WHOAMI.replace("PORT", str(port)))
        ended = command(tmp_path, "serve", "-conf", "Corefile", "-admin", "none")
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "the port is in use by another process" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_all_ports_that_are_taken_are_told(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as two:
        ports = []
        for taken in (one, two):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            ports.append(taken.getsockname()[1])
        corefile = "".join(WHOAMI.replace("PORT", str(port)) for port in ports)
        (tmp_path / "Corefile").write_text(corefile)
        ended = command(tmp_path, "serve", "-conf", "Corefile", "-admin", "none")
    assert ended.returncode == 1
    assert all(f"127.0.0.1:{port}" in ended.stderr for port in ports)


def test_a_second_server_on_the_same_port_does_not_start(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        ended = command(tmp_path, "serve", "-conf", "Corefile", "-admin", "none")
        assert ended.returncode == 1
        assert f"127.0.0.1:{server.port}" in ended.stderr
        assert server.ask("example.org.").additional


def test_an_address_that_is_not_ours_ends_it(tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text(".:1053 {\n    bind 192.0.2.77\n    whoami\n}\n")
    ended = command(tmp_path, "serve", "-conf", "Corefile", "-admin", "none")
    assert ended.returncode == 1
    assert "192.0.2.77" in ended.stderr
    assert "Traceback" not in ended.stderr


def lowest_port_for_everybody() -> int:
    return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())


@pytest.mark.skipif(os.geteuid() == 0, reason="by design: root may bind every port")
@pytest.mark.skipif(lowest_port_for_everybody() <= 53, reason="by design: here everybody may bind port 53")
def test_a_missing_permission_is_told_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text(".:53 {\n    bind 127.0.0.1\n    whoami\n}\n")
    ended = command(tmp_path, "serve", "-conf", "Corefile", "-admin", "none")
    assert ended.returncode == 1
    assert "permission denied" in ended.stderr.lower()
    assert "CAP_NET_BIND_SERVICE" in ended.stderr


def test_the_admin_socket_is_for_its_owner(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        assert stat.S_IMODE(os.stat(server.admin).st_mode) == 0o600
    assert not os.path.exists(server.admin)


def test_a_socket_that_a_dead_server_left_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "admin.sock"))
    with served(tmp_path):
        asked = command(tmp_path, "explain", "example.org", "--server", f"unix:{tmp_path / 'admin.sock'}")
        assert asked.returncode == 0


def test_without_its_admin_socket_a_server_serves_and_warns(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    with served(tmp_path / "first") as first, served(tmp_path, WHOAMI, "-admin", f"unix:{first.admin}") as second:
        second.wait_for("[WARNING] admin socket")
        (warning,) = [line for line in second.lines if line.startswith("[WARNING]")]
        assert first.admin in warning
        assert "-admin unix:PATH" in warning
        assert second.ask("example.org.").additional
        assert command(tmp_path, "explain", "a.test", "--server", f"unix:{first.admin}").returncode == 0
    assert second.process.returncode == 0


def test_a_file_in_place_of_the_admin_socket_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep me")
    with served(tmp_path, WHOAMI, "-admin", "unix:precious") as server:
        server.wait_for("[WARNING] admin socket precious")
    assert (tmp_path / "precious").read_text() == "keep me"


def test_manifests_that_are_missing_do_not_keep_it_from_starting(tmp_path: Path) -> None:
    corefile = ".:PORT {\n    bind 127.0.0.1\n    kubernetes cluster.local {\n        manifests nosuch\n    }\n}\n"
    with served(tmp_path, corefile) as server:
        server.wait_for("[WARNING] plugin/kubernetes: nosuch: cannot be read: No such file or directory")
        assert server.ask("kubernetes.default.svc.cluster.local.").answer


def test_the_configuration_that_is_kept_is_the_plan(tmp_path: Path) -> None:
    with served(tmp_path, WHOAMI, "--state", "deep/state") as server:
        kept = json.loads((tmp_path / "deep/state/last-good.json").read_bytes())
        assert [listener["port"] for listener in kept["plan"]["listeners"]] == [server.port]
    assert [path.name for path in (tmp_path / "deep/state").iterdir()] == ["last-good.json"]


def test_it_serves_both_families_unless_bound(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "Corefile").write_text(f".:{port} {{\n    whoami\n}}\n")
    with launched(tmp_path, "-admin", "none", port=port) as server:
        assert server.ask("example.org.").additional
        assert f".:{port}" in server.lines


def test_without_a_cluster_there_is_nothing_to_wait_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    (tmp_path / "Corefile").write_text(".:0 {\n    bind 127.0.0.1\n    kubernetes cluster.local\n}\n")
    ended = command(tmp_path, "serve", "-conf", "Corefile", "-admin", "none")
    assert ended.returncode == 1
    assert "plugin/kubernetes: this is no pod" in ended.stderr
    assert "manifests PATH" in ended.stderr
