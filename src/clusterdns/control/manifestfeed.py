"""A zone's feed from manifests: the files are read when they have changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from clusterdns.control.feeds import Fed, Surroundings
from clusterdns.control.origins import Origins
from clusterdns.control.zones import ClusterZone
from clusterdns.manifests import DISK, Files, changes, fingerprint, read_manifests
from clusterdns.manifests.load import NOTHING
from clusterdns.records.options import ClusterOptions

LOOK_SECONDS = 0.5
NOTHING_NEW = Fed(None)


class ManifestFeed:
    """Reads the manifests of a zone's options when their files have changed."""

    directive = "kubernetes"
    patience = 0.0
    hindrance = ""

    def __init__(
        self,
        zone: str,
        options: ClusterOptions,
        own: Iterable[str],
        origins: Origins,
        files: Files = DISK,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.zone = zone
        self.filled = False
        self._clock = clock
        self._looked = float("-inf")
        self._options = options
        self._files = files
        self._cluster = ClusterZone(options, own, origins)
        self._loaded = NOTHING
        self._fingerprint: object = None

    def start(self) -> None:
        """There is nothing to start: files are looked at when it is time."""

    def due(self) -> float:
        """A short while after the last look."""
        return self._looked + LOOK_SECONDS

    def taken_up(self, around: Surroundings) -> None:
        """Files are looked at all the time; this server's own addresses may be others now."""
        self._cluster.listen_on(around.own_addresses(self.zone))

    def undo(self) -> None:
        """The last transaction could not be applied: it is given again at the next look."""
        self._cluster.undo()

    def close(self) -> None:
        """Lets go of the objects."""
        self._cluster.close()

    def poll(self, serial: int) -> Fed:
        """What has changed since the last time; `serial` for the zone if something has."""
        self._looked = self._clock()
        self.filled = True
        seen = fingerprint(self._options.manifests)
        if seen == self._fingerprint:
            return Fed(self._cluster.change(serial)) if self._cluster.dirty else NOTHING_NEW
        self._fingerprint = seen
        loaded = read_manifests(self._options.manifests, self._files, self._options)
        for ref, view in changes(self._loaded, loaded):
            if view is None:
                self._cluster.remove(ref)
            else:
                self._cluster.put(view, str(loaded.places.get(ref, "")))
        known = set(self._loaded.problems)
        self._loaded = loaded
        return Fed(self._cluster.change(serial), tuple(problem for problem in loaded.problems if problem not in known))
