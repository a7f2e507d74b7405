"""Backends under contract. A new one joins with a factory in `BACKENDS`; what it cannot run it skips with a reason."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from storage.database import Database, open_database


def sqlite(folder: Path) -> Database:
    return open_database(f"sqlite:///{folder / 'contract.db'}")


BACKENDS: dict[str, Callable[[Path], Database]] = {"sqlite": sqlite}


@pytest.fixture(params=BACKENDS)
def closed_database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
async def database(closed_database: Database) -> AsyncIterator[Database]:
    async with closed_database as opened:
        yield opened
