"""`acl` on sockets: what is dropped gets nothing, and stands in nobody's way."""

from __future__ import annotations

import socket
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from tests.server.process import command, served
from tests.servers import Running
from tests.stories import steps_of

COREFILE = """\
.:PORT {
    bind 127.0.0.1
    log
    acl {
        drop type TXT
        block type MX
    }
    whoami
}
"""


@pytest.fixture
def server(tmp_path: Path) -> object:
    with served(tmp_path, COREFILE) as server:
        yield server


@pytest.mark.parametrize("tcp", [False, True])
def test_what_is_dropped_gets_nothing_and_is_logged(server: Running, tcp: bool) -> None:
    send = dns.query.tcp if tcp else dns.query.udp
    with pytest.raises(dns.exception.Timeout):
        send(dns.message.make_query("a.test", "TXT"), "127.0.0.1", port=server.port, timeout=0.3)
    line = server.lines[server.wait_for("TXT IN a.test.") - 1]
    assert '" - - 0 ' in line
    assert server.ask("a.test", "MX", tcp=tcp).rcode() == dns.rcode.REFUSED


def test_a_connection_goes_on_behind_what_is_dropped(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        for rtype in ("TXT", "A"):
            dns.query.send_tcp(connection, dns.message.make_query("a.test", rtype))
        reply, _ = dns.query.receive_tcp(connection)
    assert reply.question[0].rdtype == dns.rdatatype.A


def test_explain_tells_which_rule_has_decided(server: Running) -> None:
    ended = command(server.directory, "explain", "a.test", "TXT", "--server", f"unix:{server.admin}")
    assert ended.stdout.startswith("a.test. TXT: no reply, ")
    assert steps_of(ended.stdout)[-2:] == ["acl Corefile:5:9 drop type TXT", "dropped a question from 127.0.0.1"]
