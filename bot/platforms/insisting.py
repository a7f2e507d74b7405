"""Asking the database until it answers: a platform does not tell an event for ever; what cannot be stored now is stored
later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from storage.errors import StorageError

T = TypeVar("T")
_log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 30.0


async def insist(ask: Callable[[], Awaitable[T]], tell: Callable[[], Awaitable[None]] | None = None) -> T:
    """What `ask` returns, once it does. `tell` is called after the first failure."""
    wait = FIRST_RETRY_SECONDS
    while True:  # until it is stored, or the end of the program: the platform tells again what it was not told we have
        try:
            return await ask()
        except StorageError as error:
            _log.error("an event cannot be stored yet: %r", error)
            if tell is not None:
                await tell()
                tell = None
        await asyncio.sleep(wait)
        wait = min(2 * wait, LAST_RETRY_SECONDS)
