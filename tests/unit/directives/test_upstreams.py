"""Servers over TLS, by host names, and from which address: CoreDNS's own cases of what is right and wrong, names and files."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.directives.block import ResolvedHost, WatchedFile
from clusterdns.plan.ops import ForwardOp, TlsClient, Upstream
from clusterdns.scalars import Duration, Endpoint
from clusterdns.sources import UnresolvedError, sources_of_texts
from tests.unit.directives.blocks import compile_lines, ops, problems


def upstreams(to: str, options: str = "") -> list[Upstream]:
    """The servers of a line with these options, without problems."""
    (op,) = ops(f"forward . {to} {{\n{options}\n}}" if options else f"forward . {to}")
    assert isinstance(op, ForwardOp)
    return op.upstreams


def secured(address: str, name: str, ca: str = "", cert: str = "", key: str = "") -> Upstream:
    """A server over TLS."""
    return Upstream(address, TlsClient(name, ca, cert, key), None)


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
        ("tls://127.0.0.1 127.0.0.1:853", [secured("127.0.0.1:853", "127.0.0.1"), Upstream("127.0.0.1:853", None, None)]),
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
    assert upstreams("192.0.2.1 tls://127.0.0.1", options) == [Upstream("192.0.2.1:53", None, None), expected]


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
        ("forward . tls:///etc/resolv.conf", "bad-value", "`/etc/resolv.conf` is neither an IP address nor a host name"),
        ("forward . tls://dns.example:x", "bad-value", "`x` is no port"),
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


HOSTS = {
    "dns.example": ["2001:db8::2", "192.0.2.20", "2001:db8::1", "192.0.2.3"],
    "v4.example": ["192.0.2.3", "192.0.2.1"],
    "v6.example.": ["2001:db8::1"],
    "odd.example": ["fe80::1%eth0", "::ffff:192.0.2.1", "192.0.2.1"],
}


def named(to: str, options: str = "", files: dict[str, str] | None = None) -> Compilation:
    """What becomes of a line whose servers have names that somebody knows."""
    return compile_lines(f"forward . {to} {{\n{options}\n}}", files, hosts=HOSTS)


def upstreams_of(compilation: Compilation) -> list[Upstream]:
    """The servers of its one line."""
    assert compilation.plan is not None, compilation.problems
    (op,) = compilation.plan.blocks[0].program
    assert isinstance(op, ForwardOp)
    assert op.max_connect_attempts == 2 * len(op.upstreams)
    return op.upstreams


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("v4.example", ["192.0.2.1:53", "192.0.2.3:53"]),
        ("dns.example:5353", ["[2001:db8::1]:5353", "[2001:db8::2]:5353", "192.0.2.3:5353", "192.0.2.20:5353"]),
        ("dns://v6.example.", ["[2001:db8::1]:53"]),
        ("v4.example%eth0:54", ["192.0.2.1:54", "192.0.2.3:54"]),
        ("192.0.2.9 v4.example 192.0.2.1", ["192.0.2.9:53", "192.0.2.1:53", "192.0.2.3:53"]),
        ("192.0.2.3 v4.example", ["192.0.2.3:53", "192.0.2.1:53"]),
        ("odd.example", ["[fe80::1]:53", "192.0.2.1:53"]),
        ("resolv.conf", ["192.0.2.53:53"]),
    ],
)
def test_a_host_name_is_all_of_its_addresses_in_an_order_that_stays(to: str, expected: list[str]) -> None:
    """Difference D59."""
    compilation = named(to, files={"resolv.conf": "nameserver 192.0.2.53\n"})
    assert [upstream.address for upstream in upstreams_of(compilation)] == expected
    assert compilation.problems == ()


def test_a_host_name_over_tls_is_verified_by_the_name_that_is_said_and_else_by_its_address() -> None:
    assert upstreams_of(named("tls://v4.example", "tls_servername dns.example")) == [
        secured("192.0.2.1:853", "dns.example"),
        secured("192.0.2.3:853", "dns.example"),
    ]
    assert upstreams_of(named("tls://v6.example.%dns.example:8853")) == [secured("[2001:db8::1]:8853", "dns.example")]
    unnamed = named("tls://v6.example.")
    assert upstreams_of(unnamed) == [secured("[2001:db8::1]:853", "2001:db8::1")]
    (problem,) = unnamed.problems
    assert (problem.severity, problem.code) == (Severity.WARNING, "unnamed-server")
    assert problem.hint == "if it is for the name, add: tls_servername v6.example"


def test_a_host_name_counts_as_one() -> None:
    fourteen = " ".join(f"127.0.0.{number}" for number in range(1, 15))
    assert len(upstreams_of(named(f"{fourteen} dns.example"))) == 18
    assert [problem.code for problem in named(f"{fourteen} dns.example v4.example").problems] == ["argument-count"]


def test_what_names_became_is_told_and_does_not_depend_on_the_order_of_the_answer() -> None:
    compilation = named("dns.example 192.0.2.1 v4.example")
    expected = ("2001:db8::1", "2001:db8::2", "192.0.2.3", "192.0.2.20")
    assert compilation.hosts == (ResolvedHost("dns.example", expected), ResolvedHost("v4.example", ("192.0.2.1", "192.0.2.3")))
    turned = {"dns.example": ["2001:db8::1", "2001:db8::2", "192.0.2.3", "192.0.2.20"], "v4.example": ["192.0.2.1", "192.0.2.3"]}
    again = compile_lines("forward . dns.example 192.0.2.1 v4.example {\n}", hosts=turned)
    assert (again.plan, again.hosts) == (compilation.plan, compilation.hosts)


def test_a_name_that_has_no_address_is_told_where_it_stands() -> None:
    first, second = named("nosuch.example 192.0.2.1 tls://other.example:8853").problems
    assert (str(first.place), first.code) == ("Corefile:2:11", "unresolved-host")
    assert first.message == "cannot resolve `nosuch.example`: there is no such name"
    assert first.hint == "write an address, or let a server look it up that knows it (`resolver`)"
    assert (str(second.place), second.code) == ("Corefile:2:36", "unresolved-host")


def test_the_resolvers_are_asked_and_nobody_before_it_is_known_which() -> None:
    asked: list[tuple[str, Sequence[Endpoint]]] = []

    def resolve(name: str, servers: Sequence[Endpoint]) -> Sequence[str]:
        asked.append((name, servers))
        raise UnresolvedError("10.0.0.1:53 does not answer")

    def problems_with(options: str) -> Sequence[str]:
        text = f". {{\nforward . dns.example {{\n{options}\n}}\n}}"
        sources = replace(sources_of_texts({"Corefile": text}), resolve=resolve)
        return [f"{problem.message} | {problem.hint}" for problem in compile_plan(parse_corefile("Corefile", sources), sources).problems]

    assert problems_with("resolver 10.0.0.9\nresolver 10.0.0.1 [::1]:5353") == [
        "cannot resolve `dns.example`: 10.0.0.1:53 does not answer | write an address, or name servers in `resolver` that know it"
    ]
    assert asked == [("dns.example", (Endpoint("10.0.0.1", 53), Endpoint("::1", 5353)))]
    assert len(problems_with("resolver dns")) == 1
    assert len(asked) == 1


def test_all_servers_are_asked_from_the_source_address() -> None:
    tls = TlsClient("dns.example", "", "", "")
    assert upstreams("192.0.2.1 tls://192.0.2.2%dns.example", "source_address 192.0.2.9") == [
        Upstream("192.0.2.1:53", None, "192.0.2.9"),
        Upstream("192.0.2.2:853", tls, "192.0.2.9"),
    ]
    assert upstreams("192.0.2.1", "source_address ::ffff:192.0.2.9") == [Upstream("192.0.2.1:53", None, "192.0.2.9")]
    assert upstreams("::1", "source_address 2001:DB8:0::1") == [Upstream("[::1]:53", None, "2001:db8::1")]
    assert upstreams_of(named("192.0.2.1", "source_address ::1\nsource_address 192.0.2.9"))[0].source == "192.0.2.9"


def test_servers_of_the_other_family_are_left_out_and_told() -> None:
    """Difference D60."""
    compilation = named("::1 dns.example v4.example", "source_address 2001:db8::9")
    assert [upstream.address for upstream in upstreams_of(compilation)] == ["[::1]:53", "[2001:db8::1]:53", "[2001:db8::2]:53"]
    (problem,) = compilation.problems
    assert (str(problem.place), problem.severity, problem.code) == ("Corefile:2:27", Severity.WARNING, "other-family")
    assert problem.message == "`v4.example` cannot be asked from 2001:db8::9, which is of the other family; it is left out"
    (problem,) = named("v4.example 192.0.2.1", "source_address 2001:db8::9").problems
    assert (str(problem.place), problem.severity, problem.code) == ("Corefile:3:1", Severity.ERROR, "conflict")
