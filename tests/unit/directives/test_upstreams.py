"""Servers that are asked over TLS: CoreDNS's own cases of what is right and wrong, names and files."""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.directives.block import WatchedFile
from clusterdns.plan import ForwardOp, TlsClient, Upstream
from clusterdns.scalars import Duration
from tests.unit.directives.blocks import compile_lines, ops, problems


def upstreams(to: str, options: str = "") -> list[Upstream]:
    """The servers of a line with these options, without problems."""
    (op,) = ops(f"forward . {to} {{\n{options}\n}}" if options else f"forward . {to}")
    assert isinstance(op, ForwardOp)
    return op.upstreams


def secured(address: str, name: str, ca: str = "", cert: str = "", key: str = "") -> Upstream:
    """A server over TLS."""
    return Upstream(address, TlsClient(name, ca, cert, key))


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("tls://127.0.0.1", [secured("127.0.0.1:853", "127.0.0.1")]),
        ("tls://127.0.0.1:8853", [secured("127.0.0.1:8853", "127.0.0.1")]),
        ("tls://[2001:db8::1]", [secured("[2001:db8::1]:853", "2001:db8::1")]),
        ("tls://2001:db8:0::1", [secured("[2001:db8::1]:853", "2001:db8::1")]),
        ("tls://9.9.9.9%dns.quad9.net", [secured("9.9.9.9:853", "dns.quad9.net")]),
        ("tls://9.9.9.9%dns.quad9.net:10853", [secured("9.9.9.9:10853", "dns.quad9.net")]),
        ("tls://9.9.9.9%Dns.Quad9.Net.", [secured("9.9.9.9:853", "Dns.Quad9.Net")]),
        ("tls://[2400:3200::1%dns.alidns.com]:853", [secured("[2400:3200::1]:853", "dns.alidns.com")]),
        ("tls://2400:3200::1%dns.alidns.com", [secured("[2400:3200::1]:853", "dns.alidns.com")]),
        ("tls://127.0.0.1 127.0.0.1:853", [secured("127.0.0.1:853", "127.0.0.1"), Upstream("127.0.0.1:853", None)]),
        ("tls://127.0.0.1 tls://127.0.0.1:853", [secured("127.0.0.1:853", "127.0.0.1")]),
        ("tls://127.0.0.1%a tls://127.0.0.1%b", [secured("127.0.0.1:853", "a"), secured("127.0.0.1:853", "b")]),
    ],
)
def test_a_server_over_tls_has_a_name_and_a_port(to: str, expected: list[Upstream]) -> None:
    assert upstreams(to) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("tls", secured("127.0.0.1:853", "127.0.0.1")),
        ("tls ca.pem", secured("127.0.0.1:853", "127.0.0.1", "ca.pem")),
        ("tls cert.pem key.pem", secured("127.0.0.1:853", "127.0.0.1", "", "cert.pem", "key.pem")),
        ("tls cert.pem key.pem /etc/ca.pem", secured("127.0.0.1:853", "127.0.0.1", "/etc/ca.pem", "cert.pem", "key.pem")),
        ("tls ./certs/../ca.pem", secured("127.0.0.1:853", "127.0.0.1", "ca.pem")),
        ("tls_servername dns.example.net", secured("127.0.0.1:853", "dns.example.net")),
        ("tls_servername 192.0.2.1", secured("127.0.0.1:853", "192.0.2.1")),
        ("tls_servername dns\ntls ca.pem", secured("127.0.0.1:853", "dns", "ca.pem")),
        ("tls cert.pem key.pem ca.pem\ntls ca.pem", secured("127.0.0.1:853", "127.0.0.1", "ca.pem")),
        ("tls cert.pem key.pem ca.pem\ntls", secured("127.0.0.1:853", "127.0.0.1")),
    ],
)
def test_tls_names_files_and_the_last_line_counts(options: str, expected: Upstream) -> None:
    assert upstreams("tls://127.0.0.1", options) == [expected]
    assert upstreams("192.0.2.1 tls://127.0.0.1", options) == [Upstream("192.0.2.1:53", None), expected]


def test_relative_paths_follow_root() -> None:
    (op,) = ops("root /certs\nforward . tls://127.0.0.1 {\ntls cert.pem /etc/key.pem ca.pem\n}", {"/certs": ""})
    assert isinstance(op, ForwardOp)
    assert op.upstreams == [secured("127.0.0.1:853", "127.0.0.1", "/certs/ca.pem", "/certs/cert.pem", "/etc/key.pem")]


def test_the_files_are_watched_and_not_read() -> None:
    look = Duration.parse("5s")
    watched = compile_lines("forward . tls://127.0.0.1 {\ntls cert.pem key.pem ca.pem\n}").watched
    assert watched == (WatchedFile("cert.pem", look), WatchedFile("key.pem", look), WatchedFile("ca.pem", look))


@pytest.mark.parametrize(
    ("line", "code", "part"),
    [
        ("forward . tls://127.0.0.1 {\ntls a b c d\n}", "argument-count", "takes at most 3 arguments, found 4"),
        ("forward . tls://127.0.0.1 {\ntls_servername\n}", "argument-count", "takes 1 argument"),
        ("forward . tls://127.0.0.1 {\ntls_servername a..b\n}", "bad-name", "`a..b` is no name of a server"),
        ("forward . tls://127.0.0.1 {\ntls_servername *.example.net\n}", "bad-name", "`*.example.net` is no name of a server"),
        ("forward . tls://127.0.0.1%-a", "bad-name", "`-a` is no name of a server"),
        ("forward . tls://127.0.0.1%", "bad-name", "`` is no name of a server"),
        ("forward . tls://127.0.0.1%dns.example {\ntls_servername dns\n}", "conflict", "both name a server | name all servers in one"),
        ("forward . tls://127.0.0.1:0", "bad-value", "port 0"),
        ("forward . tls://dns.example.net", "bad-value", "`dns.example.net` is no IP address | write tls://IP[%NAME][:PORT]"),
        ("forward . tls:///etc/resolv.conf", "bad-value", "is no IP address"),
    ],
)
def test_what_is_wrong_is_told(line: str, code: str, part: str) -> None:
    ((found, text),) = problems(line)
    assert found == code
    assert part in text


def test_options_of_tls_have_no_effect_where_nothing_is_asked_over_tls() -> None:
    for option in ("tls ca.pem", "tls_servername dns.example.net"):
        line = f"forward . 127.0.0.1 {{\n{option}\n}}"
        assert [code for code, _ in problems(line, Severity.WARNING)] == ["no-effect"]
        assert compile_lines(line).watched == ()
