"""The server's life: start, what happens while it runs, end.

One thread decides everything, in turn: signals, the Corefile, the feeds. The engine's threads answer meanwhile and never wait for it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from select import select
from threading import Event, Thread
from typing import TYPE_CHECKING

import msgspec

from clusterdns.control.config import (
    Configuration,
    Watched,
    has_changed,
    keep_last_good,
    read_configuration,
    read_last_good,
    says_what_runs,
)
from clusterdns.control.feeds import Feed, NoFeedError, Surroundings, feed_module, zone_names
from clusterdns.control.loopprobe import Probed, find_loop, probed_blocks
from clusterdns.control.machine import machine_sources
from clusterdns.control.origins import Origins
from clusterdns.control.servermetrics import ServerMetrics
from clusterdns.corefile.keys import SCHEME
from clusterdns.corefile.problems import Problem, Severity, has_errors
from clusterdns.corefile.report import text_report
from clusterdns.directives import block
from clusterdns.engine import Engine, EngineError, Task, interfaces
from clusterdns.metrics import Metrics
from clusterdns.plan import Plan
from clusterdns.plan.ops import ZoneOp
from clusterdns.scalars import NO_TIME
from clusterdns.sources import Sources
from clusterdns.version import COREDNS, VERSION
from clusterdns.zones import ZoneChange

if TYPE_CHECKING:
    from clusterdns.control.plugins import Plugins, Runner

WAKE = 0
"""No signal: a feed has something."""
FATAL = -1
"""No signal: something was found that ends the server."""

LONGEST_REST = 60.0
BEAT_SECONDS = 10.0
TASK_SECONDS = 1.0
GRACE_SECONDS = 5.0

ENDINGS = {
    signal.SIGTERM: "SIGTERM: Shutting down servers then terminating",
    signal.SIGINT: "SIGINT: Shutting down",
    signal.SIGQUIT: "SIGQUIT: Quitting process immediately",
}
"""The signals that end a server, and what it says then."""

NO_UPGRADE = "there is no upgrade in place; start the new version in this one's stead, or send SIGUSR1 to read the Corefile again"
"""What SIGUSR2 is answered with: CoreDNS replaces its process by the program that is on the disk now."""

Refused = tuple[str, tuple[Problem, ...], tuple[Watched, ...]]
"""A configuration that is not to be tried again: its hash, what is wrong with its text, which the hash may not tell, and its files."""


class ServeOptions(msgspec.Struct, frozen=True):
    """The flags of `serve`. `state` and `admin` are paths, empty for none; `name` is this server's in logs."""

    conf: str
    default_port: int = 53
    state: str = ""
    admin: str = ""
    quiet: bool = False
    pidfile: str = ""
    json_log: bool = False


class UnfilledError(Exception):
    """A new configuration cannot take over, as its zones would be empty; the message says why. It may be able to later."""


class StartError(Exception):
    """The server cannot start; the message says why, and has been made for people."""


def serve(options: ServeOptions) -> int:
    """Serves until a signal ends it; gives the exit code. Raises `StartError`."""
    server = Server(options, machine_sources())
    server.start()
    try:
        return server.steer_until_told()
    finally:
        server.remove_pidfile()


class Server:
    """One engine, the configuration that it runs, and the feeds of its zones."""

    def __init__(self, options: ServeOptions, sources: Sources, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._sources = sources
        self._clock = clock
        self._origins = Origins()
        self._plugins: Plugins | None = None
        self._told: SimpleQueue[int] = SimpleQueue()
        self._metrics = Metrics()
        self._own_metrics: ServerMetrics
        self._feeds: dict[str, Feed] = {}
        self._engine: Engine
        self._running: Configuration
        self._refused: Refused | None = None
        self._ending = Event()
        self._fatal = ""
        self._probes: list[Thread] = []
        self._probed = Event()

    def start(self) -> None:
        """Reads the Corefile, or falls back to what ran last; binds, fills the zones, serves. Raises `StartError`."""
        configuration = self._first_configuration()
        self._engine = self._start_engine()
        self._own_metrics = ServerMetrics(self._metrics, self._engine.set_metrics)
        self._listen_to_signals()
        try:
            self._install(configuration, waits=False)
        except EngineError as why:
            self._engine.stop(0)
            raise StartError(str(why)) from why
        if self._refused is not None:
            self._own_metrics.unreadable()
        Thread(target=self._answer_tasks_forever, name="tasks", daemon=True).start()
        self._write_pidfile()
        self._print_banner()
        self._look_for_loops()

    def remove_pidfile(self) -> None:
        """Removes what `start` wrote; somebody else may have done so already."""
        if self._options.pidfile:
            with suppress(OSError):
                os.unlink(self._options.pidfile)

    def steer_until_told(self) -> int:
        """Follows the Corefile and the feeds until a signal ends it; gives the exit code."""
        next_reload, next_look = self._next_reload(), self._next_look()
        while True:
            until = time.monotonic() + LONGEST_REST if next_reload is None else next_reload
            told = self._rest(self._feeds.values(), min(until, next_look))
            if told in ENDINGS:
                return self._stop(told)
            if told == FATAL:
                return self._fail()
            if told == signal.SIGUSR2:
                self._engine.log(f"[WARNING] SIGUSR2: {NO_UPGRADE}")
            due = told == signal.SIGUSR1 or (next_reload is not None and time.monotonic() >= next_reload)
            looking = time.monotonic() >= next_look
            try:
                if told == signal.SIGUSR1:
                    self._engine.log("[INFO] SIGUSR1: Reloading")
                    self._reload(self._read(), "SIGUSR1")
                elif due or (looking and any(has_changed(file, self._sources) for file in self._running.watched)):
                    self.reload_if_changed()
                self._poll_feeds()
            except Exception as why:  # a fault of ours is no reason to stop answering
                self._engine.log(f"[ERROR] the running configuration stays: {_in_one_line(f'{type(why).__name__}: {why}')}")
            if due:
                next_reload = self._next_reload()
            if due or looking:
                next_look = self._next_look()

    def _rest(self, feeds: Iterable[Feed], until: float) -> int:
        """Waits for a signal, for a feed that has something or is due, or until then; gives the signal, else `WAKE`."""
        until = min((until, *(feed.due() for feed in feeds)))
        while True:
            self._engine.beat()
            now = time.monotonic()
            wake = min(until, now + BEAT_SECONDS, self._own_metrics.tell_changes(now))
            try:
                return self._told.get(timeout=max(0.0, wake - now))
            except Empty:
                if time.monotonic() >= until:
                    return WAKE

    def _stop(self, told: int) -> int:
        self._engine.log(f"[INFO] {ENDINGS[signal.Signals(told)]}")
        self._ending.set()
        if told != signal.SIGQUIT:
            self._answer_as_lame_duck()
        for feed in self._feeds.values():
            feed.close()
        self._engine.stop(0 if told == signal.SIGQUIT else GRACE_SECONDS)
        return 0

    def _fail(self) -> int:
        self._engine.log(f"[FATAL] {self._fatal}")
        self._engine.stop(0)
        return 1

    def _answer_as_lame_duck(self) -> None:
        """Goes on answering for a while, from current data, so that those who ask here learn that they should not (`health`)."""
        self._engine.end_readiness()
        lameduck = self._running.lameduck
        if lameduck > NO_TIME:
            self._engine.log(f"[INFO] plugin/health: Going into lameduck mode for {lameduck}")
        until = time.monotonic() + lameduck.seconds
        while time.monotonic() < until and self._rest(self._feeds.values(), until) != signal.SIGQUIT:
            self._poll_feeds()

    def _listen_to_signals(self) -> None:
        """From now on signals are told on the queue.

        By way of a pipe and a thread: Python runs its own handlers between two steps of this thread, so one that comes just before
        it begins to wait would have to wait as long.
        """
        for told in (*ENDINGS, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(told, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        Thread(target=self._take_signals_forever, args=(read,), name="signals", daemon=True).start()

    def _take_signals_forever(self, pipe: int) -> None:
        while True:
            for told in os.read(pipe, 16):
                if told == signal.SIGINT and self._ending.is_set():
                    _quit_at_once()
                self._told.put(told)

    def _start_engine(self) -> Engine:
        """The engine; without its admin socket if that cannot be opened, for DNS must come up. Raises `StartError`."""
        try:
            return Engine(admin=self._options.admin or None, json_log=self._options.json_log)
        except EngineError as taken:
            try:
                engine = Engine(json_log=self._options.json_log)
            except EngineError as why:
                raise StartError(str(why)) from why
            engine.log(f"[WARNING] {taken}: explain and watch cannot reach this server; give it a socket of its own with -admin unix:PATH")
            return engine

    def _first_configuration(self) -> Configuration:
        configuration = self._read()
        _report(configuration.problems, configuration, as_json=self._options.json_log)
        if configuration.plan is not None:
            return configuration
        if not self._options.state:
            raise StartError("")
        where = os.path.abspath(self._options.state)
        good = read_last_good(where)
        if good is None:
            raise StartError(f"[ERROR] {self._options.conf} cannot be used, and {where} has no configuration that ran before")
        self._refused = refused(configuration)
        _print_error(f"{self._options.conf} cannot be used; starting with the configuration that ran last, from {where}", self._options)
        return good

    def _read(self) -> Configuration:
        return read_configuration(self._options.conf, self._sources, self._options.default_port)

    def _install(self, configuration: Configuration, *, waits: bool) -> None:
        """Makes a configuration the running one; where another one goes on meanwhile, it `waits` until its new zones are filled.

        Raises `EngineError`, `UnfilledError`.
        """
        plan = configuration.plan
        assert plan is not None, "only configurations without errors are installed"
        prepared = self._engine.prepare(plan)
        new: list[Feed] = []
        try:
            wanted = {feed.zone: feed for feed in configuration.feeds}
            own = partial(_own_addresses, plan)
            around = Surroundings(own, self._origins, lambda: self._told.put(WAKE), self._metrics, zone_names(configuration.feeds))
            new += [self._new_feed(feed, around) for zone, feed in wanted.items() if zone not in self._feeds]
            runners = self._load_plugins(configuration)
            self._fill(new, waits)
            self._require_data(new)
            if self._plugins is not None:
                self._plugins.commit(runners)
            prepared.commit()
        except BaseException:
            for feed in new:
                feed.close()
            prepared.abandon()
            raise
        for zone in self._feeds.keys() - wanted.keys():
            self._feeds[zone].close()
        kept = [feed for zone, feed in self._feeds.items() if zone in wanted]
        self._feeds = {feed.zone: feed for feed in (*kept, *new)}
        for feed in self._feeds.values():
            feed.taken_up(around)
            self._poll(feed)
        self._running = configuration
        self._own_metrics.taken_up(configuration, self._clock())
        self._own_metrics.tell_changes(time.monotonic())
        if configuration.reload is not None:
            self._engine.log(f"[INFO] plugin/reload: Running configuration SHA512 = {configuration.hash}")
        if self._options.state:
            try:
                keep_last_good(self._options.state, configuration)
            except OSError as why:
                self._engine.log(f"[WARNING] the running configuration cannot be kept in {self._options.state}: {why}")

    def _load_plugins(self, configuration: Configuration) -> dict[str, Runner]:
        if configuration.plugins and self._plugins is None:
            from clusterdns.control.plugins import Plugins  # most servers have none, and need no event loop

            self._plugins = Plugins()
        return self._plugins.prepare(configuration.plugins) if self._plugins is not None else {}

    def _new_feed(self, wanted: block.Feed, around: Surroundings) -> Feed:
        try:
            return feed_module(wanted.directive).new_feed(wanted, around)
        except NoFeedError as why:
            raise EngineError(f"plugin/{wanted.directive}: {why}") from why

    def _fill(self, feeds: Sequence[Feed], waits: bool) -> None:
        """Starts new feeds. At a reload the old plan goes on until they have filled their zones, or their patience is over.

        At the start there is nothing to go on with: names that are not known yet are SERVFAIL for a while.
        """
        for feed in feeds:
            feed.start()
            self._poll(feed)
        began = time.monotonic()
        put_off: list[int] = []
        while waits and (until := began + max((feed.patience for feed in feeds if not feed.filled), default=0.0)) > time.monotonic():
            told = self._rest((*feeds, *self._feeds.values()), until)
            if told != WAKE:
                put_off.append(told)
                if told in (*ENDINGS, FATAL):
                    break
            for feed in (*feeds, *self._feeds.values()):
                if feed.due() <= time.monotonic():
                    self._poll(feed)
        for told in put_off:
            self._told.put(told)

    def _require_data(self, feeds: Iterable[Feed]) -> None:
        """What answers is not given up for zones of which nothing can be had. Raises `UnfilledError`."""
        hindrances = [feed.hindrance for feed in feeds if feed.patience and not feed.filled]
        if self._feeds and all(feed.filled for feed in self._feeds.values()) and any(hindrances):
            raise UnfilledError(f"plugin/kubernetes: {'; '.join(filter(None, hindrances))}")

    def _poll_feeds(self) -> None:
        for feed in self._feeds.values():
            if feed.due() <= time.monotonic():
                self._poll(feed)

    def _poll(self, feed: Feed) -> None:
        """Applies what a feed has. Whatever goes wrong in it, the zone stays as it is and the others go on."""
        try:
            more = True
            while more:
                fed = feed.poll(int(self._clock()))
                try:
                    nonsense = self._apply(feed, fed.change) if fed.change is not None else []
                finally:
                    # Behind the change: who reads of something may ask for it at once.
                    for problem in fed.problems:
                        self._engine.log(f"[WARNING] plugin/{feed.directive}: {problem.place}: {problem.message}")
                    for line in fed.lines:
                        self._engine.log(line)
                for what in nonsense:
                    self._engine.log(f"[WARNING] plugin/{feed.directive}: {what}")
                more = fed.more
        except Exception as why:  # the engine goes on with what it has
            self._engine.log(f"[ERROR] plugin/{feed.directive}: {feed.zone} could not be updated: {type(why).__name__}: {why}")

    def _apply(self, feed: Feed, change: ZoneChange) -> list[str]:
        """Applies a transaction, or has it given again; tells what made no sense in it."""
        try:
            return self._engine.apply(feed.zone, change)[1]
        except Exception:
            feed.undo()
            raise

    def _next_reload(self) -> float | None:
        reload = self._running.reload
        if reload is None:
            return None
        jitter = reload.jitter.seconds / 2
        return time.monotonic() + reload.interval.seconds + random.uniform(-jitter, jitter)

    def _next_look(self) -> float:
        """When to look at the files that the plan was made from."""
        return time.monotonic() + min((file.interval.seconds for file in self._running.watched), default=float("inf"))

    def reload_if_changed(self) -> None:
        """Takes the Corefile up if it says something new; what was refused already is not tried again."""
        if self._refused is None and says_what_runs(self._options.conf, self._running, self._sources):
            self._own_metrics.as_before()
            return
        configuration = self._read()
        if refused(configuration) == self._refused:
            return
        if configuration.plan is not None and configuration.means_the_same(self._running):
            self._refused = None
            self._own_metrics.as_before()
        elif configuration.parsed:
            self._reload(configuration, "plugin/reload: Corefile changed but reload failed")
        else:
            self._refused = refused(configuration)
            self._own_metrics.unreadable()
            self._engine.log(f"[WARNING] plugin/reload: Corefile parse failed: {_one_line(configuration.problems)}")

    def _reload(self, configuration: Configuration, failed: str) -> None:
        """Makes a new configuration the running one, or keeps the old one and says why in CoreDNS's words, `failed` among them."""
        self._engine.log("[INFO] Reloading")
        why, again = _one_line(configuration.problems), False
        if configuration.plan is not None:
            try:
                self._install(configuration, waits=True)
            except UnfilledError as error:
                why, again = str(error), True
            except Exception as error:  # whatever goes wrong, the engine goes on with the old plan
                why = _in_one_line(str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}")
            else:
                self._refused = None
                self._engine.log("[INFO] Reloading complete")
                self._look_for_loops()
                return
        if not again:
            self._refused = refused(configuration)
        self._own_metrics.failed()
        self._engine.log(f"[ERROR] Restart failed: {why}")
        self._engine.log(f"[ERROR] {failed}: starting with listener file descriptors: {why}")

    def _look_for_loops(self) -> None:
        """Probes the blocks that want it (`loop`), now that they serve."""
        self._probed.set()
        before, self._probed = self._probes, Event()
        assert self._running.plan is not None
        probed = list(probed_blocks(self._running.plan))
        self._probes = [Thread(target=self._probe, args=(one, before, self._probed), name="loop", daemon=True) for one in probed]
        for probe in self._probes:
            probe.start()

    def _probe(self, probed: Probed, before: Sequence[Thread], ended: Event) -> None:
        """A thread's work: one block. Earlier probes have to be over: they may look out in the same place."""
        for probe in before:
            probe.join()
        if loop := find_loop(probed, self._engine, ended):
            self._fatal = loop
            self._told.put(FATAL)

    def _write_pidfile(self) -> None:
        """A server that cannot write it serves all the same, as CoreDNS does."""
        if self._options.pidfile:
            try:
                with open(self._options.pidfile, "w", encoding="ascii") as file:
                    file.write(f"{os.getpid()}\n")
            except OSError as why:
                self._engine.log(f"[ERROR] Could not write pidfile: {why}")

    def _answer_tasks_forever(self) -> None:
        while not self._ending.is_set():
            task = self._engine.next_task(TASK_SECONDS)
            if task is not None:
                self._answer_task(task)

    def _answer_task(self, task: Task) -> None:
        """Answers one of the engine's questions; whatever goes wrong with it, the next one has its turn."""
        try:
            match task.kind:
                case "ask" if self._plugins is not None:
                    self._plugins.answer(task)
                case "describe":
                    task.reply(msgspec.json.encode(self._origins.describe(msgspec.json.decode(task.body, type=list[int]))))
        except Exception as why:
            self._engine.log(f"[ERROR] a question of the engine has no answer: {type(why).__name__}: {why}")

    def _print_banner(self) -> None:
        if self._options.quiet:
            return
        for served in self._running.served:
            scheme, _, place = served.server.partition("://")
            host, _, port = place.rpartition(":")
            self._engine.log(f"{'' if scheme == SCHEME else f'{scheme}://'}{served.zone}:{port}{f' on {host}' if host else ''}")
        self._engine.log(f"CoreDNS-{COREDNS}")
        self._engine.log(f"linux/{os.uname().machine}, clusterdns-{VERSION}")


def _own_addresses(plan: Plan, zone: str) -> list[str]:
    """Where others reach a zone: what the blocks that answer from it are bound to, or every address of the machine (facts A1)."""
    serving = [block for block in plan.blocks if any(isinstance(op, ZoneOp) and op.zone == zone for op in block.program)]
    listeners = {listener for block in serving for listener in block.listeners}
    hosts = [listener.host for listener in plan.listeners if listener.id in listeners]
    if any(host in ("", "0.0.0.0", "::") for host in hosts):
        return [address for addresses in interfaces().values() for address in addresses]
    return hosts


def _print_error(message: str, options: ServeOptions) -> None:
    """Prints on stderr, where the log is not there yet; in its format."""
    print(_json_line("ERROR", message) if options.json_log else f"[ERROR] {message}", file=sys.stderr)


def _json_line(level: str, message: str, **more: str) -> str:
    """A line of stderr as an object."""
    import json  # where the log is text, nobody needs it

    return json.dumps({"level": level, "msg": message, **more}, ensure_ascii=False)


def _report(problems: Iterable[Problem], configuration: Configuration, *, as_json: bool) -> None:
    """Prints problems on stderr, each with its line, or as an object."""
    problems = tuple(problems)
    if as_json:
        for problem in problems:
            level = "ERROR" if problem.severity is Severity.ERROR else "WARN"
            print(_json_line(level, problem.message, place=str(problem.place), code=problem.code, hint=problem.hint), file=sys.stderr)
    elif problems:
        colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
        sys.stderr.write(text_report(problems, configuration.texts, colour=colour))
        sys.stderr.flush()


def _quit_at_once() -> None:
    """Whoever asks a second time does not want to wait, and not for the reader of the log either."""
    if select([], [sys.stdout], [], 0)[1]:
        os.write(sys.stdout.fileno(), b"[INFO] SIGINT: Force quit\n")
    os._exit(2)


def refused(configuration: Configuration) -> Refused:
    """The configuration, for the case that it is read once more."""
    return configuration.hash, configuration.problems, configuration.watched


def _one_line(problems: Iterable[Problem]) -> str:
    """All errors in one line of the log."""
    problems = tuple(problems)
    return "; ".join(f"{problem.place}: {problem.message}" for problem in problems if has_errors([problem]))


def _in_one_line(text: str) -> str:
    """A text of several lines as the log has it."""
    return "; ".join(text.splitlines())
