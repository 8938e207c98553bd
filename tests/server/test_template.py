"""`template` on a real server: what people use it for, each with its answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.rcode
import pytest

from tests.server.process import command, served
from tests.servers import Running

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


def lines(section: object) -> list[str]:
    """The records of a section."""
    return [line for rrset in section for line in rrset.to_text().splitlines()]  # type: ignore[attr-defined]


def test_explain_tells_which_rule_and_pattern_has_answered(server: Running, tmp_path: Path) -> None:
    ended = command(
        server.directory, "explain", "x.ip-10-1-2-3.ip.test", "--listener", f":{server.port}", "--server", f"unix:{server.admin}"
    )
    story = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert "template Corefile:28:5 template IN A" in story
    assert any(line.startswith("matched (^|[.])ip-(?P<a>[0-9]*)") for line in story)
    ended = command(server.directory, "explain", "www.search.test", "--listener", f":{server.port}", "--server", f"unix:{server.admin}")
    story = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert story[-4:] == [
        "template Corefile:17:5 template IN ANY",
        "fallthrough no pattern has the name; the next template or directive is asked",
        "template Corefile:23:5 template IN A",
        "matched all names of search.test.",
    ]
