"""DNS over TLS in a server that runs: upstreams."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import dns.message
import dns.rrset

from tests.certificates import self_signed
from tests.server.process import command, served

NAME = "dns.example.test"
FORWARD = ".:PORT {{\n    bind 127.0.0.1\n    errors\n    forward . tls://127.0.0.1%{name}:{port} {{\n        tls cert.pem\n    }}\n}}\n"


@contextmanager
def upstream(folder: Path) -> Iterator[int]:
    """A server over TLS, with the certificate of this folder, that answers 192.0.2.1; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_accept_forever, args=(listener, context), daemon=True).start()
        yield listener.getsockname()[1]


def _accept_forever(listener: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            Thread(target=_answer_forever, args=(listener.accept()[0], context), daemon=True).start()


def _answer_forever(accepted: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError), context.wrap_socket(accepted, server_side=True) as stream, stream.makefile("rwb") as file:
        while head := file.read(2):
            query = dns.message.from_wire(file.read(struct.unpack("!H", head)[0]))
            reply = dns.message.make_response(query)
            reply.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "A", "192.0.2.1"))
            wire = reply.to_wire()
            file.write(struct.pack("!H", len(wire)) + wire)
            file.flush()


def test_an_upstream_is_asked_over_tls_and_explain_tells_so(tmp_path: Path) -> None:
    self_signed(tmp_path, NAME)
    with upstream(tmp_path) as port, served(tmp_path, FORWARD.format(name=NAME, port=port)) as server:
        assert str(server.ask("a.example.org").answer[0][0]) == "192.0.2.1"
        assert str(server.ask("b.example.org", tcp=True).answer[0][0]) == "192.0.2.1"
        explained = command(tmp_path, "explain", "c.example.org", "--server", f"unix:{server.admin}").stdout
        assert f"127.0.0.1:{port} over tls" in explained


def test_a_certificate_for_another_name_is_told_in_the_log(tmp_path: Path) -> None:
    self_signed(tmp_path, NAME)
    with upstream(tmp_path) as port, served(tmp_path, FORWARD.format(name="other.example.test", port=port)) as server:
        assert server.ask("a.example.org").rcode() == 2
        why = "tls: failed to verify certificate: x509: certificate is valid for dns.example.test, not other.example.test"
        server.wait_for(f"[ERROR] plugin/errors: 2 a.example.org. A: {why}")


def test_a_file_that_is_not_there_is_told_and_the_server_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text(FORWARD.format(name=NAME, port=853).replace("PORT", "0"))
    ended = command(tmp_path, "serve", "-conf", "Corefile")
    assert ended.returncode == 1
    assert "cannot read cert.pem: no such file" in ended.stderr
