"""`forward`: its options, CoreDNS's own cases of what is right and wrong, and files like resolv.conf."""

from collections.abc import Mapping

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.directives.block import WatchedFile
from clusterdns.plan.ops import ForwardOp, HealthCheck, Upstream
from clusterdns.scalars import Duration
from tests.unit.directives.blocks import compile_lines, ops, problems


def forward(lines: str, files: Mapping[str, str] | None = None) -> ForwardOp:
    """The first op that the lines become, without errors."""
    assert problems(lines, files=files) == []
    plan = compile_lines(lines, files).plan
    assert plan is not None
    op = plan.blocks[0].program[0]
    assert isinstance(op, ForwardOp)
    return op


def option(text: str) -> ForwardOp:
    """The op of a line with this option and two servers."""
    return forward(f"forward . 127.0.0.1 127.0.0.2 {{\n{text}\n}}")


def addresses(to: str, files: Mapping[str, str] | None = None) -> list[str]:
    """The servers that the words behind FROM name."""
    return [upstream.address for upstream in forward(f"forward . {to}", files).upstreams]


def test_without_options_it_forwards_with_the_defaults() -> None:
    assert ops("forward . 192.0.2.1 192.0.2.2") == [
        ForwardOp(
            id="forward/example.org/0",
            from_zone=".",
            except_zones=[],
            upstreams=[Upstream("192.0.2.1:53", None, None), Upstream("192.0.2.2:53", None, None)],
            policy="random",
            max_fails=2,
            expire_ms=10_000,
            max_age_ms=0,
            max_concurrent=0,
            force_tcp=False,
            prefer_udp=False,
            read_timeout_ms=2000,
            max_connect_attempts=4,
            health_check=HealthCheck(500, ".", True),
            failover=[],
            next=[],
            next_on_nodata=False,
            failfast_all_unhealthy=False,
            span=0,
        )
    ]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("127.0.0.1", ["127.0.0.1:53"]),
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("dns://127.0.0.1", ["127.0.0.1:53"]),
        ("dns://127.0.0.1:5353", ["127.0.0.1:5353"]),
        ("::1", ["[::1]:53"]),
        ("[::1]", ["[::1]:53"]),
        ("[2003::1]:5353", ["[2003::1]:5353"]),
        ("2003:0:0::1", ["[2003::1]:53"]),
        ("::ffff:192.0.2.1", ["192.0.2.1:53"]),
        ("127.0.0.1%example.net:854", ["127.0.0.1:854"]),
        ("[2003::1%eth0]:54", ["[2003::1]:54"]),
        ("2003::1%eth0", ["[2003::1]:53"]),
        ("127.0.0.1 127.0.0.2 127.0.0.1:53 dns://127.0.0.1", ["127.0.0.1:53", "127.0.0.2:53"]),
    ],
)
def test_an_upstream_is_an_address_with_or_without_a_port(to: str, expected: list[str]) -> None:
    assert addresses(to) == expected
    assert compile_lines(f"forward . {to}").problems == ()


RESOLV = (
    "# a comment\nsearch example.net\n\nnameserver 10.10.255.252\n nameserver  10.10.255.253 # the second\nnameserver\noptions ndots:5\n"
)
EMPTY = "# nameserver 1.1.1.1\n; nameserver 1.0.0.1\n"


def test_the_name_servers_of_a_resolv_conf_are_upstreams() -> None:
    files = {"/etc/resolv.conf": RESOLV, "six.conf": "nameserver 0388:d254:7aec:6892:9f7f:e93b:5806:1b0f%en0\n", "empty.conf": EMPTY}
    assert addresses("/etc/resolv.conf", files) == ["10.10.255.252:53", "10.10.255.253:53"]
    assert addresses("six.conf", files) == ["[388:d254:7aec:6892:9f7f:e93b:5806:1b0f]:53"]
    assert addresses("empty.conf 127.0.0.1", files) == ["127.0.0.1:53"]
    assert addresses("127.0.0.1 /etc/resolv.conf six.conf 10.10.255.253", files) == [
        "127.0.0.1:53",
        "10.10.255.252:53",
        "10.10.255.253:53",
        "[388:d254:7aec:6892:9f7f:e93b:5806:1b0f]:53",
    ]


def test_a_resolv_conf_is_watched_so_that_a_change_is_noticed() -> None:
    watched = compile_lines("forward . a.conf b.conf\nforward example.org a.conf", {"a.conf": RESOLV, "b.conf": EMPTY}).watched
    assert watched == (WatchedFile("a.conf", Duration.parse("5s")), WatchedFile("b.conf", Duration.parse("5s")))
    assert compile_lines("forward . 127.0.0.1").watched == ()


def test_a_resolv_conf_without_name_servers_is_told_and_is_watched() -> None:
    ((code, text),) = problems("forward . empty.conf", files={"empty.conf": EMPTY})
    assert (code, "write `nameserver ADDRESS` lines" in text) == ("no-upstream", True)
    assert len(compile_lines("forward . empty.conf", {"empty.conf": EMPTY}).problems) == 1


def test_a_name_server_that_is_no_address_is_left_out_and_told() -> None:
    files = {"resolv.conf": "nameserver dns.example.org\nnameserver 192.0.2.1\n"}
    assert addresses("resolv.conf", files) == ["192.0.2.1:53"]
    ((code, text),) = problems("forward . resolv.conf", Severity.WARNING, files)
    assert code == "bad-nameserver"
    assert "resolv.conf:1: `dns.example.org` is no IP address" in text


def test_a_link_local_address_is_told() -> None:
    assert addresses("fe80::1%eth0") == ["[fe80::1]:53"]
    assert [code for code, _ in problems("forward . fe80::1%eth0", Severity.WARNING)] == ["link-local"]


def test_fifteen_upstreams_are_possible_and_a_file_counts_as_one() -> None:
    fifteen = " ".join(f"127.0.0.{number}" for number in range(1, 16))
    assert len(addresses(fifteen)) == 15
    files = {"many.conf": "".join(f"nameserver 192.0.2.{number}\n" for number in range(1, 41)), "empty.conf": EMPTY}
    assert len(addresses("many.conf", files)) == 40
    assert len(addresses(f"{fifteen} empty.conf", files)) == 15


@pytest.mark.parametrize(
    ("to", "code", "part"),
    [
        ("https://127.0.0.1", "unsupported-scheme", "`https://` is not supported yet"),
        ("grpc://127.0.0.1", "unsupported-scheme", "`grpc://`"),
        ("quic://127.0.0.1", "unsupported-scheme", "`quic://`"),
        ("a27.0.0.1", "bad-value", "`a27.0.0.1` is neither an IP address, a file nor a host name"),
        ("dns.0x7f", "bad-value", "neither an IP address"),
        ("dns..example", "bad-value", "neither an IP address"),
        ("-dns.example", "bad-value", "neither an IP address"),
        ("localhost:5353", "unresolved-host", "cannot resolve `localhost`: there is no such name"),
        ("localhost:0", "bad-value", "nobody answers on port 0"),
        ("localhost:domain", "bad-value", "`domain` is no port"),
        ("/nosuch/resolv.conf", "unreadable", "cannot read /nosuch/resolv.conf: no such file"),
        ("127.0.0.1:", "bad-value", "`` is no port"),
        ("127.0.0.1:99999", "bad-value", "`99999` is no port"),
        ("127.0.0.1:0", "bad-value", "nobody answers on port 0"),
        ("[127.0.0.1]:53", "bad-value", "`127.0.0.1` is no IPv6 address"),
        (" ".join(f"127.0.0.{number}" for number in range(1, 17)), "argument-count", "there are 16 TOs, and at most 15 are possible"),
    ],
)
def test_an_upstream_that_cannot_be_asked_is_told(to: str, code: str, part: str) -> None:
    ((found, text),) = problems(f"forward . {to}")
    assert found == code
    assert part in text


def test_each_wrong_upstream_is_told() -> None:
    assert len(problems("forward . https://127.0.0.1 127.0.0.2 nosuch /nosuch")) == 3


@pytest.mark.parametrize(
    ("line", "zone"),
    [
        ("forward . 127.0.0.1", "."),
        ("forward EXAMPLE.org 127.0.0.1", "example.org."),
        ("forward dns://a.example.org:53 127.0.0.1", "a.example.org."),
    ],
)
def test_from_is_a_zone(line: str, zone: str) -> None:
    assert forward(line).from_zone == zone
    assert compile_lines(line).problems == ()


def test_from_can_be_a_network_and_only_its_first_zone_counts() -> None:
    assert forward("forward 10.0.0.0/8 127.0.0.1").from_zone == "10.in-addr.arpa."
    assert forward("forward 10.9.3.0/18 127.0.0.1").from_zone == "0.9.10.in-addr.arpa."
    found = problems("forward 10.9.3.0/18 127.0.0.1", Severity.WARNING)
    assert [code for code, _ in found] == ["several-zones", "unreachable-zone"]
    assert "stands for 64 zones; only `0.9.10.in-addr.arpa.` is forwarded" in found[0][1]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("except miek.nl", "except_zones", ["miek.nl."]),
        ("except a.org B.org\nexcept 10.0.0.0/8", "except_zones", ["a.org.", "b.org.", "10.in-addr.arpa."]),
        ("force_tcp", "force_tcp", True),
        ("prefer_udp", "prefer_udp", True),
        ("max_fails 3", "max_fails", 3),
        ("max_fails 0", "max_fails", 0),
        ("max_connect_attempts 0", "max_connect_attempts", 0),
        ("max_connect_attempts 5", "max_connect_attempts", 5),
        ("max_concurrent 1000", "max_concurrent", 1000),
        ("expire 0s", "expire_ms", 0),
        ("expire 1500ms", "expire_ms", 1500),
        ("max_age 30s", "max_age_ms", 30_000),
        ("max_age 0s", "max_age_ms", 0),
        ("expire 10s\nmax_age 10s", "max_age_ms", 10_000),
        ("expire 100000h", "expire_ms", 2**32 - 1),
        ("read_timeout 500ms", "read_timeout_ms", 500),
        ("read_timeout 1ns", "read_timeout_ms", 1),
        ("policy random", "policy", "random"),
        ("policy round_robin", "policy", "round_robin"),
        ("policy sequential", "policy", "sequential"),
        ("health_check 0.5s", "health_check", HealthCheck(500, ".", True)),
        ("health_check 2s no_rec", "health_check", HealthCheck(2000, ".", False)),
        ("health_check 0.5s no_rec domain example.org", "health_check", HealthCheck(500, "example.org.", False)),
        ("health_check 0.5s domain Example.org. no_rec", "health_check", HealthCheck(500, "example.org.", False)),
        ("health_check 0.5s domain .", "health_check", HealthCheck(500, ".", True)),
        ("health_check 0s", "health_check", HealthCheck(10, ".", True)),
        ("failover ServFail REFUSED", "failover", [2, 5]),
        ("failover NXDOMAIN\nfailover NOTIMPL", "failover", [3, 4]),
        ("failfast_all_unhealthy_upstreams", "failfast_all_unhealthy", True),
    ],
)
def test_an_option(text: str, field: str, value: object) -> None:
    assert getattr(option(text), field) == value
    assert compile_lines(f"forward . 127.0.0.1 {{\n{text}\n}}").problems == ()


def test_force_tcp_and_prefer_udp_may_stand_together() -> None:
    op = option("force_tcp\nprefer_udp")
    assert (op.force_tcp, op.prefer_udp) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "tls",
            "tls ca.pem",
            "tls_servername dns",
            "doh_method GET",
            "resolver 192.0.2.1 [::1]:53",
            "max_idle_conns 10",
            "max_idle_conns 0",
        ),
        *("source_address 0.0.0.0", "source_address ::"),
    ],
)
def test_an_option_without_effect_is_told(text: str) -> None:
    assert option(text) == option("")
    assert [code for code, _ in problems(f"forward . 127.0.0.1 {{\n{text}\n}}", Severity.WARNING)] == ["no-effect"]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("forward", "`forward` takes at least 2 arguments, found 0"),
        ("forward .", "`forward` takes at least 2 arguments, found 1"),
        (f"forward {'x' * 64} 127.0.0.1", "is no zone"),
        ("forward . 127.0.0.1 {\nblaatl\n}", "unknown option `blaatl`"),
        ("forward . 127.0.0.1 {\nexcept\n}", "takes at least 1 argument"),
        ("forward . 127.0.0.1 {\nforce_tcp yes\n}", "takes no arguments"),
        ("forward . 127.0.0.1 {\nmax_fails many\n}", "`many` is no whole number"),
        ("forward . 127.0.0.1 {\nmax_fails -1\n}", "-1 is out of range"),
        ("forward . 127.0.0.1 {\nmax_connect_attempts -4\n}", "-4 is out of range"),
        ("forward . 127.0.0.1 {\nmax_concurrent x\n}", "`x` is no whole number"),
        ("forward . 127.0.0.1 {\nmax_concurrent -4\n}", "-4 is out of range"),
        ("forward . 127.0.0.1 {\nmax_idle_conns -1\n}", "-1 is out of range"),
        ("forward . 127.0.0.1 {\nexpire -1s\n}", "-1s is out of range"),
        ("forward . 127.0.0.1 {\nmax_age 1s\n}", "max_age (1s) must not be less than expire (10s)"),
        ("forward . 127.0.0.1 {\nmax_age -1s\n}", "-1s is out of range"),
        ("forward . 127.0.0.1 {\nread_timeout 0s\n}", "0s is out of range"),
        ("forward . 127.0.0.1 {\nread_timeout\n}", "takes 1 argument"),
        ("forward . 127.0.0.1 {\npolicy foo\n}", "`foo` is not one of random, round_robin, sequential"),
        ("forward . 127.0.0.1 {\nhealth_check x\n}", "`x` is no duration"),
        ("forward . 127.0.0.1 {\nhealth_check no_rec\n}", "`no_rec` is no duration"),
        ("forward . 127.0.0.1 {\nhealth_check -1s\n}", "-1s is out of range"),
        ("forward . 127.0.0.1 {\nhealth_check 0.5s rec\n}", "`rec` is not one of no_rec, domain"),
        ("forward . 127.0.0.1 {\nhealth_check 0.5s domain\n}", "`domain` needs a name"),
        ("forward . 127.0.0.1 {\nhealth_check 0.5s domain example..org\n}", "`example..org` is no name"),
        ("forward . 127.0.0.1 {\nnext\n}", "takes at least 1 argument"),
        ("forward . 127.0.0.1 {\nnext FOO\n}", "`FOO` is no response code"),
        ("forward . 127.0.0.1 {\nfailover FOO\n}", "`FOO` is no response code"),
        ("forward . 127.0.0.1 {\nfailover NOERROR\n}", "NOERROR cannot be used in failover"),
        ("forward . 127.0.0.1 {\nfailfast_all_unhealthy_upstreams false\n}", "takes no arguments"),
        ("forward . 127.0.0.1 {\ntls a b c d\n}", "takes at most 3 arguments, found 4"),
        ("forward . 127.0.0.1 {\ndoh_method PUT\n}", "`PUT` is not one of GET, POST"),
        ("forward . 127.0.0.1 {\nresolver dns.example\n}", "`dns.example` is no IP address"),
        ("forward . 127.0.0.1 {\nresolver 192.0.2.1 dns.example:53\n}", "`dns.example:53` is no IP address"),
        ("forward . 127.0.0.1 {\nresolver 192.0.2.1:0\n}", "nobody answers on port 0"),
        ("forward . 127.0.0.1 {\nresolver fe80::1%eth0\n}", "`fe80::1%eth0` is no IP address"),
        ("forward . 127.0.0.1 {\nresolver\n}", "takes at least 1 argument"),
        ("forward . dns.example {\nresolver dns\n}", "`dns` is no IP address"),
        ("forward . 127.0.0.1 {\nsource_address not-an-ip\n}", "`not-an-ip` is no IP address"),
        ("forward . 127.0.0.1 {\nsource_address fe80::1%eth0\n}", "`fe80::1%eth0` is no IP address"),
        ("forward . 127.0.0.1 {\nsource_address 224.0.0.1\n}", "nothing can be sent from 224.0.0.1"),
        (
            "forward . 127.0.0.1 ::ffff:127.0.0.2 {\nsource_address ::1\n}",
            "no server can be asked from ::1: all of them have IPv4 addresses",
        ),
        ("forward . 127.0.0.1 {\nsource_address\n}", "takes 1 argument"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    ((_, text),) = problems(line)
    assert part in text


def test_several_lines_are_asked_in_their_order() -> None:
    lines = "forward 1st.example.org 10.0.0.1\nforward 2nd.example.org 10.0.0.2\nforward . 10.0.0.3"
    found = [op for op in ops(lines) if isinstance(op, ForwardOp)]
    assert [op.from_zone for op in found] == ["1st.example.org.", "2nd.example.org.", "."]
    assert len({op.id for op in found}) == 3


def test_a_line_that_is_never_reached_is_told() -> None:
    lines = "forward . 10.0.0.1\nforward a.example.org 10.0.0.2"
    ((code, text),) = problems(lines, Severity.WARNING)
    assert code == "unreachable-line"
    assert "go to the line for `.` before | put the line with the longer zone first" in text
    assert compile_lines("forward . 10.0.0.1 {\nexcept a.example.org\n}\nforward a.example.org 10.0.0.2").problems == ()


def test_next_passes_on_to_the_next_line_and_has_no_effect_on_the_last() -> None:
    lines = (
        "forward . 10.0.0.1 {\nnext NXDOMAIN SERVFAIL refused\nnext_on_nodata\n}\nforward . 10.0.0.2 {\nnext NXDOMAIN\nnext_on_nodata\n}"
    )
    plan = compile_lines(lines).plan
    assert plan is not None
    first, last = (op for op in plan.blocks[0].program if isinstance(op, ForwardOp))
    assert (first.next, first.next_on_nodata) == ([3, 2, 5], True)
    assert (last.next, last.next_on_nodata) == ([], False)
    assert [code for code, _ in problems(lines, Severity.WARNING)] == ["no-effect"]
