"""DNS over TLS in a server that runs: upstreams, and clients."""

from __future__ import annotations

import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import dns.message
import dns.query
import dns.rrset
import pytest

from tests.certificates import self_signed
from tests.server.process import command, served
from tests.servers import PATIENCE, Running, free_port

NAME = "dns.example.test"
FORWARD = ".:PORT {{\n    bind 127.0.0.1\n    errors\n    forward . tls://127.0.0.1%{name}:{port} {{\n        tls cert.pem\n    }}\n}}\n"

SERVE = """\
.:PORT tls://.:{tls} {{
    bind 127.0.0.1
    tls cert.pem key.pem
    log
    whoami
}}
"""


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


def ask(port: int, trusted: Path, name: str = NAME) -> dns.message.Message:
    """The answer of a server over TLS, whose certificate must be the trusted one, and for this name."""
    context = ssl.create_default_context(cafile=str(trusted))
    query = dns.message.make_query("example.org", "A")
    return dns.query.tls(query, "127.0.0.1", port=port, timeout=PATIENCE, ssl_context=context, server_hostname=name)


@contextmanager
def secured(folder: Path) -> Iterator[tuple[Running, int]]:
    """A server in the clear and over TLS, and its port for the latter."""
    self_signed(folder, NAME)
    port = free_port()
    with served(folder, SERVE.format(tls=port)) as server:
        yield server, port


def test_a_client_is_answered_over_tls_and_logged_as_coredns_does(tmp_path: Path) -> None:
    with secured(tmp_path) as (server, port):
        assert f"tls://.:{port} on 127.0.0.1" in server.lines
        assert f".:{server.port} on 127.0.0.1" in server.lines
        answer = ask(port, tmp_path / "cert.pem")
        assert [record.to_text().split()[0] for record in answer.additional] == ["example.org.", "_tcp.example.org."]
        server.wait_for('"A IN example.org. tcp 29 false 65535" NOERROR qr,aa,rd')
        assert server.ask("example.org").additional


def test_kdig_verifies_the_certificate_and_gets_its_answer(tmp_path: Path) -> None:
    if shutil.which("kdig") is None:
        pytest.skip("kdig is not installed (Debian: knot-dnsutils)")
    with secured(tmp_path) as (_, port):
        line = ["kdig", "@127.0.0.1", "-p", str(port), "+tls-ca=cert.pem", f"+tls-hostname={NAME}", "+timeout=5", "example.org", "A"]
        ended = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "status: NOERROR" in ended.stdout
    assert ";; TLS session (TLS1.3)" in ended.stdout
    assert "_tcp.example.org." in ended.stdout


@pytest.mark.slow
def test_a_renewed_certificate_is_taken_up_and_a_connection_outlives_it(tmp_path: Path) -> None:
    with secured(tmp_path) as (server, port):
        shutil.copy(tmp_path / "cert.pem", tmp_path / "old.pem")
        context = ssl.create_default_context(cafile=str(tmp_path / "old.pem"))
        with (
            socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
            context.wrap_socket(connection, server_hostname=NAME) as stream,
        ):
            query = dns.message.make_query("example.org", "A")
            assert dns.query.tls(query, "127.0.0.1", sock=stream, timeout=PATIENCE).additional
            self_signed(tmp_path, NAME)
            server.wait_for("[INFO] Reloading complete")
            assert ask(port, tmp_path / "cert.pem").additional
            assert dns.query.tls(query, "127.0.0.1", sock=stream, timeout=PATIENCE).additional
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(port, tmp_path / "old.pem")


def test_a_certificate_that_cannot_be_used_keeps_the_server_from_starting(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate\n")
    (tmp_path / "Corefile").write_text("tls://.:0 {\n    bind 127.0.0.1\n    tls cert.pem key.pem\n    whoami\n}\n")
    ended = command(tmp_path, "serve", "-conf", "Corefile")
    assert ended.returncode == 1
    assert "there is no certificate in cert.pem; PEM is expected" in ended.stderr
