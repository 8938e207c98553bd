"""What the server itself counts: which program this is, and how its configuration came about. It tells the engine now and then."""

from __future__ import annotations

from collections.abc import Callable

from clusterdns.control.config import Configuration
from clusterdns.metrics import Metrics
from clusterdns.version import COREDNS, VERSION

LEAST_PAUSE = 1.0
"""Seconds between two tellings: counts may change with each event."""


class ServerMetrics:
    """The metrics of Python's side. `metrics` are those of all who count here; `tell` gives a text to the engine."""

    def __init__(self, metrics: Metrics, tell: Callable[[str], None]) -> None:
        self._metrics = metrics
        self._tell = tell
        self._told = float("-inf")
        build = metrics.gauge("coredns_build_info", "What this program is; always 1.", "version", "revision", "goversion")
        build.set(1, COREDNS, f"clusterdns-{VERSION}", "")
        self._failed = metrics.counter("coredns_reload_failed_total", "Configurations that could be read, but not be taken up.")
        self._version = metrics.gauge("coredns_reload_version_info", "The hash of the running configuration; always 1.", "hash", "value")
        self._successful = metrics.gauge("clusterdns_config_last_reload_successful", "Whether the last configuration could be taken up.")
        self._taken_up = metrics.gauge(
            "clusterdns_config_last_reload_success_timestamp_seconds", "When the running configuration was taken up, in seconds since 1970."
        )
        # CoreDNS has it whether there is a hosts file or not.
        metrics.gauge("coredns_hosts_reload_timestamp_seconds", "When the hosts file that was read last was written.").set(0)

    def taken_up(self, configuration: Configuration, now: float) -> None:
        """A configuration runs from now on (seconds since 1970)."""
        self._successful.set(1)
        self._taken_up.set(now)
        self._version.clear()
        if configuration.reload is not None:
            self._version.set(1, "sha512", configuration.hash)

    def as_before(self) -> None:
        """The Corefile says again what runs."""
        self._successful.set(1)

    def unreadable(self) -> None:
        """The text is no Corefile: as in CoreDNS this does not count as a reload that failed."""
        self._successful.set(0)

    def failed(self) -> None:
        """A configuration could not be taken up."""
        self._successful.set(0)
        self._failed.add()

    def tell_changes(self, now: float) -> float:
        """Tells the engine what has changed, but not too often; gives when it wants to be called again (both by one clock)."""
        if not self._metrics.changed:
            return float("inf")
        if now < self._told + LEAST_PAUSE:
            return self._told + LEAST_PAUSE
        self._told = now
        self._tell(self._metrics.text())
        return float("inf")
