"""`/metrics` over HTTPS, as a scraper asks for it: certificates, those of clients, and new ones."""

from __future__ import annotations

import shutil
import socket
import ssl
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests.certificates import self_signed
from tests.server.process import command, served, write_corefile
from tests.server.test_health import get, with_ports
from tests.servers import PATIENCE, free_port

NAME = "metrics.example.test"
COREFILE = """\
.:PORT {
    bind 127.0.0.1
    prometheus 127.0.0.1:METRICS {
        TLS
    }
    whoami
    reload 2s 0s
}
"""


def corefile(tls: str, metrics: int) -> str:
    """A server whose metrics are secured so."""
    return with_ports(COREFILE.replace("TLS", tls), METRICS=metrics)


def secured(port: int, trusted: Path, client: Path | None = None) -> tuple[int, str]:
    """Status and body of the metrics; the certificate must be the trusted one. `client`: the stem of our own."""
    context = ssl.create_default_context(cafile=str(trusted))
    context.check_hostname = True
    if client:
        context.load_cert_chain(f"{client}cert.pem", f"{client}key.pem")
    connection = HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=context)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_metrics_are_told_over_https_and_in_no_other_way(tmp_path: Path) -> None:
    self_signed(tmp_path, NAME)
    self_signed(tmp_path, NAME, "other")
    (tmp_path / "web.yml").write_text("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
    port = free_port()
    with served(tmp_path, corefile("tls web.yml", port)) as server:
        assert server.ask("example.org").additional
        status, text = secured(port, tmp_path / "cert.pem")
        assert status == 200
        assert "coredns_dns_requests_total{" in text
        with pytest.raises(ssl.SSLCertVerificationError):
            secured(port, tmp_path / "othercert.pem")
        assert get(port, "/metrics") == (400, "this port is for HTTPS\n")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as stream:
            stream.sendall(b"\x16\x03\x01nonsense that is no handshake")
            stream.shutdown(socket.SHUT_WR)
            assert b"coredns" not in stream.makefile("rb").read()
        assert secured(port, tmp_path / "cert.pem")[0] == 200


def test_a_client_has_to_show_its_certificate(tmp_path: Path) -> None:
    for stem in ("", "client", "stranger"):
        self_signed(tmp_path, NAME, stem)
    port = free_port()
    with served(tmp_path, corefile("tls cert.pem key.pem clientcert.pem", port)):
        assert secured(port, tmp_path / "cert.pem", tmp_path / "client")[0] == 200
        for client in (None, tmp_path / "stranger"):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                secured(port, tmp_path / "cert.pem", client)


@pytest.mark.slow
def test_a_renewed_certificate_is_taken_up(tmp_path: Path) -> None:
    self_signed(tmp_path, NAME)
    port = free_port()
    with served(tmp_path, corefile("tls cert.pem key.pem", port)) as server:
        assert secured(port, tmp_path / "cert.pem")[0] == 200
        shutil.copy(tmp_path / "cert.pem", tmp_path / "old.pem")
        self_signed(tmp_path, NAME)
        server.wait_for("[INFO] Reloading complete")
        assert secured(port, tmp_path / "cert.pem")[0] == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            secured(port, tmp_path / "old.pem")


@pytest.mark.slow
def test_an_open_address_is_secured_by_a_reload_and_cleared_by_another(tmp_path: Path) -> None:
    self_signed(tmp_path, NAME)
    port = free_port()
    with served(tmp_path, corefile("", port)) as server:
        assert get(port, "/metrics")[0] == 200
        write_corefile(tmp_path, corefile("tls cert.pem key.pem", port), server.port)
        server.wait_for("[INFO] Reloading complete")
        assert secured(port, tmp_path / "cert.pem")[0] == 200
        assert get(port, "/metrics")[0] == 400


def test_a_certificate_that_cannot_be_used_keeps_the_server_from_starting(tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text(corefile("tls cert.pem key.pem", 0).replace("PORT", "0"))
    ended = command(tmp_path, "serve", "-conf", "Corefile")
    assert ended.returncode == 1
    assert "cannot read cert.pem: no such file" in ended.stderr
