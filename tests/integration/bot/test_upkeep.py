"""What is looked after when the bot starts, and once a day."""

import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.upkeep import Upkeep
from storage import backup, forgetting, keepsakes
from storage.compaction import asked as compaction_asked
from storage.database import Connection
from storage.errors import StorageError
from storage.pruning_file import list_file, reconcile
from storage.retention import Policy
from storage.sqlite import SQLiteDatabase
from tests.fakes.failing_database import FailingDatabase
from tests.forgotten import answered, mark, person, rows_with, traces
from tests.storage_builders import count
from tests.waiting import until, until_found


def old(connection: Connection, *channels: str) -> None:
    """Missions that ended a year ago."""
    for channel in channels:
        answered(connection, "ann", channel, channel)
    connection.execute("UPDATE conversations SET status = 'completed', last_updated = '2020-01-01T00:00:00.000Z'")


async def test_a_restored_backup_is_pruned_before_anybody_is_answered(tmp_path: Path) -> None:
    path, copy = tmp_path / "db", tmp_path / "copy"
    async with SQLiteDatabase(str(path)) as database:
        await database.write(answered, "ann", "c1", "one")
        await database.write(answered, "ben", "c2", "two")
        await backup.back_up(path, copy)
        await database.write(forgetting.forget, person("ann"))
        await reconcile(database, list_file(path))
    path.unlink()  # its log went when it was closed
    shutil.copy(copy, path)
    async with SQLiteDatabase(str(path)) as database, Upkeep(database, Policy(), file=path):
        assert await database.read(rows_with, mark("ann")) == []
        await until(lambda: traces(path, mark("ann")) == 0)
        await until_found(lambda: database.read(compaction_asked), lambda found: found is None)
    assert traces(path, mark("ben")) > 0


async def test_a_list_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "db"
    list_file(path).write_text("nonsense")
    async with SQLiteDatabase(str(path)) as database:
        with pytest.raises(StorageError, match="is no list of people who were forgotten"):
            async with Upkeep(database, Policy(), file=path):
                pass


async def test_an_erasure_that_was_killed_before_its_compaction_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with SQLiteDatabase(str(path)) as database:
        await database.write(answered, "ann", "c1", "one")
        await database.write(forgetting.forget, person("ann"))  # and the process dies here
        assert not list_file(path).exists()
        await Upkeep(database, Policy(), file=path).once()
        assert list_file(path).exists()
        assert traces(path, mark("ann")) == 0
        assert await database.read(compaction_asked) is None


async def test_what_is_too_old_goes_at_the_start_and_then_every_day(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with SQLiteDatabase(str(path)) as database:
        await database.write(old, "c1", "c2")
        async with Upkeep(database, Policy(days=30), file=path, every=0.02):
            await until_found(lambda: database.read(count, "turns"), lambda found: found == 0)
            await database.write(old, "c3")
            await until_found(lambda: database.read(count, "turns"), lambda found: found == 0)


async def test_without_a_policy_everything_is_kept(tmp_path: Path) -> None:
    async with SQLiteDatabase(str(tmp_path / "db")) as database:
        await database.write(old, "c1")
        await Upkeep(database, Policy()).once()
        assert await database.read(count, "turns") == 1


async def test_a_clock_that_jumped_ahead_empties_nothing_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=400)).isoformat(timespec="milliseconds")
    async with SQLiteDatabase(str(tmp_path / "db")) as database:
        await database.write(old, "c1")
        await database.write(keepsakes.replace, "retention looked at the clock", long_ago)
        upkeep = Upkeep(database, Policy(days=30))
        await upkeep.once()
        assert await database.read(count, "turns") == 1
        assert "no mission is removed today" in caplog.text
        await upkeep.once()
        assert await database.read(count, "turns") == 0


async def test_a_database_that_fails_is_looked_after_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with SQLiteDatabase(str(tmp_path / "db")) as file:
        await file.write(old, "c1")
        failing = FailingDatabase(file)
        failing.failing = True
        async with Upkeep(failing, Policy(days=30), every=0.02):
            await until(lambda: "could not be looked after" in caplog.text)
            failing.failing = False
            await until_found(lambda: file.read(count, "turns"), lambda found: found == 0)
    assert {record.levelno for record in caplog.records if record.name == "bot.upkeep"} <= {logging.ERROR, logging.INFO}
