"""The real database, in which time stands still at one write: what comes then is as if the program had been killed."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

from storage.database import Database, P, R, Unit

Boundary = Callable[[str, str, tuple[Any, ...]], bool]
"""Whether to halt here: "before" or "after", the unit's name, its arguments."""


class HaltingDatabase:
    """Halts for ever at the first boundary that fits, and sets `reached`."""

    def __init__(self, database: Database, halts: Boundary) -> None:
        self._database = database
        self._halts = halts
        self.reached = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        name = getattr(unit, "__name__", "")
        await self._halt("before", name, args)
        result = await self._database.write(unit, *args, **kwargs)
        await self._halt("after", name, args)
        return result

    async def read(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._database.read(unit, *args, **kwargs)

    async def _halt(self, when: str, name: str, args: tuple[Any, ...]) -> None:
        if not self.reached.is_set() and self._halts(when, name, args):
            self.reached.set()
            await asyncio.Event().wait()
