"""`template` on a real server: what people use it for, each with its answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.rcode
import pytest

from tests.server.process import command, served
from tests.servers import Running
from tests.stories import steps_of

COREFILE = """\
blocked.test:PORT {
    template ANY AAAA {
        rcode NOERROR
    }
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.10"
    }
}
invalid:PORT {
    template ANY ANY {
        rcode NXDOMAIN
        authority "invalid. 60 {{ .Class }} SOA ns.invalid. hostmaster.invalid. (1 60 60 60 60)"
        ederror 21 "not in this world"
    }
}
search.test:PORT {
    template IN ANY {
        match "example\\.com\\.(dc1\\.search\\.test\\.)$"
        rcode NXDOMAIN
        authority "{{ index .Match 1 }} 60 IN SOA ns.{{ index .Match 1 }} hostmaster.{{ index .Match 1 }} (1 60 60 60 60)"
        fallthrough
    }
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
}
ip.test:PORT {
    template IN A {
        match (^|[.])ip-(?P<a>[0-9]*)-(?P<b>[0-9]*)-(?P<c>[0-9]*)-(?P<d>[0-9]*)[.]ip[.]test[.]$
        match "^ip0a(?P<b>[a-f0-9]{2})(?P<c>[a-f0-9]{2})(?P<d>[a-f0-9]{2})[.]ip[.]test[.]$"
        answer "{{ .Name }} 60 IN A {{ with .Group.a }}{{ . }}.{{ $.Group.b }}.{{ $.Group.c }}.{{ $.Group.d }}
            {{- else }}10{{ range $i, $hex := .Match }}{{ if $i }}.{{ parseInt $hex 16 8 }}{{ end }}{{ end }}{{ end }}"
        fallthrough
    }
    template IN MX {
        match ^ip-10-(?P<b>[0-9]*)-(?P<c>[0-9]*)-(?P<d>[0-9]*)[.]ip[.]test[.]$
        answer "{{ .Name }} 60 IN MX 10 {{ .Name }}"
        additional "{{ .Name }} 60 IN A 10.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
        authority "ip.test. 60 IN NS ns0.ip.test."
        authority "ip.test. 60 IN NS ns1.ip.test."
    }
    whoami
}
10.in-addr.arpa:PORT {
    template IN PTR {
        match ^(?P<d>[0-9]*)[.](?P<c>[0-9]*)[.](?P<b>[0-9]*)[.]10[.]in-addr[.]arpa[.]$
        answer "{{ .Name }} 60 IN PTR ip-10-{{ .Group.b }}-{{ .Group.c }}-{{ .Group.d }}.ip.test."
    }
}
meta.test:PORT {
    metadata
    view loopback {
        expr incidr(client_ip(), '127.0.0.0/8')
    }
    template IN TXT {
        answer "{{ .Name }} 60 IN TXT \\"{{ if eq (.Meta \\"view/name\\") \\"loopback\\" }}inside{{ else }}outside{{ end }}\\""
    }
}
alias.test:PORT {
    template IN ANY foogle.alias.test {
        match "^foogle\\.alias\\.test\\.$"
        answer "foogle.alias.test 60 IN CNAME www.blocked.test"
    }
    template IN TXT {
        answer "{{ .Name }} 0 IN TXT \\"{{ .Remote }} {{ .Type }} {{ .Question.Name }} {{ if eq .Zone \\"alias.test.\\" }}here{{ end }}\\""
    }
    template IN HTTPS {
        answer "{{ .Name }} 60 IN HTTPS 1 . alpn=h2,h3"
    }
}
"""


EXPRESSIONS = {
    "1 + 2 * 3 - 10": "-3",
    "(1 + 2) * -3": "-9",
    "-7 % 3": "-1",
    "int(group('a')) + 1": "13",
    "'x' + group('b') + group(1)": "xweb12",
    "group(0)": "12-web.NUMBER.fn.test.",
    "group('none') + group(9) + 'empty'": "empty",
    "string(1 == 1) + string(7)": "true7",
    "len(group('b'))": "3",
    "len([1, 2]) + len('é')": "3",
    "upper(group('b')) + lower('ABC')": "WEBabc",
    "trim('  a ') + trim('--b-', '-')": "ab",
    "trimPrefix(' a') + trimPrefix('xa', 'x') + trimPrefix('a', 'x')": "aaa",
    "trimSuffix('a ') + trimSuffix('a.', '.') + trimSuffix('a', 'x')": "aaa",
    "replace('a-b-c', '-', '.')": "a.b.c",
    "replace('a-b-c', '-', '', 1)": "ab-c",
    "replace('abc', '', '-')": "-a-b-c-",
    "replace('abc', 'b', '', 0)": "abc",
    "repeat('ab', 3)": "ababab",
    "split('a.b.c', '.')": "[a b c]",
    "split('a.b.c', '.', 2)": "[a b.c]",
    "split('abc', '')": "[a b c]",
    "split('', '.') | len()": "1",
    "split('a', '.', 0) | len()": "0",
    "split('a.', '.') | len()": "2",
    "split(group('b'), '')[-1] + split('a.b', '.')[0]": "ba",
    "join(split('a.b.c', '.'), '-')": "a-b-c",
    "join(['a', 'b'])": "ab",
    "indexOf('abcabc', 'c') + lastIndexOf('abcabc', 'c') * 10": "52",
    "indexOf('a', 'x')": "-1",
    "hasPrefix('abc', 'ab') and hasSuffix('abc', 'bc') and not hasPrefix('abc', 'bc')": "true",
    "abs(-5) + max(1, 7, 3) + min(4, 2)": "14",
    "'abcdef'[1:3] + 'abcdef'[-2:] + 'abcdef'[:1] + 'ab'[5:9]": "bcefa",
    "[1, 2, 3, 4][1:-1]": "[2 3]",
    "filter(split('1.20.3', '.'), len(#) == 1) | map(int(#) + 1)": "[2 4]",
    "count([1, 2, 3], # > 1)": "2",
    "any([1, 2], # == 2) and all([1, 2], # > 0) and none([1, 2], # > 2) and one([1, 2], # > 1)": "true",
    "any([1, 2], # == 3) or all([1, 2], # > 1) or none([1, 2], # > 1) or one([1, 2], # > 0)": "false",
    "map(['a', 'b'], any([1, 2], # == 1) ? # : '')": "[a b]",
    "any(['192.0.2.0/24', '127.0.0.0/8'], incidr(client_ip(), #))": "true",
    "group('b') in split('db.web', '.') and 3 not in [1, 2]": "true",
    "['a'] == split('a', '.') and [1] != [2]": "true",
    "name() endsWith '.test.' ? 'yes' : 'no'": "yes",
    "client_ip() matches '^127[.]' ? proto() : ''": "udp",
    "9223372036854775807 + 1": "-9223372036854775808",
}
"""What is computed for `12-web.NUMBER.fn.test` (as expr-lang says), matched by `(?P<a>[0-9]+)-(?P<b>[a-z]+)`."""
WITHOUT_VALUE = [
    "int('x')",
    "int('')",
    "7 % (int(group('a')) - 12)",
    "[1, 2][2]",
    "[1, 2][-3]",
    "split('a', '.', 0)[0]",
    "repeat('a', -1)",
    "repeat('abc', 30000)",
    "repeat(repeat('a', 300), 300)",
    "replace(repeat('a', 9999), '', repeat('b', 9999))",
    "incidr('none', '10.0.0.0/8')",
    "incidr(client_ip(), group('b'))",
    "any(split(repeat('a', 999), ''), any(split(repeat('a', 999), ''), any(split(repeat('a', 999), ''), # == 'b')))",
]


def computed(number: int, expression: str) -> str:
    """A rule whose answer tells the value of an expression."""
    return f"""
    template IN TXT e{number}.fn.test {{
        match ^(?P<a>[0-9]+)-(?P<b>[a-z]+)[.]e{number}[.]fn[.]test[.]$
        var v "{expression}"
        answer "{{{{ .Name }}}} 0 IN TXT \\"{{{{ .Var.v }}}}\\""
        fallthrough
    }}"""


COREFILE += f"""
fn.test:PORT {{{"".join(computed(number, expression) for number, expression in enumerate([*EXPRESSIONS, *WITHOUT_VALUE]))}
    whoami
}}
"""
COREFILE += """\
lan.test:PORT {
    template IN A {
        match ^(?P<dashed>[0-9]+(-[0-9]+){3})[.]lan[.]test[.]$
        var ip replace(group('dashed'), '-', '.')
        expr "any(['10.0.0.0/8', '192.168.0.0/16'], incidr(ip, #))"
        answer "{{ .Name }} 60 IN A {{ .Var.ip }}"
        fallthrough
    }
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
    template IN TXT {
        var b [1, 2]
        var a client_ip() == '127.0.0.1'
        var c 'x'
        answer "{{ .Name }} 0 IN TXT \\"{{ .Var }} {{ len .Var }} {{ index .Var.b 1 }}\\""
        answer "{{ .Name }} 0 IN TXT \\"{{ range $k, $v := .Var }}{{ $k }}{{ end }}\\""
        answer "{{ .Name }} 0 IN TXT \\"{{ if .Var.a }}{{ index .Var \\"c\\" }}{{ end }}{{ range .Var.b }}{{ . }}{{ end }}\\""
    }
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(tmp_path_factory.mktemp("template"), COREFILE) as server:
        yield server


@pytest.mark.parametrize(
    ("name", "rtype", "rcode", "answer", "authority", "additional"),
    [
        ("www.blocked.test", "AAAA", "NOERROR", [], [], []),
        ("WWW.blocked.test", "A", "NOERROR", ["www.blocked.test. 60 IN A 192.0.2.10"], [], []),
        ("a.invalid", "A", "NXDOMAIN", [], ["invalid. 60 IN SOA ns.invalid. hostmaster.invalid. 1 60 60 60 60"], []),
        (
            *("www.example.com.dc1.search.test", "A", "NXDOMAIN", []),
            ["dc1.search.test. 60 IN SOA ns.dc1.search.test. hostmaster.dc1.search.test. 1 60 60 60 60"],
            [],
        ),
        ("www.search.test", "A", "NOERROR", ["www.search.test. 60 IN A 192.0.2.1"], [], []),
        ("x.ip-10-1-2-3.ip.test", "A", "NOERROR", ["x.ip-10-1-2-3.ip.test. 60 IN A 10.1.2.3"], [], []),
        ("ip0a7b7bff.ip.test", "A", "NOERROR", ["ip0a7b7bff.ip.test. 60 IN A 10.123.123.255"], [], []),
        ("ip-300-1-2-3.ip.test", "A", "SERVFAIL", [], [], []),
        (
            *("ip-10-1-2-3.ip.test", "MX", "NOERROR", ["ip-10-1-2-3.ip.test. 60 IN MX 10 ip-10-1-2-3.ip.test."]),
            ["ip.test. 60 IN NS ns0.ip.test.", "ip.test. 60 IN NS ns1.ip.test."],
            ["ip-10-1-2-3.ip.test. 60 IN A 10.1.2.3"],
        ),
        ("www.ip.test", "MX", "SERVFAIL", [], [], []),
        ("3.2.1.10.in-addr.arpa", "PTR", "NOERROR", ["3.2.1.10.in-addr.arpa. 60 IN PTR ip-10-1-2-3.ip.test."], [], []),
        (
            *("foogle.alias.test", "A", "NOERROR"),
            ["foogle.alias.test. 60 IN CNAME www.blocked.test.", "www.blocked.test. 60 IN A 192.0.2.10"],
            [],
            [],
        ),
        ("Foogle.alias.test", "MX", "NOERROR", ["foogle.alias.test. 60 IN CNAME www.blocked.test."], [], []),
        ("A.alias.test", "TXT", "NOERROR", ['a.alias.test. 0 IN TXT "127.0.0.1 TXT A.alias.test. here"'], [], []),
        ("a.meta.test", "TXT", "NOERROR", ['a.meta.test. 60 IN TXT "inside"'], [], []),
        ("a.alias.test", "HTTPS", "NOERROR", ['a.alias.test. 60 IN HTTPS 1 . alpn="h2,h3"'], [], []),
    ],
)
def test_what_is_asked_is_made(
    server: Running, name: str, rtype: str, rcode: str, answer: list[str], authority: list[str], additional: list[str]
) -> None:
    reply = server.ask(name, rtype)
    assert dns.rcode.to_text(reply.rcode()) == rcode
    assert [lines(section) for section in (reply.answer, reply.authority, reply.additional)] == [answer, authority, additional]
    assert bool(reply.flags & dns.flags.AA) == (rcode != "SERVFAIL")


@pytest.mark.parametrize(("number", "value"), list(enumerate(EXPRESSIONS.values())))
def test_variables_are_what_expr_lang_computes(server: Running, number: int, value: str) -> None:
    name = f"12-web.e{number}.fn.test."
    assert lines(server.ask(name, "TXT").answer) == [f'{name} 0 IN TXT "{value.replace("NUMBER", f"e{number}")}"']


@pytest.mark.parametrize("number", range(len(EXPRESSIONS), len(EXPRESSIONS) + len(WITHOUT_VALUE)))
def test_what_has_no_value_is_a_failure_and_falls_not_through(server: Running, number: int) -> None:
    assert dns.rcode.to_text(server.ask(f"12-web.e{number}.fn.test", "TXT").rcode()) == "SERVFAIL"
    assert dns.rcode.to_text(server.ask(f"web.e{number}.fn.test", "TXT").rcode()) == "NOERROR"


def test_an_address_in_a_name_has_to_be_in_a_network(server: Running) -> None:
    for written, address in [
        ("10-1-2-3", "10.1.2.3"),
        ("192-168-0-1", "192.168.0.1"),
        ("8-8-8-8", "192.0.2.1"),
        ("192-169-0-1", "192.0.2.1"),
    ]:
        name = f"{written}.lan.test."
        assert lines(server.ask(name, "A").answer) == [f"{name} 60 IN A {address}"]
    assert dns.rcode.to_text(server.ask("300-1-2-3.lan.test", "A").rcode()) == "SERVFAIL"


def test_variables_are_a_map(server: Running) -> None:
    assert lines(server.ask("a.lan.test.", "TXT").answer) == [
        'a.lan.test. 0 IN TXT "map[a:true b:[1 2] c:x] 3 2"',
        'a.lan.test. 0 IN TXT "abc"',
        'a.lan.test. 0 IN TXT "x12"',
    ]


def lines(section: object) -> list[str]:
    """The records of a section."""
    return [line for rrset in section for line in rrset.to_text().splitlines()]  # type: ignore[attr-defined]


def test_explain_tells_which_rule_and_pattern_has_answered(server: Running, tmp_path: Path) -> None:
    ended = command(
        server.directory, "explain", "x.ip-10-1-2-3.ip.test", "--listener", f":{server.port}", "--server", f"unix:{server.admin}"
    )
    story = steps_of(ended.stdout)
    assert "template Corefile:28:5 template IN A" in story
    assert any(line.startswith("matched (^|[.])ip-(?P<a>[0-9]*)") for line in story)
    ended = command(server.directory, "explain", "www.search.test", "--listener", f":{server.port}", "--server", f"unix:{server.admin}")
    story = steps_of(ended.stdout)
    assert story[-4:] == [
        "template Corefile:17:5 template IN ANY",
        "fallthrough no pattern has the name; the next template or directive is asked",
        "template Corefile:23:5 template IN A",
        "matched all names of search.test.",
    ]
    ended = command(server.directory, "explain", "8-8-8-8.lan.test", "--listener", f":{server.port}", "--server", f"unix:{server.admin}")
    story = steps_of(ended.stdout)
    assert story[-3].startswith("fallthrough any(['10.0.0.0/8', '192.168.0.0/16'],")
    assert story[-3].endswith("incidr(ip, #)) is false, as ip is '8.8.8.8'; the next template or directive is asked")
    ended = command(
        server.directory,
        "explain",
        f"12-web.e{len(EXPRESSIONS) + 2}.fn.test",
        "TXT",
        "--listener",
        f":{server.port}",
        "--server",
        f"unix:{server.admin}",
    )
    assert "the variable v (7 % (int(group('a')) - 12)) has no value, as group('a') is '12'" in " ".join(ended.stdout.split())
