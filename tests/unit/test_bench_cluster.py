"""The cluster that the bench measures with."""

import json
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from bench.cluster import SHAPES, Size, objects, service_name, write_manifests
from bench.configurations import corefile_of_cache, corefile_of_cluster, unbound_of_cluster
from bench.rows import CACHED_NAMES, NAMES, ROWS, Row, questions
from clusterdns.cluster import EndpointSlice, Namespace, Service, decode_endpoint_slice, decode_namespace, decode_service
from clusterdns.compiler import compile_plan
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.sources import sources_of_texts

SIZE = Size(200, 2000)
View = Namespace | Service | EndpointSlice
DECODERS: dict[str, Callable[[bytes], View]] = {
    "Namespace": decode_namespace,
    "Service": decode_service,
    "EndpointSlice": decode_endpoint_slice,
}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[View]:
    """The objects of a cluster, read as the product reads them."""
    path = tmp_path_factory.mktemp("cluster") / "cluster.json"
    write_manifests(path, SIZE)
    items = json.loads(path.read_text())["items"]
    return [DECODERS[item["kind"]](json.dumps(item).encode()) for item in items]


def test_it_has_the_size_that_was_asked_for(views: list[View]) -> None:
    services = [view for view in views if isinstance(view, Service)]
    slices = [view for view in views if isinstance(view, EndpointSlice)]
    assert len(services) == len(slices) == SIZE.services
    assert sum(len(piece.endpoints) for piece in slices) == SIZE.endpoints
    assert {view.namespace for view in services} == {view.name for view in views if isinstance(view, Namespace)}
    assert sum(service.headless for service in services) == 60
    assert sum(bool(piece.endpoints and piece.endpoints[0].hostname) for piece in slices) == 20


def test_no_address_is_there_twice_and_none_is_outside_the_usual_networks(views: list[View]) -> None:
    clusters = [ip for view in views if isinstance(view, Service) and not view.headless for ip in view.cluster_ips]
    pods = [endpoint.address for view in views if isinstance(view, EndpointSlice) for endpoint in view.endpoints]
    assert len({*clusters, *pods}) == len(clusters) + len(pods)
    assert all(ip_address(address) in ip_network("10.0.0.0/8") for address in (*clusters, *pods))


def test_the_same_size_gives_the_same_objects(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.json", "two.json")]
    for path in paths:
        write_manifests(path, Size(20, 200))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_slices_are_as_large_as_those_of_an_api_server() -> None:
    # Recorded from one: 1,321 octets for a slice with one endpoint, and about 200 for each further one.
    slices = [item for item in objects(SIZE) if item["kind"] == "EndpointSlice" and len(item["endpoints"] or ()) == 10]
    octets = [len(json.dumps(item, separators=(",", ":"))) for item in slices]
    assert 3_000 < min(octets) <= max(octets) < 5_000


def test_the_shares_give_each_service_as_many_endpoints_as_asked_for_on_average() -> None:
    assert sum(shape.share for shape in SHAPES) == len(SHAPES)


@pytest.mark.parametrize("row", [row for row in ROWS if row.setup == "cluster"], ids=lambda row: row.name)
def test_the_questions_are_about_names_that_are_there_or_not(row: Row) -> None:
    names = {".".join(reversed(service_name(number))) + ".svc.cluster.local" for number in range(SIZE.services)}
    asked = [line.removesuffix(" A") for line in questions(row, SIZE)]
    assert asked == [line.removesuffix(" A") for line in questions(row, SIZE)], "each run asks the same"
    assert 1 < len(set(asked)) == len(asked) <= NAMES
    assert names.isdisjoint(asked) if row.absent else names.issuperset(asked)


def test_unbound_holds_the_same_addresses(views: list[View], tmp_path: Path) -> None:
    data = [line.split('"')[1].split() for line in unbound_of_cluster(5300, SIZE, tmp_path).splitlines() if line.startswith("local-data")]
    clusters = [view for view in views if isinstance(view, Service) and not view.headless]
    expected = {(f"{service.name}.{service.namespace}.svc.cluster.local.", ip) for service in clusters for ip in service.cluster_ips}
    headless = {(v.namespace, v.name) for v in views if isinstance(v, Service) and v.headless}
    for view in views:
        if isinstance(view, EndpointSlice) and (view.namespace, view.service) in headless:
            expected |= {(f"{view.service}.{view.namespace}.svc.cluster.local.", endpoint.address) for endpoint in view.endpoints}
    assert {(words[0], words[-1]) for words in data} == expected


def test_a_cache_is_asked_for_as_many_names_as_it_is_to_hold() -> None:
    cached = next(row for row in ROWS if row.name == "cached")
    assert len(set(questions(cached, SIZE))) == CACHED_NAMES


@pytest.mark.parametrize(
    "corefile",
    [
        corefile_of_cluster(5300, Path("/tmp/x.json")),
        corefile_of_cache(5300, 5301, tcp=False),
        corefile_of_cache(5300, 5301, tcp=True, metrics=5302),
    ],
)
def test_the_corefiles_are_good(corefile: str) -> None:
    sources = sources_of_texts({"Corefile": corefile})
    assert compile_plan(parse_corefile("Corefile", sources), sources).problems == ()
