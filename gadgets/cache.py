"""Results of gadgets that are asked the same again: kept for a while, and made once for all who ask meanwhile."""

import asyncio
import json
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gadgets.toolbox import Outcome

MAX_ENTRIES = 2_000
MAX_BYTES = 8_000_000
"""Of keys and texts, as UTF-8, in all."""

Make = Callable[[], Awaitable["Outcome"]]


def key_of(name: str, user: str, values: Mapping[str, Any]) -> str:
    """One text for each call that means the same: the gadget, the user for whom its results are private or "", and the
    validated arguments, in any order and any normal form of Unicode.
    """
    return json.dumps([name, user, _canonical(dict(values))], ensure_ascii=False, sort_keys=True)


def _user_of(key: str) -> str:
    user: str = json.loads(key)[1]
    return user


def _canonical(value: Any) -> Any:
    """Arguments are what a gadget's schema knows: text, numbers, enumerations, lists of these, and nothing."""
    match value:
        case Enum():
            return _canonical(value.value)
        case str():
            return unicodedata.normalize("NFC", value)
        case dict():
            return {name: _canonical(each) for name, each in value.items()}
        case list():
            return [_canonical(each) for each in value]
        case _:
            return value


@dataclass(frozen=True, slots=True)
class _Entry:
    outcome: "Outcome"
    until: float
    size: int


@dataclass(slots=True)
class _Flight:
    """A result that is being made, and how many wait for it."""

    task: "asyncio.Task[Outcome]"
    waiting: int = 0


class ResultCache:  # cachetools has lifetimes and sizes, but not both bounds at once, nor one call for all who wait
    """Holds at most `entries` results and `size` bytes of them; beyond, the one that was wanted least recently goes.

    In memory only: after a restart a gadget is asked again. `now` is a clock that never goes back, in seconds.
    """

    def __init__(
        self, entries: int = MAX_ENTRIES, size: int = MAX_BYTES, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_entries = entries
        self._max_bytes = size
        self._now = now
        self._kept: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0
        self._flights: dict[str, _Flight] = {}

    @property
    def size(self) -> int:
        """Bytes held now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: str, ttl: float, make: Make) -> "Outcome":
        """The result kept under the key, marked as `cached`, or the one that `make` gives, which is kept for `ttl`
        seconds if it is a success.

        Two who ask at once wait for one result, also for a failure. It is made on when one of them is cancelled, and
        stopped when all are. `make` raises nothing.
        """
        if entry := self._fresh(key):
            return entry.outcome
        flight = self._flights.get(key)
        if flight is not None:
            outcome = await self._wait(key, flight)
            return _again(outcome) if outcome.ok else replace(outcome, prompt_tokens=0, completion_tokens=0)
        flight = self._flights[key] = _Flight(asyncio.ensure_future(self._made(key, ttl, make)))
        return await self._wait(key, flight)

    def forget(self, user: str) -> int:
        """Drop the results that are private to a user; how many there were. What is being made for them is not kept."""
        theirs = [key for key in self._kept if _user_of(key) == user]
        for key in theirs:
            self._drop(key)
        for key in [key for key in self._flights if _user_of(key) == user]:
            del self._flights[key]
        return len(theirs)

    def _fresh(self, key: str) -> _Entry | None:
        entry = self._kept.get(key)
        if entry is not None and entry.until > self._now():
            self._kept.move_to_end(key)
            return entry
        self._drop(key)
        return None

    async def _wait(self, key: str, flight: _Flight) -> "Outcome":
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                self._land(key, flight)
                if flight.task.cancel():  # nobody waits any more; the gadget may still have something to put in order
                    await asyncio.wait([flight.task])

    async def _made(self, key: str, ttl: float, make: Make) -> "Outcome":
        outcome = await make()
        flight = self._flights.get(key)
        wanted = flight is not None and flight.task is asyncio.current_task()  # else its user was forgotten meanwhile
        if outcome.ok and not outcome.ends and wanted:
            self._keep(key, _again(outcome), ttl)
        return outcome

    def _land(self, key: str, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _keep(self, key: str, outcome: "Outcome", ttl: float) -> None:
        self._drop(key)
        size = len(key.encode()) + len(outcome.text.encode())
        if size > self._max_bytes:
            return
        self._kept[key] = _Entry(outcome, self._now() + ttl, size)
        self._bytes += size
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:  # ends: each step drops one
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        entry = self._kept.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size


def _again(outcome: "Outcome") -> "Outcome":
    """As it is given to those who did not make it: they pay nothing for it."""
    return replace(outcome, cached=True, prompt_tokens=0, completion_tokens=0)
