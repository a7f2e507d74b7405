"""Waiting for something to become true of the server's state, woken by what happens to it and not by a timer."""

import asyncio
from collections.abc import Callable


class Pulse:
    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def beat(self) -> None:
        """Something happened: everybody looks again."""
        for event in self._waiting:
            event.set()

    async def until(self, condition: Callable[[], object], seconds: float) -> None:
        """Return as soon as `condition()` is true. Raises TimeoutError when it does not become true in time."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await event.wait()
                    event.clear()
        finally:
            self._waiting.discard(event)
