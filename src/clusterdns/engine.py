"""The engine as Python sees it: plans in, zone changes in, tasks out. Nothing else imports the extension module.

The engine's threads never run Python: they answer while Python is busy, stuck or gone. All calls release the interpreter lock.
"""

from __future__ import annotations

from clusterdns import _engine
from clusterdns.plan import Plan, encode_plan
from clusterdns.zones import ZoneChange, encode_change

EngineError = _engine.EngineError
Task = _engine.Task


def interfaces() -> dict[str, list[str]]:
    """The addresses of each network interface of this machine."""
    return _engine.interfaces()


def name_on_wire(name: str) -> bytes:
    """An absolute name's octets in a message (RFC 1035 3.1). Raises `ValueError`."""
    return _engine.name_on_wire(name)


def record_on_wire(line: str, default_ttl: int) -> bytes:
    """A record's octets in a message, from a line of a zone file (RFC 1035 5.1). Raises `ValueError` that says what is wrong."""
    return _engine.record_on_wire(line, default_ttl)


class Prepared:
    """A checked plan whose sockets are bound: commit it or abandon it."""

    def __init__(self, prepared: _engine.Prepared) -> None:
        self._prepared = prepared

    def commit(self) -> None:
        """Makes it the running plan; queries on the way end with the old one."""
        self._prepared.commit()

    def abandon(self) -> None:
        """Closes what it bound; the running plan is untouched."""
        self._prepared.abandon()


class Engine:
    """The running engine. `workers` 0: as many as the CPU quota gives; `admin`: path of the admin socket, if there is to be one.

    `json_log`: lines of the log are JSON objects; the first engine of a process decides.
    """

    def __init__(self, workers: int = 0, admin: str | None = None, *, json_log: bool = False) -> None:
        self._engine = _engine.Engine(workers, admin, json_log)

    def prepare(self, plan: Plan) -> Prepared:
        """Checks a plan and binds its new listeners; its zones can be filled from now on. Raises `EngineError` with every reason."""
        return Prepared(self._engine.prepare(encode_plan(plan)))

    def apply(self, zone: str, change: ZoneChange) -> tuple[int, list[str]]:
        """Applies a transaction to a zone; gives the number of names that changed, and what made no sense and was skipped."""
        return self._engine.apply(zone, encode_change(change))

    def bound(self) -> list[tuple[str, str]]:
        """Listener ids with the address that each is really bound to."""
        return self._engine.bound()

    def log(self, line: str) -> None:
        """Prints a line on stdout in order with the engine's own; a slow reader loses lines, nobody waits."""
        self._engine.log(line)

    def next_task(self, seconds: float) -> Task | None:
        """Waits up to `seconds` for one of the engine's questions."""
        return self._engine.next_task(seconds)

    def set_metrics(self, text: str) -> None:
        """Keeps what Python has counted, as text of Prometheus's exposition format, in the place of what it told before.

        `/metrics` shows it after the engine's own, also while Python is stuck. No family may be one of the engine's.
        """
        self._engine.set_metrics(text)

    def look_out(self, lookout: str, name: str, rtype: int) -> None:
        """Has a lookout of the plan count questions of a name and type from now on; type 0: none. Raises `EngineError`."""
        self._engine.look_out(lookout, name, rtype)

    def sightings(self, lookout: str) -> tuple[int, str]:
        """How often they came since then, and the address and port from which the last one came; a lookout that is gone saw nothing."""
        return self._engine.sightings(lookout)

    def beat(self) -> None:
        """Says that Python is alive. It must be said every few seconds: a minute of silence is an error in the log."""
        self._engine.beat()

    def end_readiness(self) -> None:
        """Says that it is not ready any more, while it goes on answering: `/ready` is closed, `/health` is not."""
        self._engine.end_readiness()

    def stop(self, grace: float) -> None:
        """Stops accepting, answers what has come, waits up to `grace` seconds for what is on its way."""
        self._engine.stop(grace)
