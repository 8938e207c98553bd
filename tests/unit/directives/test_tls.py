"""`tls`: CoreDNS's own cases of what is right and wrong, and which blocks may share a listener."""

import pytest

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.directives.block import WatchedFile
from clusterdns.listeners import Served
from clusterdns.plan.listeners import ClientAuth, Listener, TlsServer
from clusterdns.scalars import Duration
from clusterdns.sources import sources_of_texts


def compiled(text: str) -> Compilation:
    """What becomes of a Corefile of this text."""
    sources = sources_of_texts({"Corefile": text})
    return compile_plan(parse_corefile("Corefile", sources), sources)


def listeners(text: str) -> list[Listener]:
    """The listeners of a Corefile without problems."""
    compilation = compiled(text)
    assert compilation.problems == ()
    assert compilation.plan is not None
    return compilation.plan.listeners


def problems(text: str, severity: Severity = Severity.ERROR) -> list[tuple[str, int, str]]:
    """The problems of this severity: code, line, and message with hint."""
    found = [problem for problem in compiled(text).problems if problem.severity is severity]
    return [(problem.code, problem.place.line, f"{problem.message} | {problem.hint}") for problem in found]


def test_a_listener_over_tls_has_a_certificate_a_key_and_a_name_of_its_own() -> None:
    tls = TlsServer("cert.pem", "/etc/key.pem", "", "nocert")
    assert listeners("tls://. {\n tls cert.pem /etc/key.pem\n whoami\n}\n") == [
        Listener(id="tls://:853", host="", port=853, server="tls://:853", tls=tls)
    ]
    bound = listeners("tls://example.org:8853 {\n bind ::1 127.0.0.1\n tls cert.pem /etc/key.pem\n}\n")
    assert [(listener.id, listener.host, listener.server) for listener in bound] == [
        ("tls://[::1]:8853", "::1", "tls://[::1]:8853"),
        ("tls://127.0.0.1:8853", "127.0.0.1", "tls://127.0.0.1:8853"),
    ]


def test_keys_in_the_clear_and_over_tls_may_share_a_block() -> None:
    text = "tls://example.org example.org {\n tls cert.pem key.pem\n}\n"
    assert [(listener.id, listener.tls is None) for listener in listeners(text)] == [("tls://:853", False), (":53", True)]
    assert compiled(text).served == (Served("example.org.", "dns://:53"), Served("example.org.", "tls://:853"))


@pytest.mark.parametrize("client_auth", ["nocert", "request", "require", "verify_if_given", "require_and_verify"])
def test_client_auth_says_what_clients_must_show(client_auth: ClientAuth) -> None:
    (listener,) = listeners(f"tls://. {{\n tls cert.pem key.pem {{\n client_auth {client_auth}\n }}\n}}\n")
    assert listener.tls == TlsServer("cert.pem", "key.pem", "", client_auth)


def test_files_are_looked_for_under_root_and_watched() -> None:
    sources = sources_of_texts({"Corefile": "tls://. {\n root /certs\n tls cert.pem key.pem\n}\n", "/certs": ""})
    compilation = compile_plan(parse_corefile("Corefile", sources), sources)
    assert compilation.plan is not None
    assert compilation.plan.listeners[0].tls == TlsServer("/certs/cert.pem", "/certs/key.pem", "", "nocert")
    look = Duration.parse("5s")
    assert compilation.watched == (WatchedFile("/certs/cert.pem", look), WatchedFile("/certs/key.pem", look))


@pytest.mark.parametrize(
    ("line", "code", "part"),
    [
        ("tls", "argument-count", "`tls` takes 2 to 3 arguments, found 0"),
        ("tls cert.pem", "argument-count", "`tls` takes 2 to 3 arguments, found 1"),
        ("tls cert.pem key.pem ca.pem more", "argument-count", "`tls` takes 2 to 3 arguments, found 4"),
        ("tls cert.pem key.pem {\n client_auth\n}", "argument-count", "`client_auth` takes 1 argument, found 0"),
        ("tls cert.pem key.pem {\n client_auth none bogus\n}", "argument-count", "`client_auth` takes 1 argument, found 2"),
        ("tls cert.pem key.pem {\n client_auth bogus\n}", "unknown-value", "`bogus` is not one of nocert, request, require"),
        ("tls cert.pem key.pem {\n unknown\n}", "unknown-option", "unknown option `unknown` of `tls`"),
        ("tls cert.pem key.pem {\n keylog keys.log\n}", "unsupported-option", "`keylog` is not supported"),
        ("tls {\n acme dns.example.org\n email a@example.org\n}", "unsupported-option", "certificates by ACME are not supported"),
        ("tls cert.pem key.pem\ntls cert.pem key.pem", "used-twice", "only once"),
    ],
)
def test_what_is_wrong_is_told(line: str, code: str, part: str) -> None:
    ((found, _, text),) = problems(f"tls://. {{\n{line}\n}}\n")
    assert found == code
    assert part in text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("tls://. {\n tls cert.pem key.pem ca.pem\n}\n", "`ca.pem` has no effect | no certificate of a client is verified"),
        (". {\n tls cert.pem key.pem\n}\n", "`tls` has no effect | no key of this block begins with tls://"),
    ],
)
def test_what_has_no_effect_is_told(text: str, part: str) -> None:
    ((code, line, found),) = problems(text, Severity.WARNING)
    assert (code, line) == ("no-effect", 2)
    assert part in found
    assert compiled(text).plan is not None


def test_a_listener_over_tls_without_a_certificate_is_told() -> None:
    ((code, line, text),) = problems("tls://. {\n whoami\n}\ntls://example.org {\n whoami\n}\n")
    assert (code, line) == ("no-certificate", 1)
    assert "tls://:853 has no certificate | add a line `tls CERT KEY`" in text


def test_blocks_that_share_a_listener_share_its_certificate() -> None:
    one, other = "tls://a.org {\n tls cert.pem key.pem\n}\n", "tls://b.org {\n tls other.pem key.pem\n}\n"
    (listener,) = listeners(one + "tls://c.org {\n whoami\n}\n" + one.replace("a.org", "b.org"))
    assert listener.tls == TlsServer("cert.pem", "key.pem", "", "nocert")
    ((code, line, text),) = problems(one + other)
    assert (code, line) == ("conflict", 4)
    assert "tls://:853 has another certificate already | it was defined at Corefile:1:1" in text
    apart = one.replace("tls cert", "bind 127.0.0.1\n tls cert") + other.replace("tls other", "bind 127.0.0.2\n tls other")
    assert len(listeners(apart)) == 2


def test_a_port_is_for_tls_or_for_the_clear() -> None:
    secured = "tls://.:5300 {\n bind 127.0.0.1\n tls cert.pem key.pem\n}\n"
    for clear in ("a.org:5300", "a.org:5300 {\n bind 127.0.0.1\n}\n"):
        ((code, _, text),) = problems(secured + clear)
        assert code == "conflict"
        assert "port 5300 is served in the clear and over TLS | tls://127.0.0.1:5300 was defined at Corefile:1:1" in text
    assert len(listeners(secured + "a.org:5300 {\n bind 127.0.0.2\n}\na.org:5301\n")) == 3
