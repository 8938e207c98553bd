"""The server's life in this process: what goes wrong inside is no reason to stop answering."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread, get_ident

import dns.message
import dns.query
import pytest

from clusterdns.control.server import ServeOptions, Server, StartError
from clusterdns.scalars import Endpoint
from clusterdns.sources import Sources, UnresolvedError, sources_of_texts
from tests.certificates import self_signed
from tests.servers import free_port

WHOAMI = ".:PORT {\n    bind 127.0.0.1\n    whoami\n}\n"
REFUSED_AND_THEN_TAKEN_UP = [
    "[INFO] Reloading",
    "[ERROR] Restart failed",
    "[ERROR] plugin/reload",
    "[INFO] Reloading",
    "[INFO] Reloading complete",
    "[INFO] SIGTERM",
]
"""How the lines of a server begin whose new configuration could be had at the second try, and that was then told to end."""


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A server takes the signals of its process; they are given back."""
    wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in wanted}
    yield
    signal.set_wakeup_fd(-1)
    for number, action in before.items():
        signal.signal(number, action)


class Corefile:
    """The one file that there is, whose reading can be made to fail."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fault: Exception | None = None

    def read(self, path: str) -> str:
        """Its text, or the fault."""
        if self.fault is not None:
            raise self.fault
        if path != "Corefile":
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.text


def steered(server: Server, *told: signal.Signals) -> int:
    """What becomes of a server that gets these signals, all at once, and then SIGTERM."""
    for number in (*told, signal.SIGTERM):
        os.kill(os.getpid(), number)
    return server.steer_until_told()


def is_answered(port: int) -> bool:
    return bool(dns.query.udp(dns.message.make_query("a.test", "A"), "127.0.0.1", port=port, timeout=5).additional)


def test_a_fault_of_ours_while_reloading_is_logged_and_the_server_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    corefile = Corefile(WHOAMI.replace("PORT", str(port)))
    server = Server(ServeOptions("Corefile", quiet=True), Sources(read=corefile.read))
    server.start()
    corefile.fault = RuntimeError("a bug\nof ours")
    assert is_answered(port)
    assert steered(server, signal.SIGUSR1) == 0
    assert "[ERROR] the running configuration stays: RuntimeError: a bug; of ours\n" in capfd.readouterr().out


def test_a_fault_of_ours_while_installing_is_told_as_a_failed_reload(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    corefile = Corefile(WHOAMI.replace("PORT", str(free_port())))
    server = Server(ServeOptions("Corefile", quiet=True), Sources(read=corefile.read))
    server.start()

    def fail(plan: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("clusterdns.control.server.Engine.prepare", lambda engine, plan: fail(plan))
    assert steered(server, signal.SIGUSR1) == 0
    assert "[ERROR] SIGUSR1: starting with listener file descriptors: ZeroDivisionError: a bug\n" in capfd.readouterr().out


def test_signals_are_taken_in_turn(capfd: pytest.CaptureFixture[str]) -> None:
    corefile = Corefile(WHOAMI.replace("PORT", str(free_port())))
    server = Server(ServeOptions("Corefile", quiet=True), Sources(read=corefile.read))
    server.start()
    assert steered(server, signal.SIGUSR1, signal.SIGHUP) == 0
    assert capfd.readouterr().out.splitlines() == [
        "[INFO] SIGUSR1: Reloading",
        "[INFO] Reloading",
        "[INFO] Reloading complete",
        "[INFO] SIGTERM: Shutting down servers then terminating",
    ]


def test_a_signal_that_another_thread_receives_ends_the_wait() -> None:
    """The kernel may give it to any thread, and Python's own handlers do not wake the one that waits."""
    corefile = Corefile(WHOAMI.replace("PORT", str(free_port())))
    server = Server(ServeOptions("Corefile", quiet=True), Sources(read=corefile.read))
    server.start()
    Thread(target=lambda: signal.pthread_kill(get_ident(), signal.SIGTERM)).start()
    assert server.steer_until_told() == 0


def test_A2_a_zone_that_is_kept_takes_the_addresses_of_a_new_bind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`bind` is no part of what a zone is, so its data stays; who serves it is another one."""
    monkeypatch.setattr("clusterdns.control.server.interfaces", lambda: {"lo": ["127.0.0.1"], "eth0": ["10.9.8.7"]})
    (tmp_path / "objects.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n")
    port = free_port()
    text = f"cluster.local:{port} {{\n    bind 127.0.0.1\n    kubernetes {{\n        manifests {tmp_path}\n    }}\n}}\n"
    other = f".:{free_port()} {{\n    whoami\n}}\n"
    corefile = Corefile(text + other)
    server = Server(ServeOptions("Corefile", quiet=True), Sources(read=corefile.read))
    server.start()
    assert name_servers(port) == []
    corefile.text = text.replace("    bind 127.0.0.1\n", "") + other
    server.reload_if_changed()
    assert name_servers(port) == ["ns.dns.cluster.local. 5 IN A 10.9.8.7"]
    corefile.text = text + other
    server.reload_if_changed()
    assert name_servers(port) == []
    assert steered(server) == 0


def name_servers(port: int) -> list[str]:
    """The addresses that the zone's name servers have."""
    reply = dns.query.udp(dns.message.make_query("cluster.local", "NS"), "127.0.0.1", port=port, timeout=5)
    return [str(rrset) for rrset in reply.additional]


def test_a_corefile_with_errors_does_not_start(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StartError):
        Server(ServeOptions("Corefile"), sources_of_texts({"Corefile": "nosuch {\n"})).start()
    assert "error: this `{` is never closed" in capfd.readouterr().err


def test_what_is_refused_at_the_start_is_not_tried_again_until_it_changes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A server that runs from its last good configuration has told what is wrong with the Corefile already."""
    good = WHOAMI.replace("PORT", str(free_port())).replace("whoami", "reload 2s 0s\n    whoami")
    options = ServeOptions("Corefile", state=str(tmp_path), quiet=True)
    first = Server(options, sources_of_texts({"Corefile": good}))
    first.start()
    assert steered(first) == 0
    corefile = Corefile(good.replace("whoami", "nosuch"))
    second = Server(options, Sources(read=corefile.read))
    second.start()
    capfd.readouterr()
    second.reload_if_changed()
    corefile.text = good
    second.reload_if_changed()
    corefile.text = good.replace("whoami", "nosuch")
    second.reload_if_changed()
    second.reload_if_changed()
    assert steered(second) == 0
    assert [line.partition(":")[0] for line in capfd.readouterr().out.splitlines()] == [
        "[INFO] Reloading",
        "[ERROR] Restart failed",
        "[ERROR] plugin/reload",
        "[INFO] SIGTERM",
    ]


class Names:
    """What is known of the one host name; nothing: it cannot be looked up. Counts who wants to know."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0

    def resolve(self, name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
        """Its addresses."""
        self.asked += 1
        if not self.addresses:
            raise UnresolvedError("no name server of the system answers")
        return self.addresses


def test_names_are_looked_up_for_something_new_and_not_while_nothing_has_changed(capfd: pytest.CaptureFixture[str]) -> None:
    corefile = Corefile(WHOAMI.replace("PORT", str(free_port())).replace("whoami", "forward . dns.example"))
    names = Names("127.0.0.1", "127.0.0.2")
    server = Server(ServeOptions("Corefile", quiet=True), Sources(read=corefile.read, resolve=names.resolve))
    server.start()
    names.addresses.reverse()
    for text in (corefile.text, f"# a remark\n{corefile.text}"):
        corefile.text = text
        server.reload_if_changed()
    assert names.asked == 1
    corefile.text = corefile.text.replace("bind", "errors\n    bind")
    server.reload_if_changed()
    assert names.asked == 2
    assert steered(server, signal.SIGUSR1) == 0
    assert names.asked == 3
    assert capfd.readouterr().out.count("Reloading complete") == 2


def test_a_name_that_cannot_be_looked_up_keeps_what_runs_is_told_once_and_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    """Difference D61."""
    corefile = Corefile(WHOAMI.replace("PORT", str(free_port())))
    names = Names()
    server = Server(ServeOptions("Corefile", quiet=True), Sources(read=corefile.read, resolve=names.resolve))
    server.start()
    corefile.text = corefile.text.replace("whoami", "forward . dns.example")
    server.reload_if_changed()
    server.reload_if_changed()
    assert names.asked == 2
    names.addresses = ["127.0.0.1"]
    server.reload_if_changed()
    server.reload_if_changed()
    assert names.asked == 3
    assert steered(server) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == REFUSED_AND_THEN_TAKEN_UP
    assert lines[1].endswith("Corefile:3:15: cannot resolve `dns.example`: no name server of the system answers")


@pytest.mark.parametrize(
    ("addresses", "said"),
    [(["127.0.0.2", "127.0.0.1"], []), (["127.0.0.3"], ["[INFO] Reloading", "[INFO] Reloading complete"])],
)
def test_a_server_that_runs_from_what_was_kept_takes_up_addresses_that_have_changed(
    addresses: list[str], said: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    corefile = Corefile(WHOAMI.replace("PORT", str(free_port())).replace("whoami", "forward . dns.example"))
    names = Names("127.0.0.1", "127.0.0.2")
    options, sources = ServeOptions("Corefile", state=str(tmp_path), quiet=True), Sources(read=corefile.read, resolve=names.resolve)
    first = Server(options, sources)
    first.start()
    assert steered(first) == 0
    names.addresses = []
    second = Server(options, sources)
    second.start()
    capfd.readouterr()
    second.reload_if_changed()
    names.addresses = addresses
    second.reload_if_changed()
    second.reload_if_changed()
    assert steered(second) == 0
    assert capfd.readouterr().out.splitlines()[:-1] == said


def test_a_key_that_follows_its_certificate_late_is_waited_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Files of a plan that do not fit together are refused, told once, and tried again when one of them changes."""
    self_signed(tmp_path, "us.example.test")
    self_signed(tmp_path, "us.example.test", stem="new")
    line = f"forward . tls://127.0.0.1 {{\n tls {tmp_path}/cert.pem {tmp_path}/key.pem {tmp_path}/cert.pem\n}}"
    corefile = f".:{free_port()} {{\n bind 127.0.0.1\n {line}\n}}\n"
    server = Server(
        ServeOptions("Corefile", quiet=True), Sources(read=lambda path: corefile if path == "Corefile" else Path(path).read_text())
    )
    server.start()
    server.reload_if_changed()
    (tmp_path / "newcert.pem").rename(tmp_path / "cert.pem")
    server.reload_if_changed()
    server.reload_if_changed()
    (tmp_path / "newkey.pem").rename(tmp_path / "key.pem")
    server.reload_if_changed()
    server.reload_if_changed()
    assert steered(server) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == REFUSED_AND_THEN_TAKEN_UP
    assert f"the private key in {tmp_path}/key.pem does not belong to the certificate in {tmp_path}/cert.pem" in lines[1]
