"""Work on the events of one place in their order, different places beside each other."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

_log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
Work = Callable[[], Awaitable[None]]


class Lanes(Generic[K]):
    """One task per place that has work, none for the others."""

    def __init__(self) -> None:
        self._waiting: dict[K, deque[Work]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, place: K, work: Work) -> None:
        if (waiting := self._waiting.get(place)) is not None:
            waiting.append(work)
            return
        self._waiting[place] = deque([work])
        task = asyncio.create_task(self._work(place), name=f"lane-{place}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def join(self) -> None:
        """Until there is no work in any lane."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Drop what waits: the platform tells it again after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._waiting.clear()

    async def _work(self, place: K) -> None:
        waiting = self._waiting[place]
        while waiting:
            try:
                await waiting.popleft()()
            except Exception:  # noqa: BLE001 - the events behind it are none the worse; it is logged
                _log.exception("an event in %s could not be handled", place)
        del self._waiting[place]
