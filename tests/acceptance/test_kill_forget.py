"""Somebody is being forgotten when the process is killed: all of theirs is there, or nothing of it."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot.upkeep import Upkeep
from storage import forgetting, holdings
from storage.holdings import Holdings
from storage.retention import Policy
from storage.sqlite import SQLiteDatabase
from tests.forgotten import answered, belongings, mark, person, rows_with, traces

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, sys, time
from pathlib import Path
from bot.forgetting import Forgetting
from storage import compaction, forgetting
from storage.sqlite import SQLiteDatabase
from tests.forgotten import person

def halt(*_):
    print("here", flush=True)
    time.sleep(60)

def forget_and_halt(connection):
    forgetting.forget(connection, person("ann"))
    halt()

async def main(path, where):
    async with SQLiteDatabase(path) as database:
        if where == "before it is committed":
            await database.write(forget_and_halt)
        elif where == "before the list is written":
            await database.write(forgetting.forget, person("ann"))
            halt()
        else:
            memory = halt if where == "in between" else str
            await Forgetting(database, file=Path(path), memory=memory).forget(person("ann"))
            halt()

asyncio.run(main(*sys.argv[1:]))
"""
WHERE = {
    "before it is committed": True,
    "before the list is written": False,
    "in between": False,
    "when all is done": False,
}


@pytest.mark.parametrize("where", WHERE)
async def test_it_is_done_as_a_whole_or_not_at_all(tmp_path: Path, where: str) -> None:
    path = tmp_path / "db"
    async with SQLiteDatabase(str(path)) as database:
        for number, who in enumerate(("ann", "ben", "ann", "ann", "ben")):
            await database.write(answered, who, f"c{number % 2}", f"{number}", gadget=True)
        await database.write(belongings, "ann")
        before = await database.read(holdings.holdings, person("ann"))
        others = await database.read(rows_with, mark("ben"), without=mark("ann"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, path, where, stdout=PIPE, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"here\n"
    process.kill()
    await process.communicate()
    async with SQLiteDatabase(str(path)) as database:
        left = await database.read(holdings.holdings, person("ann"))
        assert left == (before if WHERE[where] else Holdings())
        if left:
            await database.write(forgetting.forget, person("ann"))
        await Upkeep(database, Policy(), file=path).once()
        kept = await database.read(rows_with, mark("ben"))
        assert [row for row in kept if row[0] != "conversations"] == [r for r in others if r[0] != "conversations"]
    assert traces(path, mark("ann")) == 0
