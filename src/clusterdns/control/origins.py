"""Who made a record: numbers for the engine, objects for people.

Zone entries carry a number; this table turns it back into `Service shop/cart (shop.yaml:12)`. Must not know records or the engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from clusterdns.cluster import Ref

UNKNOWN = 0


class Origins:
    """Numbers for objects: the same object keeps its number. Numbers begin at 1; 0 is nobody's."""

    def __init__(self) -> None:
        self._numbers: dict[Ref, int] = {}
        self._objects: list[tuple[Ref, str]] = []
        self._lock = Lock()

    def number(self, ref: Ref, place: str = "") -> int:
        """The object's number; `place` is where it was read (`shop.yaml:12`), if that can be said."""
        with self._lock:
            number = self._numbers.get(ref)
            if number is None:
                self._objects.append((ref, place))
                number = self._numbers[ref] = len(self._objects)
            elif place:
                self._objects[number - 1] = (ref, place)
            return number

    def describe(self, numbers: Iterable[int]) -> list[str]:
        """Each number's object in words; what is no number of ours is said to be unknown."""
        with self._lock:
            return [self._words(number) for number in numbers]

    def _words(self, number: int) -> str:
        if not 0 < number <= len(self._objects):
            return f"unknown object #{number}"
        ref, place = self._objects[number - 1]
        return f"{ref} ({place})" if place else str(ref)
