"""What the server tells of itself."""

from clusterdns.control.config import Configuration, read_configuration
from clusterdns.control.servermetrics import LEAST_PAUSE, ServerMetrics
from clusterdns.metrics import Metrics
from clusterdns.sources import sources_of_texts
from clusterdns.version import VERSION


def configuration(reload: str) -> Configuration:
    """One that works."""
    return read_configuration("Corefile", sources_of_texts({"Corefile": f".:53 {{\n    {reload}\n    whoami\n}}"}), 53)


class Told:
    """What the engine would be told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.metrics = Metrics()
        self.own = ServerMetrics(self.metrics, self.texts.append)

    def value(self, name: str) -> str:
        """A sample of the text."""
        return next(line.rpartition(" ")[2] for line in self.metrics.text().splitlines() if line.startswith(name))


def test_a_failed_reload_counts_and_an_unreadable_one_does_not() -> None:
    told = Told()
    told.own.taken_up(configuration("reload"), 1234.5)
    assert told.value("clusterdns_config_last_reload_success_timestamp_seconds") == "1234.5"
    assert (told.value("clusterdns_config_last_reload_successful"), told.value("coredns_reload_failed_total")) == ("1", "0")
    for happens, successful, failed in [
        (told.own.unreadable, "0", "0"),
        (told.own.failed, "0", "1"),
        (told.own.as_before, "1", "1"),
    ]:
        happens()
        assert told.value("clusterdns_config_last_reload_successful") == successful
        assert told.value("coredns_reload_failed_total") == failed


def test_the_running_configuration_has_one_hash_if_it_is_reloaded() -> None:
    told = Told()
    for reload in ("reload", "reload 5s", "errors"):
        running = configuration(reload)
        told.own.taken_up(running, 1)
        lines = [line for line in told.metrics.text().splitlines() if line.startswith("coredns_reload_version_info")]
        expected = f'coredns_reload_version_info{{hash="sha512",value="{running.hash}"}} 1'
        assert lines == ([expected] if reload != "errors" else [])


def test_the_program_says_what_it_is() -> None:
    line = f'coredns_build_info{{goversion="",revision="clusterdns-{VERSION}",version="1.14.7"}} 1'
    assert line in Told().metrics.text().splitlines()


def test_changes_are_told_at_most_once_a_second() -> None:
    told = Told()
    assert told.own.tell_changes(100.0) == float("inf")
    assert len(told.texts) == 1
    assert told.own.tell_changes(100.1) == float("inf"), "nothing has changed"
    told.own.failed()
    assert told.own.tell_changes(100.2) == 100.0 + LEAST_PAUSE
    assert len(told.texts) == 1
    assert told.own.tell_changes(101.0) == float("inf")
    assert "coredns_reload_failed_total 1\n" in told.texts[1]
