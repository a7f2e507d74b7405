"""Waiting for something observable, with a bound, instead of sleeping and hoping."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds after which a condition is not going to come true any more."""


async def until(condition: Callable[[], object]) -> None:
    """Return as soon as `condition()` is true; raises TimeoutError when it never is."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.005)


async def until_found(
    find: Callable[[], Awaitable[T]], enough: Callable[[T], object], *, seconds: float = PATIENCE
) -> T:
    """The first result of `find` that is `enough`; raises TimeoutError when there is none."""
    async with asyncio.timeout(seconds):
        while not enough(found := await find()):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.005)
        return found
