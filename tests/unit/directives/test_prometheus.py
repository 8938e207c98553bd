"""`prometheus`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.directives import SETTINGS, TABLE
from clusterdns.plan.listeners import ClientAuth, HttpListener, TlsServer
from clusterdns.plan.ops import CountOp, Op
from tests.unit.directives.blocks import compile_lines, ops, problems
from tests.unit.directives.test_health import compiled, listeners


def count(op: Op) -> CountOp:
    """The op, which counts."""
    assert isinstance(op, CountOp)
    return op


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("prometheus", "localhost:9153"),
        ("prometheus :9153", ":9153"),
        ("prometheus 0.0.0.0:9153", ":9153"),
        ("prometheus [::1]:9154", "[::1]:9154"),
        ("prometheus {\n}", "localhost:9153"),
    ],
)
def test_the_process_has_an_address_for_it_that_it_can_do_without(line: str, address: str) -> None:
    assert compile_lines(line).problems == ()
    assert listeners(compile_lines(line)) == [HttpListener(address, "metrics", required=False, zones=[], latched=False)]


@pytest.mark.parametrize(
    ("lines", "directive", "directives"),
    [
        ("whoami\nprometheus", "whoami", ["prometheus", "whoami"]),
        ("whoami\nforward . 192.0.2.1\nlog\nerrors\nprometheus", "errors", ["prometheus", "errors", "log", "forward", "whoami"]),
        ("bufsize 512\nprometheus\ncache", "cache", ["bufsize", "prometheus", "cache"]),
        ("prometheus\nhealth\nready\nreload\nbind 127.0.0.1\ndebug", "", ["prometheus"]),
    ],
)
def test_answers_are_counted_under_the_first_directive_behind_it(lines: str, directive: str, directives: list[str]) -> None:
    found = next(count(op) for op in ops(lines) if isinstance(op, CountOp))
    assert (found.directive, found.directives, found.zone) == (directive, directives, "example.org.")


def test_blocks_share_an_address_and_each_counts_for_itself() -> None:
    compilation = compiled("a.org b.org {\n    prometheus\n    whoami\n}\nc.org {\n    prometheus\n}\nd.org {\n    whoami\n}")
    assert [(listener.address, listener.serves) for listener in listeners(compilation)] == [("localhost:9153", "metrics")]
    assert compilation.plan is not None
    counted = [(block.zone, [op.zone for op in block.program if isinstance(op, CountOp)]) for block in compilation.plan.blocks]
    assert counted == [("a.org.", ["a.org."]), ("b.org.", ["a.org."]), ("c.org.", ["c.org."]), ("d.org.", [])]


def test_what_go_knows_of_itself_is_not_here() -> None:
    ((code, text),) = problems("prometheus {\nruntime_metrics\n}", Severity.WARNING)
    assert code == "no-effect"
    assert "there is no Go runtime here" in text
    assert problems("prometheus {\nruntime_metrics\n}") == []


def secured(lines: str, files: dict[str, str] | None = None) -> TlsServer | None:
    """How the metrics of these lines are secured; there are no problems."""
    compilation = compile_lines(lines, files)
    assert compilation.problems == ()
    (listener,) = listeners(compilation)
    return listener.tls


def with_tls(config: str) -> dict[str, str]:
    """A file about TLS with these further lines."""
    return {"w/web.yml": f"tls_server_config:\n  cert_file: cert.pem\n  key_file: /key.pem\n{config}"}


WEB = "prometheus {\ntls w/web.yml\n}"


def test_a_certificate_and_its_key_secure_metrics() -> None:
    assert secured("prometheus {\ntls cert.pem key.pem\n}") == TlsServer("cert.pem", "key.pem", "", "nocert")
    assert secured("root /r\nprometheus {\ntls cert.pem key.pem /ca.pem\n}", {"/r/x": ""}) == TlsServer(
        "/r/cert.pem", "/r/key.pem", "/ca.pem", "require_and_verify"
    )
    assert secured("prometheus") is None


def test_a_file_as_prometheus_has_it_secures_metrics() -> None:
    assert secured(WEB, with_tls("")) == TlsServer("w/cert.pem", "/key.pem", "", "nocert")
    config = "  client_auth_type: 'RequireAndVerifyClientCert'\n  client_ca_file: ca/ca.pem\n  min_version: TLS12\n  max_version: TLS13\n"
    assert secured(WEB, with_tls(config)) == TlsServer("w/cert.pem", "/key.pem", "w/ca/ca.pem", "require_and_verify")
    watched = [file.path for file in compile_lines(WEB, with_tls(config)).watched]
    assert watched == ["w/web.yml", "w/cert.pem", "/key.pem", "w/ca/ca.pem"]


@pytest.mark.parametrize(
    ("word", "client_auth"),
    [
        ("", "nocert"),
        ("NoClientCert", "nocert"),
        ("RequestClientCert", "request"),
        ("RequireAnyClientCert", "require"),
        ("RequireClientCert", "require"),
        ("VerifyClientCertIfGiven", "verify_if_given"),
        ("RequireAndVerifyClientCert", "require_and_verify"),
    ],
)
def test_what_clients_must_show(word: str, client_auth: ClientAuth) -> None:
    tls = secured(WEB, with_tls(f"  client_auth_type: {word}\n"))
    assert tls is not None
    assert tls.client_auth == client_auth


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: [", (1, 5), "this is no YAML"),
        ("- a", (1, 1), "the file has to be a mapping"),
        ("", (3, 5), "w/web.yml has no cert_file"),
        ("tls_server_config:", (3, 5), "w/web.yml has no cert_file"),
        ("tls_server_config: x", (1, 20), "`tls_server_config` has to be a mapping"),
        ("tls_server_config:\n  cert_file: a", (3, 5), "w/web.yml has no key_file"),
        ("tls_server_config:\n  cert_file: [a]", (2, 14), "`cert_file` is a text"),
        ("tls_server_config:\n  certfile: a", (2, 3), "unknown key `certfile` | did you mean `cert_file`?"),
        ("tls_config: {}", (1, 1), "unknown key `tls_config` | did you mean `tls_server_config`?"),
        ("basic_auth_users:\n  a: b", (1, 1), "`basic_auth_users` is not supported"),
        ("tls_server_config:\n  key: |\n    x", (2, 3), "`key` is not supported | write key_file"),
        ("tls_server_config:\n  cipher_suites: [a]", (2, 3), "`cipher_suites` is not supported"),
        ("tls_server_config:\n  min_version: TLS13", (2, 16), "min_version `TLS13` is not supported"),
        ("tls_server_config:\n  client_auth_type: Require", (2, 21), "there is no client_auth_type `Require` | there are: NoClientCert,"),
        (
            "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_ca_file: c",
            (3, 5),
            "w/web.yml has a client_ca_file, and no client_auth_type that verifies",
        ),
    ],
)
def test_what_is_wrong_with_the_file_is_told_where_it_is(text: str, place: tuple[int, int], message: str) -> None:
    problem = compile_lines(WEB, {"w/web.yml": text}).problems[0]
    assert (problem.place.line, problem.place.column) == place
    assert problem.place.file == ("Corefile" if "w/web.yml" in message else "w/web.yml")
    assert message in f"{problem.message} | {problem.hint}"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("http_server_config:\n  http2: false\n", "`http_server_config` has no effect"),
        ("  prefer_server_cipher_suites: true\n", "`prefer_server_cipher_suites` has no effect"),
        ("  min_version: TLS10\n", "min_version `TLS10` has no effect"),
    ],
)
def test_what_has_no_effect_in_the_file_is_told(config: str, message: str) -> None:
    ((code, text),) = problems(WEB, Severity.WARNING, with_tls(config))
    assert code == "no-effect"
    assert message in text
    assert problems(WEB, files=with_tls(config)) == []


def test_blocks_that_share_an_address_share_its_certificate() -> None:
    compilation = compiled("a.org {\n prometheus\n}\nb.org {\n prometheus {\n tls c k\n }\n}\nc.org {\n prometheus\n}\n")
    assert [listener.tls for listener in listeners(compilation)] == [TlsServer("c", "k", "", "nocert")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "a.org {\n prometheus {\n tls c k\n }\n}\nb.org {\n prometheus {\n tls d k\n }\n}\n",
            *(7, "localhost:9153 has another certificate already | it was defined at Corefile:2:2"),
        ),
        (
            "a.org {\n health :9153\n prometheus :9153 {\n tls c k\n }\n}\n",
            *(2, ":9153 is served in the clear and over TLS | metrics are secured at Corefile:3:2"),
        ),
    ],
)
def test_what_shares_an_address_has_to_agree(text: str, line: int, message: str) -> None:
    (problem,) = compiled(text).problems
    assert (problem.code, problem.place.line) == ("conflict", line)
    assert message in f"{problem.message} | {problem.hint}"


def test_settings_are_directives() -> None:
    assert set(TABLE) > SETTINGS


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("prometheus bla", "`bla` has no port"),
        ("prometheus :9153 :9154", "`prometheus` takes at most 1 argument, found 2"),
        ("prometheus\nprometheus", "`prometheus` can be used only once in a server block"),
        ("prometheus {\nruntime_metrics all\n}", "`runtime_metrics` takes no arguments, found 1"),
        ("prometheus {\ntls\n}", "`tls` takes 2 to 3 arguments, found 0 | write: tls CERT KEY [CA] | tls FILE"),
        ("prometheus {\ntls a b c d\n}", "`tls` takes 2 to 3 arguments, found 4"),
        ("prometheus {\ntls a b\ntls a b\n}", "`tls` can be used only once | it was used at Corefile:3:1"),
        ("prometheus {\ntls none.yml\n}", "cannot read none.yml: No such file or directory"),
        ("prometheus {\nruntime\n}", "unknown option `runtime` of `prometheus` | did you mean `runtime_metrics`?"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    ((_, text),) = problems(line)
    assert part in text
