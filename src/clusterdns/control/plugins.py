"""The plugins of the running configuration: loaded when a configuration is installed, run on threads of their own.

Whatever a plugin does (raise, hang, return nonsense, never come back) stays here: the engine waits for nobody longer than it was told.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from operator import attrgetter
from queue import SimpleQueue
from threading import Lock, Thread
from types import ModuleType
from typing import Any

import msgspec

from clusterdns.control.told import tell, tell_failure
from clusterdns.directives.block import Plugin
from clusterdns.engine import EngineError, Task
from clusterdns.plugin import Plugin as Function
from clusterdns.plugin import Query, Reply

GROUP = "clusterdns.plugins"
"""The group of entry points in which installed packages name their plugins."""


class Asked(Query, frozen=True):
    """A query with the function that it is for, as the engine sends it."""

    function: str = ""


@dataclass(frozen=True)
class Loaded:
    """A function, and its module as it was then; none for an installed plugin."""

    function: Function
    module: ModuleType | None
    modified: float


class Plugins:
    """The functions by what the plan calls them, each with its threads."""

    def __init__(self) -> None:
        self._running: dict[str, Runner] = {}
        self._leaving: dict[str, Runner] = {}
        self._loaded: dict[str, Loaded] = {}
        self._decode = msgspec.json.Decoder(Asked).decode

    def prepare(self, wanted: Iterable[Plugin]) -> dict[str, Runner]:
        """Loads what a configuration names; what runs goes on. Raises `EngineError` that says which one cannot be had, and why."""
        self._forget_what_was_edited()
        return {plugin.function: self._runner(plugin) for plugin in wanted}

    def commit(self, prepared: dict[str, Runner]) -> None:
        """These are asked from now on. Queries of the old plan may still be on their way: its functions go with the next commit."""
        for name, runner in self._leaving.items():
            if prepared.get(name) is not runner:
                runner.close()
        self._leaving = {name: runner for name, runner in self._running.items() if prepared.get(name) is not runner}
        self._running = prepared
        self._loaded = {name: loaded for name, loaded in self._loaded.items() if name in prepared}

    def answer(self, task: Task) -> None:
        """Has a task answered, on another thread. Never waits."""
        asked = self._decode(task.body)
        runner = self._running.get(asked.function) or self._leaving.get(asked.function)
        if runner is None:
            task.reply(tell_failure("no such function is loaded"))
        else:
            runner.take(asked, task)

    def _runner(self, plugin: Plugin) -> Runner:
        if plugin.function not in self._loaded:
            self._loaded[plugin.function] = _load(plugin)
        function = self._loaded[plugin.function].function
        running = self._running.get(plugin.function)
        return running if running is not None and running.serves(plugin, function) else Runner(plugin, function)

    def _forget_what_was_edited(self) -> None:
        """So that a reload takes it up. Modules that plugins import are not looked at."""
        for name, loaded in list(self._loaded.items()):
            if loaded.module is not None and _modified(loaded.module) != loaded.modified:
                sys.modules.pop(loaded.module.__name__, None)
                importlib.invalidate_caches()
                del self._loaded[name]


class Runner:
    """One function, and the threads that call it: as many as are needed, up to its `concurrency`.

    A coroutine function has one thread with an event loop, on which as many run at a time.
    """

    def __init__(self, plugin: Plugin, function: Function) -> None:
        self._plugin = plugin
        self._function = function
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = Lock()
        self._threads = 0
        self._unanswered = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turns: asyncio.Semaphore | None = None

    def serves(self, plugin: Plugin, function: Function) -> bool:
        """Whether it is for this one already."""
        return self._function is function and self._plugin.concurrency == plugin.concurrency

    def take(self, query: Query, task: Task) -> None:
        """Has a question answered as soon as a thread is free."""
        if _is_coroutine_function(self._function):
            asyncio.run_coroutine_threadsafe(self._answer_in_turn(query, task), self._running_loop())
            return
        with self._lock:
            self._unanswered += 1
            if self._unanswered > self._threads and self._threads < self._plugin.concurrency:
                self._threads += 1
                # A daemon: one that never comes back keeps no process alive.
                Thread(target=self._call_forever, name=self._plugin.function, daemon=True).start()
        self._calls.put(partial(self._answer, query, task))

    def close(self) -> None:
        """Ends the threads when they have done what was put before."""
        with self._lock:
            for _ in range(self._threads):
                self._calls.put(None)
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop)

    def _call_forever(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            with self._lock:
                self._unanswered -= 1

    def _answer(self, query: Query, task: Task) -> None:
        if task.left() <= 0:
            return
        try:
            reply = self._function(query)
            told = tell(query, asyncio.run(_awaited(reply)) if isinstance(reply, Awaitable) else reply)
        except Exception as why:
            told = tell_failure(told_of(why))
        task.reply(told)

    async def _answer_in_turn(self, query: Query, task: Task) -> None:
        assert self._turns is not None
        async with self._turns:
            if (left := task.left()) <= 0:
                return
            try:
                async with asyncio.timeout(left):
                    told = tell(query, await _awaited(self._function(query)))
            except TimeoutError:
                return
            except Exception as why:
                told = tell_failure(told_of(why))
            task.reply(told)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._turns = asyncio.Semaphore(self._plugin.concurrency)
            Thread(target=self._loop.run_forever, name=self._plugin.function, daemon=True).start()
        return self._loop

    async def _end(self) -> None:
        loop = asyncio.get_running_loop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        loop.call_soon(loop.stop)


def told_of(why: BaseException) -> str:
    """An exception in one line: what, why, and where in the code that raised it."""
    frames = traceback.extract_tb(why.__traceback__)
    # Where somebody else's code is, rather than ours that called it.
    theirs = [frame for frame in frames if not frame.filename.startswith(("<frozen", __file__))]
    where = f" ({theirs[-1].filename}:{theirs[-1].lineno})" if theirs else ""
    return f"{type(why).__name__}: {' '.join(str(why).split())}{where}"


def _load(plugin: Plugin) -> Loaded:
    """Imports what the Corefile names. Raises `EngineError`."""
    module_name, _, attribute = plugin.target.partition(":")
    try:
        with _importing_from(plugin.path):
            module = importlib.import_module(module_name) if attribute else None
            found = _installed(plugin.target) if module is None else attrgetter(attribute)(module)
            # With arguments the object makes the function.
            function = found(**plugin.arguments) if plugin.arguments else found
    except Exception as why:  # it is somebody else's code
        raise EngineError(f"plugin/python: {plugin.target} cannot be loaded: {told_of(why)}") from why
    if not callable(function):
        raise EngineError(f"plugin/python: {plugin.target} is no function but {type(function).__name__}")
    return Loaded(function, module, _modified(module) if module else 0.0)


def _installed(name: str) -> Any:
    """What an installed package has under this name."""
    found = entry_points(group=GROUP, name=name)
    if not found:
        known = ", ".join(sorted(point.name for point in entry_points(group=GROUP))) or "none"
        raise LookupError(f"no installed package has a plugin of this name (there are: {known})")
    return next(iter(found)).load()


@contextmanager
def _importing_from(directory: str) -> Iterator[None]:
    """Modules beside the Corefile come first while a plugin is loaded, as scripts have it."""
    sys.path.insert(0, directory or ".")
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(directory or ".")


def _modified(module: ModuleType) -> float:
    """When the file of a module was written last."""
    try:
        return os.stat(module.__file__ or "").st_mtime
    except OSError:
        return 0.0


async def _awaited(reply: Reply | Awaitable[Reply]) -> Reply:
    """The reply, which may still have to come."""
    return await reply if isinstance(reply, Awaitable) else reply


def _is_coroutine_function(function: object) -> bool:
    """Whether it is to be called on an event loop; an object with such a `__call__` is."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
