"""Waiting for the fake's state without polling: whoever changes it tells, whoever waits looks again."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 10.0
"""Seconds after which a condition is not going to come true any more."""


class Changes:
    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}

    def tell(self) -> None:
        """Something changed: every condition waited for is looked at again, the oldest first."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], T], *, seconds: float | None = PATIENCE) -> T:
        """The first true value of `condition`; raises TimeoutError. `seconds=None` waits for ever."""
        async with asyncio.timeout(seconds):
            while not (found := condition()):
                await self._next()
            return found

    async def _next(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        try:
            await future
        finally:
            self._waiting.pop(future, None)
