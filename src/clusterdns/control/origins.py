"""Who made a record: numbers for the engine, objects for people.

Zone entries carry a number; this table turns it back into `Service shop/cart (shop.yaml:12)`. Must not know records or the engine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from threading import Lock

from clusterdns.cluster import Ref

UNKNOWN = 0
# A number that was given back rests while so many others are, as an answer on its way may still name it.
RESTING = 1024


class Origins:
    """Numbers for objects, counted by who uses them: who has records keeps its number. Numbers begin at 1; 0 is nobody's.

    A number that nobody uses any more is described as unknown, and is another object's later: the table is as large as the cluster.
    """

    def __init__(self) -> None:
        self._numbers: dict[Ref, int] = {}
        self._objects: list[Ref | None] = [None]
        self._uses: list[int] = [0]
        self._free: deque[int] = deque()
        self._places: dict[Ref, str] = {}
        self._lock = Lock()

    def take(self, ref: Ref) -> int:
        """The object's number, used once more."""
        with self._lock:
            number = self._numbers.get(ref)
            if number is None:
                number = self._numbers[ref] = self._next()
                self._objects[number] = ref
            self._uses[number] += 1
            return number

    def give_back(self, number: int) -> None:
        """The number is used once less."""
        if number == UNKNOWN:
            return
        with self._lock:
            self._uses[number] -= 1
            ref = self._objects[number]
            if not self._uses[number] and ref is not None:
                del self._numbers[ref]
                self._objects[number] = None
                self._free.append(number)

    def place(self, ref: Ref, where: str) -> None:
        """Where the object was read (`shop.yaml:12`); empty: it is there no more."""
        with self._lock:
            if where:
                self._places[ref] = where
            else:
                self._places.pop(ref, None)

    def describe(self, numbers: Iterable[int]) -> list[str]:
        """Each number's object in words; what is no number of ours is said to be unknown."""
        with self._lock:
            return [self._words(number) for number in numbers]

    def _next(self) -> int:
        if len(self._free) > RESTING:
            return self._free.popleft()
        self._objects.append(None)
        self._uses.append(0)
        return len(self._objects) - 1

    def _words(self, number: int) -> str:
        ref = self._objects[number] if 0 < number < len(self._objects) else None
        if ref is None:
            return f"unknown object #{number}"
        place = self._places.get(ref)
        return f"{ref} ({place})" if place else str(ref)
