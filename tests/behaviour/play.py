"""Plays a scenario: starts the server, does the steps in order, and tells what happened in the words of a recording."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from tests.behaviour.client import Client
from tests.behaviour.compare import comparable
from tests.behaviour.http_request import request
from tests.behaviour.placeholders import Placeholders
from tests.behaviour.ports import Ports
from tests.behaviour.scenario import Document, Http, Scenario, Step, UpstreamSpec, WaitLog
from tests.behaviour.script import told_events
from tests.behaviour.server import LOOK, STREAMS, Server
from tests.behaviour.upstream import Upstream
from tests.certificates import self_signed

PATIENCE = 2.0
"""How long (seconds) to wait for what is expected to follow from a step."""
FOLLOWING_LINES = 0.1
"""How long (seconds) the lines behind the one that was waited for may take."""


async def play(scenario: Scenario, command: Sequence[str], expected: Document | None = None) -> Document:
    """What the server does in a scenario. `command`: the words that start it, with placeholders.

    What is `expected` to follow from a step is waited for, if it takes longer than it usually does.
    """
    following = comparable(scenario, expected)["steps"] if expected else [{} for _ in scenario.steps]
    with tempfile.TemporaryDirectory(prefix="clusterdns-behaviour-") as directory, closing(Ports()) as ports:
        placeholders = Placeholders(Path(directory), command[0], ports.take)
        stage = _Stage(scenario, Path(directory), placeholders)
        try:
            start = await stage.start(command)
            steps = [await stage.do(step, told) for step, told in zip(scenario.steps, following, strict=True)]
            return {"start": start, "steps": steps}
        finally:
            await stage.clear()


class _Stage:
    """The server of one play, its upstreams, its files."""

    def __init__(self, scenario: Scenario, directory: Path, placeholders: Placeholders) -> None:
        self._scenario = scenario
        self._directory = directory
        self._placeholders = placeholders
        self._upstreams: dict[str, Upstream] = {}
        self._client = Client(placeholders)
        self._server: Server | None = None
        self._end_is_told = False
        self._ways: dict[str, Callable[[Any], Awaitable[Document]]] = {
            "query": self._client.ask,
            "repeat": self._client.repeat,
            "burst": self._client.burst,
            "async_": self._client.timed,
            "tcp": self._client.stream,
            "http": self._request,
            "wait": self._wait,
            "wait_log": self._wait_for_line,
            "upstream": self._change_upstreams,
            "write": self._write,
            "file": self._read,
            "signal": self._signal,
            "exit": self._wait_for_end,
        }

    async def start(self, command: Sequence[str]) -> Document:
        """The part `start` of a recording."""
        scenario, fill = self._scenario, self._placeholders.fill
        for name in sorted(scenario.upstreams):
            self._placeholders.port(name)
        for path, text in scenario.files.items():
            self._put(path, text)
        if scenario.cert is not None:
            await asyncio.to_thread(self_signed, self._directory, scenario.cert)
        words = [fill(word) for word in (*command, *self._configuration(), *scenario.args)]
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self._directory)}
        environment |= {name: fill(value) for name, value in scenario.env.items()}
        for name, spec in sorted(scenario.upstreams.items()):
            self._upstreams[name] = Upstream(spec, self._placeholders.port(name), self._directory)
            if spec.up:
                await self._upstreams[name].up()
        stdin = fill(scenario.corefile) if scenario.stdin and scenario.corefile is not None else None
        self._server = server = await Server.start(words, self._directory, environment, stdin)
        self._placeholders.process = server.pid
        if "-quiet" in scenario.args:
            started = await server.wait_for_port(self._placeholders.port("PORT"), scenario.start_timeout)
        else:
            started = await server.wait_for(scenario.ready, scenario.start_timeout)
        await asyncio.sleep(scenario.settle)
        return await self._told_start(started, server)

    async def do(self, step: Step, expected: Document) -> Document:
        """One step: what it gave, what it made the upstreams see, what the server printed, and whether it ended."""
        assert self._server is not None
        kind, what = next((kind, what) for kind in self._ways if (what := getattr(step, kind)) is not None)
        told = await self._ways[kind](what)
        await self._wait_for_what_follows(expected)
        await asyncio.sleep(step.settle)
        told |= told_events(step, {name: upstream.script for name, upstream in self._upstreams.items()})
        told |= self._server.taken_lines()
        if self._server.ended is not None and not self._end_is_told:
            self._end_is_told = True
            if kind != "exit":
                told["died"] = self._server.ended
        return self._restored(told)

    async def clear(self) -> None:
        """Everything has ended."""
        if self._server is not None:
            await self._server.end()
        for upstream in self._upstreams.values():
            await upstream.close()

    def _configuration(self) -> Sequence[str]:
        """The flags that name the Corefile, which is written where it is no stdin."""
        if self._scenario.corefile is None:
            return ()
        if self._scenario.stdin:
            return ("-conf", "stdin")
        self._put("Corefile", self._scenario.corefile)
        return ("-conf", "${DIR}/Corefile")

    async def _told_start(self, started: bool, server: Server) -> Document:
        told: Document = {"started": started and server.ended is None}
        if server.ended is not None:
            await server.wait(0)
            told["exit"] = server.ended
        told |= server.taken_lines()
        await asyncio.sleep(self._scenario.record_start_upstream)
        seen = {name: upstream.script.taken() for name, upstream in self._upstreams.items()}
        if self._scenario.record_start_upstream:
            told["upstream"] = seen
        return self._restored(told)

    async def _wait_for_what_follows(self, expected: Document) -> None:
        assert self._server is not None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while loop.time() < deadline and not (
            all(self._server.count(stream) >= len(expected.get(stream, ())) for stream in STREAMS)
            and all(self._upstreams[name].script.count >= _asked(events) for name, events in expected.get("upstream", {}).items())
            and ("died" not in expected or self._server.ended is not None)
        ):
            await asyncio.sleep(LOOK)

    def _restored(self, told: Document) -> Document:
        restored = self._placeholders.restore(told)
        assert isinstance(restored, dict)
        return restored

    async def _request(self, step: Http) -> Document:
        return await asyncio.to_thread(request, step, self._placeholders.port(step.to))

    async def _wait(self, seconds: float) -> Document:
        await asyncio.sleep(seconds)
        return {}

    async def _wait_for_line(self, wanted: WaitLog) -> Document:
        assert self._server is not None
        found = await self._server.wait_for(wanted.match, wanted.timeout)
        if found:
            await asyncio.sleep(FOLLOWING_LINES)
        return {"found": found}

    async def _change_upstreams(self, changes: dict[str, UpstreamSpec | Literal["down", "up"]]) -> Document:
        for name, change in changes.items():
            match change:
                case "down":
                    self._upstreams[name].down()
                case "up":
                    await self._upstreams[name].up()
                case UpstreamSpec(rules=rules):
                    self._upstreams[name].script.follow(rules)
        return {}

    async def _write(self, files: dict[str, str | None]) -> Document:
        for path, text in files.items():
            if text is None:
                (self._directory / path).unlink()
            else:
                self._put(path, text)
        return {}

    async def _read(self, path: str) -> Document:
        file = self._directory / path
        return {"text": file.read_text() if file.exists() else None}

    async def _signal(self, name: str) -> Document:
        assert self._server is not None
        self._server.send(name)
        return {}

    async def _wait_for_end(self, seconds: float) -> Document:
        assert self._server is not None
        started = asyncio.get_running_loop().time()
        if not await self._server.wait(seconds):
            return {"exit": "still running"}
        self._end_is_told = True
        return {"exit": self._server.ended, "after_s": round(asyncio.get_running_loop().time() - started, 1)}

    def _put(self, path: str, text: str) -> None:
        file = self._directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._placeholders.fill(text))


def _asked(events: list[Document] | dict[str, int]) -> int:
    """How often an upstream was asked, health checks aside."""
    return sum(events.values()) if isinstance(events, dict) else sum("health_checks" not in event for event in events)
