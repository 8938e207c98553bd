"""Servers to ask that are host names: looked up at the start and at a reload, of the servers that the Corefile says."""

from __future__ import annotations

import signal
from pathlib import Path

import dns.message

from tests.nameserver import name_server, reply_with
from tests.server.process import launched, served, write_corefile
from tests.servers import free_port

COREFILE = """\
.:PORT {
    bind 127.0.0.1
    errors
    reload 2s 0s
    forward . dns.example:UPSTREAM {
        resolver RESOLVER
        source_address 127.0.0.3
    }
}
"""


def test_a_name_is_looked_up_anew_when_a_reload_is_asked_for_and_a_bad_answer_changes_nothing(tmp_path: Path) -> None:
    addresses: list[str] = []
    askers: list[str] = []
    port = free_port()

    def answer(query: dns.message.Message) -> list[bytes]:
        return list(reply_with(*(f"dns.example. A {address}" for address in addresses))(query))

    first, second = reply_with("a.test. A 192.0.2.1"), reply_with("a.test. A 192.0.2.2")
    with (
        name_server(answer) as resolver,
        name_server(first, "127.0.0.1", port, askers),
        name_server(second, "127.0.0.2", port, askers),
    ):
        corefile = COREFILE.replace("RESOLVER", str(resolver)).replace("UPSTREAM", str(port))
        addresses[:] = ["127.0.0.1"]
        with served(tmp_path, corefile) as server:
            assert [str(record) for record in server.ask("a.test.").answer] == ["a.test. 60 IN A 192.0.2.1"]
            addresses[:] = ["127.0.0.2"]
            server.process.send_signal(signal.SIGUSR1)
            seen = server.wait_for("[INFO] Reloading complete")
            assert [str(record) for record in server.ask("a.test.").answer] == ["a.test. 60 IN A 192.0.2.2"]
            addresses.clear()
            server.process.send_signal(signal.SIGUSR1)
            seen = server.wait_for("[ERROR] Restart failed", seen)
            why = f"Corefile:5:15: cannot resolve `dns.example`: {resolver} knows no address of it"
            assert server.lines[seen - 1] == f"[ERROR] Restart failed: {why}"
            assert server.ask("a.test.").answer
    assert set(askers) == {"127.0.0.3"}


def test_a_new_corefile_whose_name_nobody_knows_is_tried_until_somebody_does(tmp_path: Path) -> None:
    addresses: list[str] = []

    def answer(query: dns.message.Message) -> list[bytes]:
        return list(reply_with(*(f"dns.example. A {address}" for address in addresses))(query))

    with name_server(answer) as resolver:
        corefile = COREFILE.replace("RESOLVER", str(resolver)).replace("UPSTREAM", "1").replace("127.0.0.3", "127.0.0.1")
        with served(tmp_path, ".:PORT {\n    bind 127.0.0.1\n    reload 2s 0s\n    whoami\n}\n") as server:
            write_corefile(tmp_path, corefile, server.port)
            seen = server.wait_for("[ERROR] Restart failed")
            assert server.ask("a.test.").additional
            addresses[:] = ["127.0.0.1"]
            server.wait_for("[INFO] Reloading complete", seen)
            assert not server.ask("a.test.").additional
    assert len([line for line in server.lines if "Restart failed" in line]) == 1


def test_a_server_does_not_start_where_nobody_knows_the_name(tmp_path: Path) -> None:
    with name_server(reply_with()) as resolver:
        write_corefile(tmp_path, COREFILE.replace("RESOLVER", str(resolver)).replace("UPSTREAM", "1"), free_port())
        with launched(tmp_path, "-conf", "Corefile", port=0, ready="cannot resolve") as server:
            server.process.wait(20)
    assert server.process.returncode == 1
    said = "\n".join(server.lines)
    assert f"cannot resolve `dns.example`: {resolver} knows no address of it" in said
    assert "Corefile:5:15" in said
    assert "name servers in `resolver` that know it" in said
