"""The process that is played: started as people start CoreDNS, its lines and its end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.behaviour.scenario import Document

STREAMS = ("stdout", "stderr")
LOOK = 0.02
PATIENCE = 1.0
"""How long (seconds) a server may take to end when the play is over."""


class Server:
    """A process that was started. Its lines are kept until they are taken."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lines: dict[str, list[str]] = {stream: [] for stream in STREAMS}
        self._readers = [asyncio.create_task(self._read(stream)) for stream in STREAMS]

    @classmethod
    async def start(cls, command: Sequence[str], directory: Path, environment: Mapping[str, str], stdin: str | None) -> Server:
        """Run a command in a directory."""
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *command, cwd=directory, env=environment, stdin=null if stdin is None else pipe, stdout=pipe, stderr=pipe
        )
        if process.stdin is not None and stdin is not None:
            process.stdin.write(stdin.encode())
            process.stdin.close()
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> int | str | None:
        """Its exit status, or the signal that ended it; nothing while it runs."""
        status = self._process.returncode
        return f"signal {-status}" if status is not None and status < 0 else status

    async def wait_for(self, pattern: str, within: float) -> bool:
        """Whether a line that was not taken yet matches, before so many seconds have passed or it has ended."""
        wanted = re.compile(pattern)
        deadline = asyncio.get_running_loop().time() + within
        while asyncio.get_running_loop().time() < deadline:
            if any(wanted.search(line) for lines in self._lines.values() for line in lines):
                return True
            if self.ended is not None:
                break
            await asyncio.sleep(LOOK)
        return False

    async def wait_for_port(self, port: int, within: float) -> bool:
        """Whether it accepts a connection, before so many seconds have passed or it has ended."""
        deadline = asyncio.get_running_loop().time() + within
        while asyncio.get_running_loop().time() < deadline and self.ended is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(LOOK)
                continue
            writer.close()
            return True
        return False

    async def wait(self, within: float) -> bool:
        """Whether it ends, with all of its lines read, before so many seconds have passed."""
        try:
            await asyncio.wait_for(self._process.wait(), within)
        except TimeoutError:
            return False
        await asyncio.wait(self._readers, timeout=PATIENCE)
        return True

    def send(self, name: str) -> None:
        """Send it a signal, if it has not ended meanwhile."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.Signals[f"SIG{name}"])

    def count(self, stream: str) -> int:
        """How many lines there are to take."""
        return len(self._lines[stream])

    def taken_lines(self) -> Document:
        """Its lines since the last time, by stream."""
        taken = {stream: lines for stream, lines in self._lines.items() if lines}
        self._lines = {stream: [] for stream in STREAMS}
        return taken

    async def end(self) -> None:
        """It has ended after this."""
        if self.ended is None:
            self.send("QUIT")
            if not await self.wait(PATIENCE):
                self.send("KILL")
                await self._process.wait()
        await asyncio.wait(self._readers, timeout=PATIENCE)

    async def _read(self, stream: str) -> None:
        reader = getattr(self._process, stream)
        async for line in reader:
            self._lines[stream].append(line.decode("utf-8", "replace").rstrip("\n"))
