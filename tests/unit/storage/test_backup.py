"""A backup is whole, of one instant and sound, or it is not there."""

# ruff: noqa: ASYNC240 - the tests look at files while nothing else runs in their loop

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import backup
from storage.backup import BackupSummary
from storage.database import Connection
from storage.errors import StorageBusy, StorageCorrupt, StorageError, StorageFull, StorageTooNew
from storage.migrations import all_migrations
from storage.sqlite import SQLiteDatabase
from tests.fakes.disks import tiny_disk
from tests.forgotten import answered
from tests.storage_builders import count

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "copy.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(path)) as opened:
        yield opened


def say(connection: Connection, *numbers: int) -> None:
    for number in numbers:
        answered(connection, "ann", f"c{number % 5}", f"{number} {'x' * 3000}")


def others(target: Path) -> list[str]:
    return sorted(each.name for each in target.parent.iterdir() if each != target)


async def test_a_backup_has_everything_that_was_committed_and_can_be_opened(
    database: SQLiteDatabase, path: Path, target: Path
) -> None:
    await database.write(say, *range(12))
    made = await backup.back_up(path, target)
    assert made == BackupSummary(5, 12, len(all_migrations()), target.stat().st_size)
    assert backup.check(target) == made
    assert target.stat().st_mode & 0o777 == 0o600
    assert others(target) == []
    async with SQLiteDatabase(str(target)) as restored:
        assert await restored.read(count, "turns") == 12


async def test_writers_go_on_while_it_is_made_and_it_is_of_one_instant(
    database: SQLiteDatabase, path: Path, target: Path
) -> None:
    await database.write(say, *range(200))
    half, go_on = threading.Event(), threading.Event()

    def progress(done: int, of: int) -> None:
        if done < of:
            half.set()
            assert go_on.wait(30)

    making = asyncio.create_task(backup.back_up(path, target, progress))
    assert await asyncio.to_thread(half.wait, 30)
    await database.write(say, *range(200, 210))  # is written, though the copying has not ended
    assert await database.read(count, "turns") == 210
    go_on.set()
    assert (await making).messages == 200


async def test_a_backup_takes_the_place_of_an_earlier_one(database: SQLiteDatabase, path: Path, target: Path) -> None:
    await database.write(say, 1)
    await backup.back_up(path, target)
    await database.write(say, 2)
    link = target.with_name("link")
    link.symlink_to(target)
    assert (await backup.back_up(path, link)).messages == 2
    assert (link.is_symlink(), backup.check(target).messages) == (True, 2)


@pytest.mark.parametrize("ending", backup.BESIDES)
async def test_the_database_and_its_files_are_never_written_over(
    database: SQLiteDatabase, path: Path, target: Path, ending: str
) -> None:
    own = Path(f"{path}{ending}")
    with pytest.raises(StorageError, match="belongs to the database itself"):
        await backup.back_up(path, own)
    if own.exists():
        for name, make in (("link", target.symlink_to), ("hard", target.hardlink_to)):
            make(own)
            with pytest.raises(StorageError, match="belongs to the database itself"):
                await backup.back_up(path, target)
            target.unlink()
            assert name
    assert others(target) == []


async def test_what_is_no_backup_is_never_written_over(database: SQLiteDatabase, path: Path, target: Path) -> None:
    with pytest.raises(StorageError, match="is a folder"):
        await backup.back_up(path, target.parent)
    target.write_text("notes")
    with pytest.raises(StorageError, match="is no backup"):
        await backup.back_up(path, target)
    assert target.read_text() == "notes"
    target.unlink()
    os.mkfifo(target)
    with pytest.raises(StorageError, match="not an ordinary file"):
        await backup.back_up(path, target)
    with pytest.raises(StorageError, match="There is no database"):
        await backup.back_up(path.with_name("none"), target.with_name("other"))
    with pytest.raises(StorageError, match=r"cannot be written: No such file"):
        await backup.back_up(path, target.parent / "missing" / "copy.db")
    assert not path.with_name("none").exists()


async def test_a_backup_that_is_cancelled_leaves_nothing(database: SQLiteDatabase, path: Path, target: Path) -> None:
    await database.write(say, *range(200))
    begun, go_on = threading.Event(), threading.Event()

    def progress(_done: int, _of: int) -> None:
        begun.set()
        assert go_on.wait(30)

    making = asyncio.create_task(backup.back_up(path, target, progress))
    assert await asyncio.to_thread(begun.wait, 30)
    assert others(target) == [".copy.db.part"]
    making.cancel()
    await asyncio.sleep(0)  # the cancellation reaches it
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert (target.exists(), others(target)) == (False, [])


async def test_two_at_once_are_not_written_into_one_file(database: SQLiteDatabase, path: Path, target: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def progress(_done: int, _of: int) -> None:
        begun.set()
        assert go_on.wait(30)

    making = asyncio.create_task(backup.back_up(path, target, progress))
    assert await asyncio.to_thread(begun.wait, 30)
    with pytest.raises(StorageBusy, match="by another process"):
        await backup.back_up(path, target)
    go_on.set()
    await making
    assert others(target) == []


SCRIPT = """
import asyncio, sys, time
from pathlib import Path
from storage.backup import back_up

def progress(done, of):
    print("copying", flush=True)
    time.sleep(60)

asyncio.run(back_up(Path(sys.argv[1]), Path(sys.argv[2]), progress))
"""


async def test_what_a_killed_backup_left_is_overwritten_by_the_next_one(
    database: SQLiteDatabase, path: Path, target: Path
) -> None:
    await database.write(say, *range(100))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, path, target, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"copying\n"
    process.kill()
    await process.communicate()
    assert (target.exists(), ".copy.db.part" in others(target)) == (False, True)
    assert (await backup.back_up(path, target)).messages == 100
    assert others(target) == []


async def test_a_full_disk_keeps_the_backup_there_was(database: SQLiteDatabase, path: Path, tmp_path: Path) -> None:
    await database.write(say, 1)
    with tiny_disk(tmp_path / "disk", "size=1m") as disk:
        await backup.back_up(path, disk / "copy.db")
        await database.write(say, *range(2, 300))
        with pytest.raises(StorageFull, match=r"copy\.db was not written"):
            await backup.back_up(path, disk / "copy.db")
        assert [each.name for each in disk.iterdir()] == ["copy.db"]
        assert backup.check(disk / "copy.db").messages == 1


async def test_a_lock_of_another_process_is_told(path: Path, target: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        await database.write(say, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageBusy, match="is locked by another process"):
            await backup.back_up(path, target, wait_seconds=0.05)
    assert (target.exists(), others(target)) == (False, [])


async def test_a_damaged_database_gives_no_backup(path: Path, target: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        await database.write(say, *range(50))
    await backup.back_up(path, target)
    good = target.read_bytes()
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 8 * 4096)
    with pytest.raises(StorageCorrupt, match=r"db is damaged, and .*copy\.db was not written"):
        await backup.back_up(path, target)
    assert (target.read_bytes(), others(target)) == (good, [])


# Looking at one.


async def good_backup(path: Path, target: Path) -> Path:
    async with SQLiteDatabase(str(path)) as database:
        await database.write(say, *range(50))
    await backup.back_up(path, target)
    return target


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        ("DELETE FROM conversations WHERE number = 1", StorageCorrupt, "belongs to a row of conversations"),
        ("INSERT INTO migrations VALUES (9999, 'future', '')", StorageTooNew, "newer version"),
        ("UPDATE migrations SET name = 'other' WHERE number = 2", StorageCorrupt, "tables are not those"),
        ("PRAGMA application_id = 7", StorageError, "not a database of this program"),
        ("DROP TABLE notes", StorageCorrupt, "tables are not those"),
    ],
)
async def test_what_is_wrong_with_a_backup_is_told(
    path: Path, target: Path, spoil: str, kind: type[StorageError], words: str
) -> None:
    await good_backup(path, target)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute(spoil)
    with pytest.raises(kind, match=words):
        backup.check(target)


async def test_a_file_that_is_cut_off_or_something_else_is_no_backup(path: Path, target: Path) -> None:
    whole = (await good_backup(path, target)).read_bytes()
    for content in (whole[: len(whole) // 2], b"x" * 9_000, b"", whole[:1000] + b"\0" * (len(whole) - 1000)):
        target.write_bytes(content)
        with pytest.raises(StorageError):
            backup.check(target)
    with pytest.raises(StorageError, match="There is no file"):
        backup.check(target.with_name("none"))


async def test_a_backup_is_looked_at_without_touching_it(path: Path, target: Path) -> None:
    await good_backup(path, target)
    before = (target.stat().st_mtime_ns, target.read_bytes())
    target.chmod(0o400)
    backup.check(target)
    assert (target.stat().st_mtime_ns, target.read_bytes()) == before
    assert others(target) == []


async def test_a_database_that_was_copied_with_its_log_is_read_with_it(
    database: SQLiteDatabase, path: Path, target: Path
) -> None:
    await database.write(say, 1, 2, 3)
    for ending in ("", "-wal"):
        Path(f"{target}{ending}").write_bytes(Path(f"{path}{ending}").read_bytes())
    assert backup.check(target).messages == 3
