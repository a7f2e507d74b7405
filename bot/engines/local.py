"""The engine of a single process: one asyncio task per conversation that has open turns, none for the others, and a
timer for one that is paused until somebody decides something.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from bot.errors import PlatformError
from bot.worker import Worker
from storage import turns
from storage.database import Database
from storage.errors import Fenced, StorageError

_log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
"""How long running answers may go on after the program was asked to end; then they are left to the next start."""
FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 30.0
PAUSE_MARGIN = 0.01
"""Seconds that are waited beyond the end of a pause."""


class LocalEngine:
    """Drains every woken conversation, at most `concurrency` at once, each by one task at a time."""

    def __init__(self, database: Database, worker: Worker, platforms: Sequence[str], concurrency: int) -> None:
        self._database = database
        self._worker = worker
        self._platforms = tuple(platforms)
        self._slots = asyncio.Semaphore(concurrency)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._woken: set[int] = set()
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        for conversation in await self._database.read(turns.waiting_conversations, self._platforms):
            self.wake(conversation)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._closing.set()
        self._worker.close()
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    @property
    def idle(self) -> bool:
        """Whether no conversation is worked on."""
        return not self._tasks

    def wake(self, conversation: int) -> None:
        self._woken.add(conversation)
        if timer := self._timers.pop(conversation, None):
            timer.cancel()
        if conversation not in self._tasks and not self._closing.is_set():
            task = asyncio.create_task(self._drain(conversation), name=f"conversation-{conversation}")
            self._tasks[conversation] = task

    def stop(self, conversation: int) -> None:
        self._worker.stop(conversation)
        if conversation in self._timers or conversation in self._tasks:  # it is paused, or about to be
            self.wake(conversation)

    async def _drain(self, conversation: int) -> None:
        """Drain until nobody woke the conversation meanwhile, waiting longer after each failure."""
        failures = 0
        try:
            while conversation in self._woken and not self._closing.is_set():
                self._woken.discard(conversation)
                if await self._drained(conversation):
                    failures = 0
                else:
                    self._woken.add(conversation)
                    await self._pause(min(FIRST_RETRY_SECONDS * 2**failures, LAST_RETRY_SECONDS))
                    failures = min(failures + 1, 10)
        finally:
            del self._tasks[conversation]

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the program is asked to end: then there is nothing to wait for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    async def _drained(self, conversation: int) -> bool:
        try:
            async with self._slots:
                paused = await self._worker.drain(conversation)
        except Fenced as error:
            _log.warning("conversation %d: %s", conversation, error)
        except (StorageError, PlatformError) as error:
            _log.error("conversation %d is put aside for a moment: %r", conversation, error)
            return False
        except Exception:  # noqa: BLE001 - a bug in one turn must not end the engine; it is logged and tried again
            _log.exception("conversation %d is put aside for a moment", conversation)
            return False
        else:
            self._wake_in(conversation, paused)
        return True

    def _wake_in(self, conversation: int, seconds: float | None) -> None:
        """When a pause is over that nobody ended. Time is stored in milliseconds, and the loop's clock is another."""
        if seconds is not None and conversation not in self._woken and not self._closing.is_set():
            loop = asyncio.get_running_loop()
            self._timers[conversation] = loop.call_later(seconds + PAUSE_MARGIN, self.wake, conversation)
