"""What `/metrics` says of following an API server."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.controlplane.eventually import eventually, synced
from tests.faults.apiserver import ApiServer, Object
from tests.server.process import write_corefile
from tests.server.test_health import get
from tests.servers import Running, free_port, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """An API server with a Service."""
    with ApiServer() as api:
        api.put("namespaces", {"metadata": {"name": "shop"}})
        api.put("services", {"metadata": {"name": "cart", "namespace": "shop"}, "spec": {"clusterIP": "10.96.0.1"}})
        yield api


class Scraped:
    """The metrics of a server, as Prometheus gets them."""

    def __init__(self) -> None:
        self.port = free_port()

    def samples(self) -> list[str]:
        """All samples."""
        status, text = get(self.port, "/metrics")
        assert status == 200
        return [line for line in text.splitlines() if not line.startswith("#")]

    def families(self) -> dict[str, set[str]]:
        """The families about Kubernetes, each with its labels."""
        found: dict[str, set[str]] = {}
        for family in text_string_to_metric_families(get(self.port, "/metrics")[1]):
            if re.match("(coredns|clusterdns)_kubernetes_", family.name):
                labels = {label for sample in family.samples for label in sample.labels}
                found[family.name + ("_total" if family.type == "counter" else "")] = labels - {"le"}
        return found

    def zones(self) -> dict[str, str]:
        """Whether the Services of each zone have been listed."""
        found = (line.removeprefix('clusterdns_kubernetes_listed{kind="Service",zone=').split("} ") for line in self.samples())
        return {parts[0].strip('"'): parts[1] for parts in found if len(parts) == 2 and parts[0].startswith('"')}

    def taken_up(self) -> str:
        """When the running configuration was taken up."""
        (line,) = (line for line in self.samples() if line.startswith("clusterdns_config_last_reload_success_timestamp_seconds"))
        return line


def block(api: ApiServer, scraped: Scraped, *options: str, key: str = ".:PORT") -> str:
    """A server block that follows the API server."""
    lines = "\n".join(("kubernetes cluster.local in-addr.arpa {", f"endpoint {api.url}", *options, "}"))
    return f"{key} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{scraped.port}\n{lines}\n}}\n"


def reload(server: Running, text: str) -> None:
    """Takes another Corefile up."""
    write_corefile(server.directory, text, server.port)
    before = len(server.lines)
    os.kill(server.process.pid, signal.SIGUSR1)
    server.wait_for("Reloading complete", before)


def slice_of(address: str, triggered: datetime) -> Object:
    """The slice of the Service, as a controller writes it."""
    annotations = {"endpoints.kubernetes.io/last-change-trigger-time": triggered.isoformat()}
    labels = {"kubernetes.io/service-name": "cart"}
    metadata = {"name": "cart-1", "namespace": "shop", "labels": labels, "annotations": annotations}
    return {"metadata": metadata, "addressType": "IPv4", "endpoints": [{"addresses": [address]}], "ports": []}


def documented() -> dict[str, set[str]]:
    """The metrics of the directive's page, each with its labels."""
    page = (Path(__file__).parents[2] / "docs/directives/kubernetes.md").read_text()
    rows = re.findall(r"^\| `((?:coredns|clusterdns)_kubernetes_\w+)` \| (.*?) \|", page, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def test_what_is_shown_and_what_is_documented_are_the_same(api: ApiServer, tmp_path: Path) -> None:
    scraped = Scraped()
    with serving(tmp_path, block(api, scraped, "apiserver_qps 1000")) as server:
        synced(server)
        api.put("endpointslices", slice_of("10.0.0.1", datetime.now(UTC)))
        eventually(lambda: scraped.families().keys() >= documented().keys(), "what is documented")
        assert scraped.families() == documented()


def test_a_zone_is_called_as_in_the_corefile_before_and_after_a_reload(api: ApiServer, tmp_path: Path) -> None:
    scraped = Scraped()
    with serving(tmp_path, block(api, scraped)) as server:
        synced(server)
        eventually(lambda: scraped.zones() == {"cluster.local.": "1"}, "the zone's state")
        before = scraped.taken_up()
        reload(server, block(api, scraped, "ttl 30"))
        eventually(lambda: scraped.taken_up() != before, "the reload")
        assert scraped.zones() == {"cluster.local.": "1"}


def test_zones_of_the_same_name_are_numbered(api: ApiServer, tmp_path: Path) -> None:
    scraped = Scraped()
    other = block(api, scraped, "ttl 30", key=f".:{free_port()}")
    with serving(tmp_path, block(api, scraped) + other) as server:
        synced(server)
        eventually(lambda: scraped.zones() == {"cluster.local.": "1", "cluster.local.#2": "1"}, "both zones' state")
        reload(server, other)
        eventually(lambda: scraped.zones() == {"cluster.local.": "1"}, "the state of the one that is left")
