"""Plays ahead: scenarios mostly wait, so while a test looks at one, the next ones play."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

import pytest

from tests.behaviour.expected import expected
from tests.behaviour.lateness import Lateness
from tests.behaviour.play import play
from tests.behaviour.scenario import Document, load
from tests.behaviour.subject import COMMAND, OTHER, lacks

AT_ONCE = 8
"""How many scenarios play at the same time: enough to fill the waiting, few enough that no server is late."""
MOST_PLAYS = 4
"""How often a scenario is played at most, while the machine is too busy for it."""

Result = TypeVar("Result")
Account = tuple[Document, bool]
"""What happened, and whether the machine had time for it."""


class Plays:
    """What the server does in scenarios, on an event loop beside the tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)
        self._thread.start()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._lateness = Lateness()
        self._watch = self._begin(self._lateness.watch_forever())
        self._accounts: dict[str, Future[Account]] = {}
        self._played: Counter[str] = Counter()

    def begin(self, name: str) -> None:
        """Have a scenario played, when those before it have been."""
        self._accounts[name] = self._begin(self._in_turn(name))

    def account(self, name: str) -> Document:
        """What happened in a scenario."""
        if name not in self._accounts:
            self.begin(name)
        return self._accounts[name].result()[0]

    def again(self, name: str) -> bool:
        """Whether it was played once more: the machine had no time for it, so the account was none of the server alone."""
        late = self._accounts[name].result()[1]
        if late and self._played[name] < MOST_PLAYS:
            self._accounts[name] = self._begin(self._now(name))
            return True
        return False

    def close(self) -> None:
        """End what still plays."""
        self._watch.cancel()
        for future in self._accounts.values():
            future.cancel()
        self._begin(self._settled()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _begin(self, what: Coroutine[object, object, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(what, self._loop)

    async def _in_turn(self, name: str) -> Account:
        async with self._turn:
            return await self._now(name)

    async def _now(self, name: str) -> Account:
        self._played[name] += 1
        scenario, began = load(name), self._loop.time()
        account = await play(scenario, COMMAND, scenario.recorded if OTHER else expected(scenario))
        return account, self._lateness.since(began)

    async def _settled(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture(scope="session")
def plays(request: pytest.FixtureRequest) -> Iterator[Plays]:
    """The scenarios of all selected tests begin to play, in the order of the tests, with the first test."""
    everything = Plays()
    try:
        for name in _selected(request.session.items):
            if not lacks(load(name)):
                everything.begin(name)
        yield everything
    finally:
        everything.close()


def _selected(items: Sequence[pytest.Item]) -> list[str]:
    """The scenarios that the selected tests have for their parameter `name`."""
    parametrized = (item for item in items if isinstance(item, pytest.Function) and "plays" in item.fixturenames)
    return [str(item.callspec.params["name"]) for item in parametrized if hasattr(item, "callspec")]
