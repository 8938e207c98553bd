"""What `/metrics` says of following an API server."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane.eventually import eventually, synced
from tests.faults.apiserver import ApiServer
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
