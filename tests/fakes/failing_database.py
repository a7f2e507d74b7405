"""The real database behind a switch that makes writes fail as a full disk does: before anything of them is kept."""

from typing import Self

from storage.database import Database, P, R, Unit
from storage.errors import StorageError, StorageFull


class FailingDatabase:
    """Fails the writes whose numbers, counted from 1, are in `fail`, or all of them while `failing` is true."""

    def __init__(self, database: Database, *fail: int, error: type[StorageError] = StorageFull) -> None:
        self._database = database
        self._fail = set(fail)
        self._error = error
        self.failing = False
        self.writes = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        self.writes += 1
        if self.failing or self.writes in self._fail:
            raise self._error
        return await self._database.write(unit, *args, **kwargs)

    async def read(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._database.read(unit, *args, **kwargs)
