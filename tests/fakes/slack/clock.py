"""Slack's time in the fake: it runs `speed` times as fast as the true one and can be moved on by hand.

Only what Slack times in minutes follows it (retries of events, the death of streams, response URLs). The three
seconds for an acknowledgement and the windows of rate limits are true seconds, because real clients live in them.
"""

import asyncio
import time
from contextlib import suppress


class Clock:
    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._start = time.monotonic()
        self._offset = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        """Slack's seconds since the fake was made."""
        return (time.monotonic() - self._start) * self.speed + self._offset

    def advance(self, seconds: float) -> None:
        """Let so many of Slack's seconds pass at once; whoever sleeps until then wakes."""
        self._offset += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left / self.speed):
                    await self._moved.wait()
