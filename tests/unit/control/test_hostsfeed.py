"""The feeds of `hosts`: when the file is read, what is said about it, and that a large one comes in parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from unittest.mock import Mock

import msgspec
import pytest

from clusterdns.control import hostsfeed
from clusterdns.control.feeds import Fed
from clusterdns.control.hostsfeed import EntriesFeed, HostsFeed
from clusterdns.control.origins import Origins
from clusterdns.hostsfile import HostsOptions
from clusterdns.metrics import Metrics
from clusterdns.zones import ZoneChange

PATIENCE = 20.0


class Fixture:
    """A feed of a file, and a clock that the test moves."""

    def __init__(self, path: Path, reload_seconds: float = 5.0, named: bool = True) -> None:
        self.path = path
        self.now = 1000.0
        self.origins = Origins()
        self.woken = Event()
        options = HostsOptions(str(path), named, (".",), 60, False, reload_seconds)
        self.metrics = Metrics()
        self.feed = HostsFeed("hosts/1", options, self.origins, self.metrics, self.woken.set, lambda: self.now)

    def counted(self) -> list[str]:
        """What metrics tell."""
        return [line for line in self.metrics.text().splitlines() if not line.startswith("#")]

    def write(self, text: str) -> None:
        """Writes the file, at a time of its own."""
        self.path.write_text(text)
        os.utime(self.path, (self.now, self.now))

    def poll(self) -> Fed:
        """What the feed has at its time, which it must be."""
        self.now = max(self.now, self.feed.due())
        return self.feed.poll(7)

    def names(self) -> list[str] | None:
        """The names of the next transaction, if there is one; it is all of them."""
        change = self.poll().change
        if change is None:
            return None
        assert change.replace
        assert change.complete
        return [owner.name for owner in change.owners]

    def changes(self) -> Iterator[tuple[ZoneChange, tuple[str, ...]]]:
        """The transactions of a large file, as its thread brings them."""
        while True:
            while self.feed.due() > self.now:
                assert self.woken.wait(PATIENCE)
                self.woken.clear()
            fed = self.poll()
            if fed.change is None:
                continue
            yield fed.change, fed.lines
            if fed.change.replace:
                return


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of more than 10 octets are large, and come in parts of about 100."""
    monkeypatch.setattr(hostsfeed, "SMALL_FILE", 10)
    monkeypatch.setattr(hostsfeed, "PART", 100)


@pytest.fixture
def hosts(tmp_path: Path) -> Fixture:
    """A feed of a file that is not there yet."""
    return Fixture(tmp_path / "hosts")


def test_a_file_is_read_at_once_and_again_when_it_has_changed(hosts: Fixture) -> None:
    hosts.write("192.0.2.1 a\n")
    assert (hosts.names(), hosts.feed.filled, hosts.feed.due()) == (["a"], True, 1005.0)
    assert hosts.names() is None
    hosts.write("192.0.2.1 b\n")
    assert hosts.names() == ["b"]


@pytest.mark.parametrize("touch", [lambda path: os.utime(path, (1, 1)), lambda path: path.write_text("192.0.2.1 a #\n")])
def test_another_time_or_size_is_a_change(hosts: Fixture, touch: Callable[[Path], None]) -> None:
    hosts.write("192.0.2.1 a\n")
    hosts.poll()
    before = hosts.path.stat()
    touch(hosts.path)
    if hosts.path.stat().st_size != before.st_size:
        os.utime(hosts.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hosts.names() == ["a"]


def test_with_reload_0_it_is_read_again_only_when_a_configuration_is_taken_up(tmp_path: Path) -> None:
    hosts = Fixture(tmp_path / "hosts", reload_seconds=0)
    hosts.write("192.0.2.1 a\n")
    hosts.poll()
    assert hosts.feed.due() == float("inf")
    hosts.write("192.0.2.1 bb\n")
    hosts.feed.taken_up(Mock())
    assert hosts.names() == ["bb"]
    assert hosts.feed.due() == float("inf")


def test_a_file_that_is_not_there_is_told_once_and_completes_the_zone(hosts: Fixture) -> None:
    fed = hosts.poll()
    assert fed == Fed(ZoneChange((), 7, replace=True), lines=(f"[WARNING] plugin/hosts: File does not exist: {hosts.path}",))
    assert hosts.poll() == Fed(None)
    hosts.write("192.0.2.1 a\n")
    assert hosts.names() == ["a"]


def test_a_file_that_nobody_named_may_be_missing(tmp_path: Path) -> None:
    assert Fixture(tmp_path / "hosts", named=False).poll() == Fed(ZoneChange((), 7, replace=True))


def test_a_file_that_is_gone_changes_nothing_but_an_empty_one_does(hosts: Fixture) -> None:
    hosts.write("192.0.2.1 a\n")
    hosts.poll()
    hosts.path.unlink()
    assert hosts.poll() == Fed(None)
    hosts.write("")
    assert hosts.names() == []


def test_what_is_no_file_is_told_once_and_not_waited_for(hosts: Fixture) -> None:
    hosts.path.mkdir()
    assert hosts.poll().lines == (f'[WARNING] plugin/hosts: Hosts file "{hosts.path}" is a directory',)
    assert hosts.poll() == Fed(None)
    hosts.path.rmdir()
    os.mkfifo(hosts.path)
    assert hosts.poll().lines == (f'[WARNING] plugin/hosts: Hosts file "{hosts.path}" is no regular file',)


def test_a_file_that_may_not_be_read_is_told_and_read_once_it_may(hosts: Fixture) -> None:
    hosts.write("192.0.2.1 a\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hostsfeed, "_open_at_once", Mock(side_effect=PermissionError(13, "Permission denied")))
        assert hosts.poll().lines == (f"[WARNING] plugin/hosts: {hosts.path} cannot be read: Permission denied",)
    assert hosts.names() == ["a"]


def test_a_file_that_is_too_large_is_not_read(hosts: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts.write("192.0.2.1 a\n")
    hosts.poll()
    monkeypatch.setattr(hostsfeed, "LARGEST_FILE", 20)
    hosts.write("192.0.2.1 a b c d e f\n")
    words = f"{hosts.path} is not read: it has 22 octets, at most 20 are possible"
    assert hosts.poll() == Fed(None, lines=(f"[WARNING] plugin/hosts: {words}",))
    assert hosts.poll() == Fed(None)


def test_lines_that_make_no_sense_are_told_once(hosts: Fixture) -> None:
    hosts.write("192.0.2.1 a\njunk b\n")
    assert hosts.poll().lines == (f"[WARNING] plugin/hosts: {hosts.path}:2: an entry is left out: `junk` is no IP address",)
    hosts.write("192.0.2.1 a\njunk b\n192.0.2.2 c\n")
    assert hosts.poll().lines == (), "there is nothing new to say"
    hosts.write("192.0.2.1 a\njunk b\njunk c\n")
    assert hosts.poll().lines == (f"[WARNING] plugin/hosts: {hosts.path}:2: 2 entries are left out, the first: `junk` is no IP address",)


def test_what_could_not_be_applied_is_given_again_after_a_while(hosts: Fixture) -> None:
    hosts.write("192.0.2.1 a\n")
    hosts.poll()
    hosts.feed.undo()
    assert hosts.feed.due() == 1001.0
    assert hosts.names() == ["a"]


def test_each_name_carries_the_file_it_is_from_until_the_feed_ends(hosts: Fixture) -> None:
    hosts.write("192.0.2.1 a\n")
    change = hosts.poll().change
    assert change is not None
    (owner,) = change.owners
    assert hosts.origins.describe([owner.origin]) == [f"file {hosts.path}"]
    hosts.feed.close()
    hosts.feed.close()
    assert hosts.origins.describe([owner.origin]) == [f"unknown object #{owner.origin}"]


def test_how_much_there_is_and_when_it_was_written(hosts: Fixture) -> None:
    assert hosts.counted() == []
    hosts.write("192.0.2.1 a b\n")
    hosts.poll()
    entries = f'coredns_hosts_entries{{hostsfile="{hosts.path}"}}'
    assert hosts.counted() == [f"{entries} 2", "coredns_hosts_reload_timestamp_seconds 1000"]
    beside = EntriesFeed("hosts/2", msgspec.structs.replace(hosts.feed.options, entries=("192.0.2.1 a",)), hosts.metrics)
    beside.poll(1)
    assert hosts.counted()[0] == f"{entries} 3"
    beside.close()
    assert hosts.counted()[0] == f"{entries} 2"


LARGE = "".join(f"192.0.2.1 name-{number}\n" for number in range(100)) + "junk x\n"


@pytest.mark.usefixtures("parts")
def test_a_large_file_comes_in_parts_that_are_one_relist(hosts: Fixture) -> None:
    hosts.write(LARGE)
    assert hosts.poll() == Fed(None)
    assert not hosts.feed.filled
    changes = list(hosts.changes())
    assert len(changes) > 10
    assert sorted(owner.name for change, _ in changes for owner in change.owners) == sorted(f"name-{number}" for number in range(100))
    ends = [(change.begins, change.replace, change.complete) for change, _ in changes]
    assert ends == [(True, False, False), *[(False, False, False)] * (len(changes) - 2), (False, True, True)]
    assert [lines for _, lines in changes if lines] == [
        (f"[WARNING] plugin/hosts: {hosts.path}:101: an entry is left out: `junk` is no IP address",)
    ]
    assert (hosts.feed.filled, hosts.feed.due()) == (True, 1005.0)
    assert hosts.counted()[0].endswith(" 100")


@pytest.mark.usefixtures("parts")
def test_what_is_known_stays_complete_while_a_large_file_is_read_again(hosts: Fixture) -> None:
    hosts.write("::1 a\n")
    assert hosts.names() is not None
    hosts.write(LARGE)
    hosts.poll()
    assert all(change.complete for change, _ in hosts.changes())


@pytest.mark.usefixtures("parts")
def test_a_part_that_could_not_be_applied_begins_the_file_anew(hosts: Fixture) -> None:
    hosts.write(LARGE)
    hosts.poll()
    next(hosts.changes())
    hosts.feed.undo()
    assert hosts.poll() == Fed(None)
    changes = [change for change, _ in hosts.changes()]
    assert changes[0].begins
    assert len({owner.name for change in changes for owner in change.owners}) == 100


@pytest.mark.usefixtures("parts")
def test_a_feed_that_ends_while_its_file_is_read_waits_for_nobody(hosts: Fixture) -> None:
    hosts.write(LARGE)
    hosts.poll()
    next(hosts.changes())
    hosts.feed.close()
    assert hosts.feed.due() < float("inf"), "nothing is being read any more"


def test_entries_are_given_once_and_again_if_they_must() -> None:
    options = HostsOptions("/etc/hosts", False, (".",), 60, True, 5.0)
    feed = EntriesFeed("hosts/2", msgspec.structs.replace(options, entries=("192.0.2.1 a", "junk")), Metrics())
    assert feed.due() == 0.0
    change = feed.poll(7).change
    assert change is not None
    assert [owner.name for owner in change.owners] == ["a", "1.2.0.192.in-addr.arpa"]
    assert (change.replace, change.complete) == (True, True)
    assert (feed.due(), feed.poll(8)) == (float("inf"), Fed(None))
    feed.undo()
    assert feed.poll(9).change is not None
