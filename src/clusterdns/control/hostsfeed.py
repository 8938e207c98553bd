"""The zones of `hosts`: the file, looked at again and again, and the entries of the Corefile.

A small file is read at once. A large one is read by a thread, and handed over a part at a time: nobody who is steered waits for it. Until
all of it has been read once its zone is loading; later the old names stay until the new ones come. A file that is gone changes nothing.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from stat import S_ISREG
from threading import Semaphore, Thread
from typing import BinaryIO, NamedTuple

from clusterdns.cluster import Ref
from clusterdns.control.feeds import Fed, Feed, Surroundings
from clusterdns.control.origins import UNKNOWN, Origins
from clusterdns.directives import block
from clusterdns.hostsfile import HostsOptions, HostsReader, read_entries
from clusterdns.metrics import Metrics
from clusterdns.zones import Owner, ZoneChange

OPTIONS = HostsOptions

LARGEST_FILE = 256 * 1024 * 1024
SMALL_FILE = 256 * 1024
"""Octets; they are read in less than a tenth of a second."""
CHUNK = 1024 * 1024
PART = 512 * 1024
"""Octets of a file that become one transaction: about 15,000 names."""
ROOM = 2
AGAIN_SECONDS = 1.0
PATIENCE = 60.0
NOTHING_NEW = Fed(None)


def new_feed(wanted: block.Feed, around: Surroundings) -> Feed:
    """The feed of the file, or of the entries beside it."""
    options = wanted.options
    assert isinstance(options, HostsOptions)
    if options.entries is not None:
        return EntriesFeed(wanted.zone, options, around.metrics)
    return HostsFeed(wanted.zone, options, around.origins, around.metrics, around.wake)


class EntryCount:
    """How many entries a feed has, in a gauge that those of the same file share."""

    def __init__(self, metrics: Metrics, path: str) -> None:
        self._gauge = metrics.gauge("coredns_hosts_entries", "Entries of the hosts file and of the Corefile.", "hostsfile")
        self._path = path
        self._count = 0

    def set(self, count: int) -> None:
        """So many from now on."""
        self._gauge.add(count - self._count, self._path)
        self._count = count


class EntriesFeed:
    """The entries of the Corefile: they are what they are."""

    directive = "hosts"
    hindrance = ""
    patience = 0.0

    def __init__(self, zone: str, options: HostsOptions, metrics: Metrics) -> None:
        self.zone = zone
        self.options = options
        self.filled = False
        self._entries = EntryCount(metrics, options.path)

    def start(self) -> None:
        """There is nothing to start."""

    def due(self) -> float:
        """Once."""
        return float("inf") if self.filled else 0.0

    def taken_up(self, around: Surroundings) -> None:
        """Other entries are another zone."""

    def undo(self) -> None:
        """They are given again."""
        self.filled = False

    def close(self) -> None:
        """They count no more."""
        self._entries.set(0)

    def poll(self, serial: int) -> Fed:
        """All of them, once. Lines that say nothing have been told when the Corefile was read."""
        if self.filled:
            return NOTHING_NEW
        self.filled = True
        reader = read_entries(self.options, self.options.entries or ())
        self._entries.set(reader.entries)
        return Fed(ZoneChange(tuple(owner for part in reader.parts() for owner in part), serial, replace=True))


class Version(NamedTuple):
    """What tells a file from what it was before: as CoreDNS does, when it was written (nanoseconds), and its size."""

    mtime: int
    size: int


class HostsFeed:
    """Reads the file when it is another one. `wake` is called from its thread when there is something to ask it for."""

    directive = "hosts"
    hindrance = ""
    patience = PATIENCE

    def __init__(
        self,
        zone: str,
        options: HostsOptions,
        origins: Origins,
        metrics: Metrics,
        wake: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.zone = zone
        self.options = options
        self.filled = False
        self._entries = EntryCount(metrics, options.path)
        self._reloaded = metrics.gauge("coredns_hosts_reload_timestamp_seconds", "When the hosts file that was read last was written.")
        self._origins = origins
        self._origin = origins.take(Ref("file", "", options.path))
        self._wake = wake
        self._clock = clock
        self._next_look = 0.0
        self._version: Version | None = None
        self._reading: Reading | None = None
        self._told = ""

    def start(self) -> None:
        """There is nothing to start: the file is looked at when it is time."""

    def due(self) -> float:
        """When to look at the file; while it is being read, when a part is there."""
        if self._reading is not None:
            return 0.0 if self._reading.parts else float("inf")
        return self._next_look

    def taken_up(self, around: Surroundings) -> None:
        """The file is looked at now, also if it is not to be looked at all the time."""
        self._next_look = 0.0

    def undo(self) -> None:
        """The last part could not be applied: the file is read again, after a while."""
        self._stop_reading()
        self._version = None
        self._next_look = self._clock() + AGAIN_SECONDS

    def close(self) -> None:
        """Ends reading."""
        self._stop_reading()
        self._entries.set(0)
        if self._origin != UNKNOWN:
            self._origins.give_back(self._origin)
            self._origin = UNKNOWN

    def poll(self, serial: int) -> Fed:
        """The next part of what is being read, or what the file holds if it has changed."""
        if self._reading is not None:
            return self._take_part(self._reading, serial)
        every = self.options.reload_seconds
        self._next_look = self._clock() + every if every else float("inf")
        try:
            return self._look(serial)
        except FileNotFoundError:
            return self._nothing(serial, "" if self.filled or not self.options.named else f"File does not exist: {self.options.path}")
        except IsADirectoryError:
            return self._nothing(serial, f'Hosts file "{self.options.path}" is a directory')
        except OSError as why:
            self._version = None
            return self._nothing(serial, f"{self.options.path} cannot be read: {why.strerror}")

    def _look(self, serial: int) -> Fed:
        """What the file holds, if it is another one. Raises `OSError`."""
        path = self.options.path
        if _version(os.stat(path)) == self._version:
            return NOTHING_NEW
        with ExitStack() as opened:
            file = opened.enter_context(open(path, "rb", opener=_open_at_once))
            status = os.fstat(file.fileno())
            if not S_ISREG(status.st_mode):
                return self._nothing(serial, f'Hosts file "{path}" is no regular file')
            version = _version(status)
            if version.size > LARGEST_FILE:
                return self._nothing(serial, f"{path} is not read: it has {version.size} octets, at most {LARGEST_FILE} are possible")
            self._version = version
            reader = HostsReader(self.options, count=1 + version.size // PART)
            if version.size > SMALL_FILE:
                opened.pop_all()
                self._reading = Reading(file, reader, version, self._origin, self._wake)
                return NOTHING_NEW
            _read(file, reader)
        owners = tuple(owner for part in reader.parts(self._origin) for owner in part)
        return Fed(ZoneChange(owners, serial, replace=True), lines=self._has_read(reader, version))

    def _take_part(self, reading: Reading, serial: int) -> Fed:
        part = reading.take()
        if part is None:
            return NOTHING_NEW
        if isinstance(part, OSError):
            self._reading = self._version = None
            return self._nothing(serial, f"{self.options.path} cannot be read: {part.strerror}")
        change = ZoneChange(part.owners, serial, replace=part.is_last, complete=part.is_last or self.filled, begins=part.is_first)
        if not part.is_last:
            return Fed(change)
        self._reading = None
        return Fed(change, lines=self._has_read(reading.reader, reading.version))

    def _has_read(self, reader: HostsReader, version: Version) -> tuple[str, ...]:
        """The file is in the zone; gives what there is to say about it that has not been said."""
        self.filled = True
        self._entries.set(reader.entries)
        self._reloaded.set(version.mtime / 1e9)
        flaw = reader.first_flaw
        if flaw is None:
            return self._tell("")
        count = f"{reader.flaws} entries are left out, the first" if reader.flaws > 1 else "an entry is left out"
        return self._tell(f"{self.options.path}:{flaw.line}: {count}: {flaw.why}")

    def _nothing(self, serial: int, why: str) -> Fed:
        """There is no file to read: what was read before stays; before anything was, that is all there is."""
        lines = self._tell(why)
        if self.filled:
            return Fed(None, lines=lines)
        self.filled = True
        return Fed(ZoneChange((), serial, replace=True), lines=lines)

    def _tell(self, words: str) -> tuple[str, ...]:
        """A warning, unless it is what was said last."""
        if words == self._told:
            return ()
        self._told = words
        return (f"[WARNING] plugin/hosts: {words}",) if words else ()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.stop()
            self._reading = None


class Part(NamedTuple):
    """Some names of a file."""

    owners: tuple[Owner, ...]
    is_first: bool
    is_last: bool


class Reading:
    """A large file while a thread reads it. Parts wait for room, and wake whoever takes them."""

    def __init__(self, file: BinaryIO, reader: HostsReader, version: Version, origin: int, wake: Callable[[], None]) -> None:
        self.reader = reader
        self.version = version
        self.parts: deque[Part | OSError] = deque()
        self._wake = wake
        self._room = Semaphore(ROOM)
        self._stopped = False
        Thread(target=self._read, args=(file, origin), name="hosts", daemon=True).start()

    def take(self) -> Part | OSError | None:
        """The next part, if it is there; or why the file cannot be read."""
        if not self.parts:
            return None
        part = self.parts.popleft()
        self._room.release()
        return part

    def stop(self) -> None:
        """The rest is not wanted."""
        self._stopped = True
        self._room.release()

    def _read(self, file: BinaryIO, origin: int) -> None:
        """The thread's work."""
        try:
            with file:
                _read(file, self.reader, lambda: self._stopped)
        except OSError as why:
            self.parts.append(why)
            self._wake()
            return
        for part in _marked(self.reader.parts(origin)):
            self._room.acquire()
            if self._stopped:
                return
            self.parts.append(part)
            self._wake()


def _marked(parts: Iterator[tuple[Owner, ...]]) -> Iterator[Part]:
    """The parts of a file, of which there is at least one; the first and the last are told."""
    part, is_first = next(parts), True
    for following in parts:
        yield Part(part, is_first, is_last=False)
        part, is_first = following, False
    yield Part(part, is_first, is_last=True)


def _open_at_once(path: str, flags: int) -> int:
    """What stands there may be something that waits for a writer."""
    return os.open(path, flags | os.O_NONBLOCK)


def _version(status: os.stat_result) -> Version:
    """The version that a file's status tells of."""
    return Version(status.st_mtime_ns, status.st_size)


def _read(file: BinaryIO, reader: HostsReader, is_stopped: Callable[[], bool] = lambda: False) -> None:
    """Takes the file in, but not without end if it grows meanwhile. Raises `OSError`."""
    left = LARGEST_FILE
    while left > 0 and not is_stopped() and (octets := file.read(CHUNK)):
        reader.take(octets)
        left -= len(octets)
    reader.finish()
