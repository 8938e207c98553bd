"""`kubernetes`: rules B5, N2, D5, R1, R2, S8, F1 and CoreDNS's own cases."""

import pytest

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.directives.block import BlockContext
from clusterdns.directives.kubernetes import DIRECTIVE
from clusterdns.plan.ops import Origin, Soa, ZoneOp
from clusterdns.records.options import ApiOptions, ClusterOptions
from clusterdns.sources import sources_of_texts

MANIFESTS = "manifests objects"


def compile_kubernetes(zones: str, *options: str, keys: str = ".:53", path: str = "Corefile") -> Compilation:
    """What becomes of a block with `kubernetes ZONES { OPTIONS }`; the options begin in line 3."""
    body = " {\n" + "\n".join(options) + "\n}" if options else ""
    sources = sources_of_texts({path: f"{keys} {{\nkubernetes {zones}{body}\n}}"})
    return compile_plan(parse_corefile(path, sources), sources)


def zone_op(zones: str, *options: str, keys: str = ".:53") -> ZoneOp:
    """The op, without problems."""
    compilation = compile_kubernetes(zones, *options, MANIFESTS, keys=keys)
    assert compilation.problems == ()
    assert compilation.plan is not None
    (op,) = compilation.plan.blocks[0].program
    assert isinstance(op, ZoneOp)
    return op


def wanted(*options: str) -> ClusterOptions:
    """The options, without problems."""
    compilation = compile_kubernetes("coredns.local", *options, MANIFESTS)
    assert compilation.problems == ()
    (feed,) = compilation.feeds
    assert isinstance(feed.options, ClusterOptions)
    return feed.options


def problems(*options: str, severity: Severity = Severity.ERROR, zones: str = "coredns.local") -> list[tuple[int, str]]:
    """The lines and texts of the problems."""
    found = [problem for problem in compile_kubernetes(zones, *options).problems if problem.severity is severity]
    return [(problem.place.line, f"{problem.message} | {problem.hint}") for problem in found]


# What comes out


def test_B5_the_defaults() -> None:
    assert wanted() == ClusterOptions(pods="disabled", ttl=5, manifests=("objects",))


def test_the_op_answers_from_a_zone_that_a_feed_fills() -> None:
    compilation = compile_kubernetes("cluster.local in-addr.arpa", "pods insecure", "ttl 30", MANIFESTS)
    assert compilation.plan is not None
    (op,) = compilation.plan.blocks[0].program
    (feed,) = compilation.feeds
    assert op == ZoneOp(
        zone=feed.zone,
        origins=[Origin("cluster.local."), Origin("in-addr.arpa.", reverse=True)],
        primary=0,
        soa=Soa("ns.dns", "hostmaster", 7200, 1800, 86400, minimum=30, ttl=30),
        fallthrough=[],
        exists=["", "svc", "pod"],
        soa_nodata=True,
        bare_ports=True,
        name="kubernetes",
        span=0,
    )
    assert compilation.plan.zones == [feed.zone]
    assert compilation.plan.spans[0].text == "kubernetes cluster.local in-addr.arpa"


def multicluster(zones: str, *options: str) -> list[tuple[list[str], int, ClusterOptions]]:
    """For each op: its zones, which of them PTR leads to, and what its feed is to look for."""
    compilation = compile_kubernetes(zones, *options, MANIFESTS)
    assert compilation.plan is not None, compilation.problems
    program = compilation.plan.blocks[0].program
    feeds = {feed.zone: feed.options for feed in compilation.feeds}
    ops = [op for op in program if isinstance(op, ZoneOp)]
    assert len(feeds) == len(program) == len(ops)
    found = []
    for op in ops:
        wanted = feeds[op.zone]
        assert isinstance(wanted, ClusterOptions)
        assert op.bare_ports != wanted.multicluster
        found.append(([origin.name for origin in op.origins], op.primary, wanted))
    return found


def test_M1_zones_of_several_clusters_have_data_of_their_own_and_come_first() -> None:
    own = ClusterOptions(labels="app=web", zonal=True, manifests=("objects",))
    shared = ClusterOptions(labels="app=web", multicluster=True, manifests=("objects",))
    zones = "cluster.local in-addr.arpa clusterset.local"
    assert multicluster(zones, "multicluster Clusterset.Local", "labels app=web", "zonal") == [
        (["clusterset.local."], 0, shared),
        (["cluster.local.", "in-addr.arpa."], 0, own),
    ]


def test_M1_endpoints_of_other_clusters_are_needed_where_those_of_this_one_are_not() -> None:
    (_, _, shared), (_, _, own) = multicluster("cluster.local clusterset.local", "multicluster clusterset.local", "noendpoints")
    assert (shared.noendpoints, own.noendpoints) == (False, True)


def test_M1_a_zone_below_one_of_several_clusters_is_one_too() -> None:
    zones = "set.local below.set.local local"
    assert [found[0] for found in multicluster(zones, "multicluster set.local")] == [["set.local.", "below.set.local."], ["local."]]


def test_M1_no_zone_is_left_for_this_cluster_or_for_the_others() -> None:
    assert [found[0] for found in multicluster("set.local", "multicluster set.local")] == [["set.local."]]
    assert [found[0] for found in multicluster("set.local", "multicluster")] == [["set.local."]]


def test_M1_ptr_does_not_lead_to_names_of_several_clusters() -> None:
    zones = "set.local 10.0.0.0/8"
    assert [found[:2] for found in multicluster(zones, "multicluster set.local")] == [(["set.local."], 0), (["10.in-addr.arpa."], -1)]


def test_M1_a_reverse_zone_of_several_clusters_is_doubtful() -> None:
    zones = "cluster.local 10.0.0.0/8"
    assert [found[0] for found in multicluster(zones, "multicluster 10.0.0.0/8")] == [["cluster.local.", "10.in-addr.arpa."]]
    [(_, told)] = problems(MANIFESTS, "multicluster 10.0.0.0/8", severity=Severity.WARNING, zones=zones)
    assert "holds no names of Services" in told


def test_S8_the_ttl_of_the_soa_is_at_most_300() -> None:
    soa = zone_op("cluster.local", "ttl 3600").soa
    assert (soa.ttl, soa.minimum) == (300, 3600)


def test_a_feed_is_called_by_the_first_zone_that_is_not_reverse_of_the_first_block_that_has_it() -> None:
    text = """
        .:53 {
            kubernetes 10.in-addr.arpa Cluster.Local cluster.example
        }
        .:54 {
            kubernetes cluster.other
        }
        .:55 {
            kubernetes cluster.local {
                ttl 30
            }
        }"""
    sources = sources_of_texts({"Corefile": text})
    compilation = compile_plan(parse_corefile("Corefile", sources), sources)
    assert [feed.name for feed in compilation.feeds] == ["cluster.local.", "cluster.local."]


@pytest.mark.parametrize(
    ("zones", "keys", "origins", "primary"),
    [
        ("", "example.org:53", ["example.org."], 0),
        ("", "Example.ORG:53 10.0.0.0/24:53", ["example.org.", "0.0.10.in-addr.arpa."], 0),
        ("coredns.local test.local", ".:53", ["coredns.local.", "test.local."], 0),
        ("10.0.0.0/8 cluster.local.", ".:53", ["10.in-addr.arpa.", "cluster.local."], 1),
        ("cluster.local 10.0.0.0/15 fd00:96::/112", ".:53", None, 0),
        ("cluster.local Cluster.Local", ".:53", ["cluster.local."], 0),
        (".", ".:53", ["."], 0),
    ],
)
def test_R1_R2_zones_are_those_of_the_line_or_of_the_block(zones: str, keys: str, origins: list[str] | None, primary: int) -> None:
    op = zone_op(zones, keys=keys)
    if origins is None:
        origins = ["cluster.local.", "0.10.in-addr.arpa.", "1.10.in-addr.arpa.", "0.0.0.0." * 5 + "6.9.0.0.0.0.d.f.ip6.arpa."]
    assert [origin.name for origin in op.origins] == origins
    assert [origin.reverse for origin in op.origins] == ["arpa" in origin for origin in origins]
    assert op.primary == primary


@pytest.mark.parametrize("zones", ["10.0.0.0/24", "in-addr.arpa ip6.arpa"])
def test_R2_a_forward_zone_is_needed(zones: str) -> None:
    [(line, text)] = problems(MANIFESTS, zones=zones)
    assert line == 2
    assert "non-reverse zone name must be used" in text


def test_a_zone_whose_questions_do_not_come_here_is_told() -> None:
    compilation = compile_kubernetes("cluster.local in-addr.arpa", MANIFESTS, keys="cluster.local:53")
    assert compilation.plan is not None
    assert [problem.code for problem in compilation.problems] == ["unreachable-zone"]
    assert "`in-addr.arpa.`" in compilation.problems[0].message
    assert compile_kubernetes("cluster.local", MANIFESTS, keys="sub.cluster.local:53").problems == ()


@pytest.mark.parametrize(
    ("option", "zones"),
    [
        ("", []),
        ("fallthrough", ["."]),
        ("fallthrough in-addr.arpa ip6.arpa", ["in-addr.arpa.", "ip6.arpa."]),
        ("fallthrough ip6.arpa inaddr.arpa foo.com", ["ip6.arpa.", "inaddr.arpa.", "foo.com."]),
        ("fallthrough 10.0.0.0/8", ["10.in-addr.arpa."]),
        ("fallthrough\nfallthrough foo.com", ["foo.com."]),
    ],
)
def test_F1_fallthrough_is_of_all_zones_or_of_some(option: str, zones: list[str]) -> None:
    assert zone_op("cluster.local", option).fallthrough == zones


# Identity


def test_equal_options_share_a_zone_and_keep_it_on_a_reload() -> None:
    one, other = (zone_op(zones, *options) for zones, options in (("a.local", ["ttl 5"]), ("b.local", ["fallthrough", "pods disabled"])))
    assert one.zone == other.zone
    assert one.zone.startswith("kubernetes/")


@pytest.mark.parametrize(
    "option", ["ttl 6", "pods verified", "namespaces a", "labels a", "namespace_labels a", "noendpoints", "zonal", "ignore empty_service"]
)
def test_other_options_are_another_zone(option: str) -> None:
    assert zone_op("a.local", option).zone != zone_op("a.local").zone


@pytest.mark.parametrize(
    ("one", "other"), [(["namespaces b a"], ["namespaces a", "namespaces b"]), (["labels a=b,c in (e,d)"], ["labels c in (d, e), a == b"])]
)
def test_order_and_spaces_make_no_other_zone(one: list[str], other: list[str]) -> None:
    assert zone_op("a.local", *one).zone == zone_op("a.local", *other).zone


# Options


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["pods disabled"], ClusterOptions(pods="disabled")),
        (["pods insecure"], ClusterOptions(pods="insecure")),
        (["pods verified"], ClusterOptions(pods="verified")),
        (["ttl 56"], ClusterOptions(ttl=56)),
        (["ttl 0"], ClusterOptions(ttl=0)),
        (["ttl 3600"], ClusterOptions(ttl=3600)),
        (["namespaces demo"], ClusterOptions(namespaces=("demo",))),
        (["namespaces demo test"], ClusterOptions(namespaces=("demo", "test"))),
        (["labels environment=prod"], ClusterOptions(labels="environment=prod")),
        (
            ["labels environment in (production, staging, qa),application=nginx"],
            ClusterOptions(labels="application=nginx,environment in (production,qa,staging)"),
        ),
        (["namespace_labels istio-injection=enabled"], ClusterOptions(namespace_labels="istio-injection=enabled")),
        (["endpoint_pod_names"], ClusterOptions(endpoint_pod_names=True)),
        (["noendpoints"], ClusterOptions(noendpoints=True)),
        (["ignore empty_service"], ClusterOptions(ignore_empty_service=True)),
        (["zonal"], ClusterOptions(zonal=True)),
        (["multicluster"], ClusterOptions()),
    ],
)
def test_B5_options(options: list[str], expected: ClusterOptions) -> None:
    assert wanted(*options) == ClusterOptions(
        **{**{field: getattr(expected, field) for field in expected.__struct_fields__}, "manifests": ("objects",)}
    )


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("Corefile", "manifests objects", ("objects",)),
        ("/etc/coredns/Corefile", "manifests objects ../more/web.yaml /srv/m", ("/etc/coredns/objects", "/etc/more/web.yaml", "/srv/m")),
        ("etc/Corefile", "manifests .", ("etc",)),
        ("Corefile", "manifests a\nmanifests b", ("a", "b")),
    ],
)
def test_manifests_are_found_relative_to_the_corefile(path: str, line: str, expected: tuple[str, ...]) -> None:
    (feed,) = compile_kubernetes("cluster.local", line, path=path).feeds
    assert isinstance(feed.options, ClusterOptions)
    assert feed.options.manifests == expected


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("endpoint", "write: endpoint URL..."),
        ("namespaces", "write: namespaces NAME..."),
        ("labels", "write: labels SELECTOR..."),
        ("namespace_labels", "write: namespace_labels SELECTOR..."),
        ("labels environment in (production, qa", "unable to parse the label selector"),
        ("namespace_labels a b", "unable to parse the label selector"),
        ("pods giant_seed", "not one of disabled, insecure, verified"),
        ("pods", "write: pods MODE"),
        ("pods insecure verified", "write: pods MODE"),
        ("kubeconfig", "write: kubeconfig FILE [CONTEXT]"),
        ("kubeconfig file context extraarg", "write: kubeconfig FILE [CONTEXT]"),
        ("endpoint_pod_names giant_seed", "takes no arguments"),
        ("noendpoints ixnay on the endpointsay", "takes no arguments"),
        ("zonal us-west-2a", "takes no arguments"),
        ("ignore ixnay on the endpointsay", "not one of empty_service"),
        ("ttl", "write: ttl SECONDS"),
        ("ttl -1", "from 0 to 3600"),
        ("ttl 3601", "from 0 to 3600"),
        ("ttl 5s", "`5s` is no whole number"),
        ("tls cert key", "write: tls CERT KEY CACERT"),
        ("apiserver_qps -10", "at least 0"),
        ("apiserver_qps x", "`x` is no number"),
        ("apiserver_qps nan", "at least 0"),
        ("apiserver_qps", "write: apiserver_qps NUMBER"),
        ("apiserver_burst -5", "at least 0"),
        ("apiserver_max_inflight -1", "at least 0"),
        ("apiserver_max_inflight 1 2", "write: apiserver_max_inflight NUMBER"),
        ("startup_timeout", "write: startup_timeout DURATION"),
        ("startup_timeout 5", "`5` is no duration"),
        ("multicluster clusterset.local", "is not authoritative for the multicluster zone clusterset.local."),
        ("multicluster coredns.local a..b", "is no zone"),
        ("manifests", "write: manifests PATH..."),
        ("foo", "unknown option `foo`"),
        ("namespace demo", "did you mean `namespaces`?"),
        ("fallthrough a..b", "is no zone"),
    ],
)
def test_B5_D5_a_wrong_option_is_told_in_its_line(option: str, text: str) -> None:
    [(line, told)] = problems(MANIFESTS, option)
    assert line == 4
    assert text in told


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["namespaces foo bar", "namespace_labels istio-injection=enabled"], "namespaces and namespace_labels cannot both be set"),
        (["zonal", "noendpoints"], "zonal needs the endpoints that noendpoints turns off"),
    ],
)
def test_N2_options_that_exclude_each_other(options: list[str], text: str) -> None:
    [(line, told)] = problems(*options, MANIFESTS)
    assert line == 2
    assert text in told


def test_all_wrong_options_are_told() -> None:
    assert [line for line, _ in problems("ttl x", "pods x", "foo", MANIFESTS, "labels (")] == [3, 4, 5, 7]


def test_B5_kubernetes_stands_once_in_a_block() -> None:
    sources = sources_of_texts(
        {"Corefile": ".:53 {\nkubernetes coredns.local {\nmanifests a\n}\nkubernetes cluster.local {\nmanifests b\n}\n}"}
    )
    compilation = compile_plan(parse_corefile("Corefile", sources), sources)
    assert [(problem.code, problem.place.line) for problem in compilation.problems] == [("used-twice", 5)]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["endpoint http://localhost:9090 http://localhost:9091"],
        ["kubeconfig file"],
        ["kubeconfig file context", "startup_timeout 1s"],
        ["tls cert key ca"],
        ["apiserver_qps 50.0", "apiserver_burst 100", "apiserver_max_inflight 25"],
    ],
)
def test_B5_without_manifests_the_source_is_the_API_server(options: list[str]) -> None:
    assert problems(*options) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ApiOptions()),
        (["endpoint http://localhost:9090 http://localhost:9091"], ApiOptions(endpoint="http://localhost:9090")),
        (["kubeconfig file"], ApiOptions(kubeconfig="file")),
        (["kubeconfig file context"], ApiOptions(kubeconfig="file", context="context")),
        (["tls cert key ca"], ApiOptions(tls=("cert", "key", "ca"))),
        (["startup_timeout 1500ms"], ApiOptions(startup_seconds=1.5)),
        (["apiserver_qps 50.5", "apiserver_burst 100", "apiserver_max_inflight 25"], ApiOptions(qps=50.5, burst=100, inflight=25)),
        (["tls cert", "kubeconfig", "apiserver_qps inf", "apiserver_burst x", "startup_timeout -1s"], ApiOptions()),
    ],
)
def test_B5_how_to_reach_the_api_server(options: list[str], expected: ApiOptions) -> None:
    sources = sources_of_texts({"Corefile": ".:53 {\nkubernetes cluster.local {\n" + "\n".join(options) + "\n}\n}"})
    block = BlockContext(zones=(".",), sources=sources, directory="")
    DIRECTIVE.compile(parse_corefile("Corefile", sources).tree.blocks[0].lines, block)
    (feed,) = block.feeds
    assert isinstance(feed.options, ClusterOptions)
    assert feed.options.api == expected


def test_B5_with_manifests_the_options_of_the_api_have_no_effect() -> None:
    assert compile_kubernetes("a.local", MANIFESTS, "kubeconfig file").feeds == compile_kubernetes("a.local", MANIFESTS).feeds
    told = problems(MANIFESTS, "endpoint a b", "kubeconfig file", severity=Severity.WARNING)
    assert [line for line, _ in told] == [4, 4, 5]
    assert problems(MANIFESTS, "endpoint a b", "kubeconfig file") == []


@pytest.mark.parametrize("option", ["ignore empty_service ixnay", "ttl 5 6", "startup_timeout 1s 2s"])
def test_B5_words_that_coredns_does_not_look_at_are_no_error(option: str) -> None:
    assert problems(MANIFESTS, option) == []
    assert any("means nothing here" in text for _, text in problems(MANIFESTS, option, severity=Severity.WARNING))
