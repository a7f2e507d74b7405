# ruff: noqa: ASYNC221, ASYNC240 - the tests look at files and mount disks while nothing else runs in their loop

import asyncio
import os
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from storage import conversations, keepsakes, turns
from storage.conversations import Place
from storage.database import Connection, open_database
from storage.errors import (
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageInUse,
    StorageReadOnly,
    StorageTooNew,
)
from storage.migrations import all_migrations
from storage.sqlite import MAX_BATCH, SQLiteDatabase
from storage.sqlite_setup import APPLICATION_ID
from tests.fakes.disks import remount, tiny_disk
from tests.fakes.other_process import PAUSE, ROOT, other_process
from tests.storage_builders import BusyWriter, count, message

HOLD_OPEN = f"""
import asyncio, sys
from storage.database import open_database
async def main():
    async with open_database(sys.argv[1]):
        {PAUSE}
asyncio.run(main())
"""
HOLD_LOCKED = f"""
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
{PAUSE}
connection.execute("ROLLBACK")
connection.close()
"""
OPEN_ONCE = """
import asyncio, sys
from storage import conversations
from storage.database import open_database
async def main():
    async with open_database(sys.argv[1], exclusive=False) as database:
        print(await database.read(conversations.recent, conversations.Place(), limit=1))
asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.db"


async def make(path: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        await database.write(turns.admit, message("discord:1"))


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def pragma(connection: Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def commits(path: Path) -> int:
    """The commits in the write-ahead log: frames that tell the database's size after them (sqlite.org/fileformat2)."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    (page,) = struct.unpack_from(">I", log, 8)
    salts = log[16:24]
    frames = [log[at : at + 24] for at in range(32, len(log), 24 + page)]
    return sum(1 for frame in frames if frame[8:16] == salts and struct.unpack_from(">I", frame, 4)[0])


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177, 0o777])
async def test_every_file_is_the_owners_only_whatever_the_umask(path: Path, umask: int) -> None:
    path.parent.mkdir()
    before = os.umask(umask)
    try:
        async with SQLiteDatabase(str(path)) as database:
            await database.write(keepsakes.keep, "a", "b")
            assert modes(path.parent) == dict.fromkeys(("bot.db", "bot.db-wal", "bot.db-shm", "bot.db.lock"), 0o600)
    finally:
        os.umask(before)


async def test_a_file_behind_a_dangling_link_is_the_owners_only(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "real.db")
    await make(path)
    assert stat.S_IMODE((tmp_path / "real.db").stat().st_mode) == 0o600


async def test_the_folder_is_made(tmp_path: Path) -> None:
    await make(tmp_path / "a" / "b" / "bot.db")
    assert (tmp_path / "a" / "b" / "bot.db").stat().st_size > 0


async def test_commits_are_durable_and_readers_do_not_wait(path: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        names = ("journal_mode", "synchronous", "foreign_keys", "application_id")
        assert [await database.write(pragma, name) for name in names] == ["wal", 2, 1, APPLICATION_ID]
        assert await database.read(pragma, "query_only") == 1


async def test_foreign_keys_are_enforced(path: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        with pytest.raises(StorageError, match="FOREIGN KEY"):
            await database.write(
                lambda c: c.execute("INSERT INTO deliveries VALUES (:turn, 0, 'm')", {"turn": 4711}).rowcount
            )


async def test_writes_that_wait_together_share_a_commit(path: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        before = commits(path)
        async with BusyWriter(database):
            waiting = [
                asyncio.create_task(database.write(keepsakes.keep, f"{n}", "")) for n in range(2 * MAX_BATCH + 1)
            ]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        assert commits(path) - before == 3


async def test_a_write_that_waits_for_no_other_is_committed_at_once(path: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        before = commits(path)
        for n in range(1, 6):
            await database.write(keepsakes.keep, f"{n}", "")
            assert commits(path) - before == n


async def test_migrations_are_applied_once_and_recorded(path: Path) -> None:
    def applied(connection: Connection) -> list[tuple[int, str, str]]:
        return connection.execute("SELECT number, name, applied_at FROM migrations ORDER BY number").fetchall()

    async with SQLiteDatabase(str(path)) as database:
        first = await database.read(applied)
    async with SQLiteDatabase(str(path)) as database:
        assert await database.read(applied) == first
    assert [(number, name) for number, name, _ in first] == [(m.number, m.name) for m in all_migrations()]


async def test_processes_that_open_a_new_database_at_once_agree(path: Path) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", OPEN_ONCE, f"sqlite:///{path}", cwd=ROOT, stdout=subprocess.PIPE
        )
        for _ in range(6)
    ]
    outputs = [(await process.communicate())[0] for process in processes]
    assert outputs == [b"[]\n"] * 6
    async with SQLiteDatabase(str(path)) as database:
        assert await database.read(count, "migrations") == len(all_migrations())


async def test_a_second_answering_process_is_refused(path: Path) -> None:
    with other_process(HOLD_OPEN, f"sqlite:///{path}"):
        with pytest.raises(StorageInUse):
            await make(path)
        async with SQLiteDatabase(str(path), exclusive=False) as database:
            await database.write(turns.admit, message("discord:1"))
            assert len(await database.read(conversations.recent, Place(), limit=9)) == 1
    await make(path)


async def test_a_second_answering_opening_in_the_same_process_is_refused(path: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        with pytest.raises(StorageInUse):
            await make(path)
        assert await database.write(keepsakes.keep, "still", "works") == "works"


async def test_a_second_opening_does_not_take_away_the_locks_of_the_first(path: Path) -> None:
    probe = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=0); c.execute('PRAGMA journal_mode = DELETE')"
    )
    async with SQLiteDatabase(str(path)) as database, SQLiteDatabase(str(path), exclusive=False):
        await database.write(keepsakes.keep, "a", "b")
        # Leaving WAL mode needs the whole database for itself: it is refused as long as our locks are seen.
        outcome = subprocess.run([sys.executable, "-c", probe, path], capture_output=True, text=True, check=False)
        assert "database is locked" in outcome.stderr


async def test_a_database_locked_by_another_process_is_busy_until_it_is_free(path: Path) -> None:
    await make(path)
    async with SQLiteDatabase(str(path), busy_seconds=0.05) as database:
        with other_process(HOLD_LOCKED, path):
            with pytest.raises(StorageBusy):
                await database.write(turns.admit, message("discord:2"))
            assert await database.read(count, "turns") == 1
        await database.write(turns.admit, message("discord:2"))
        assert await database.read(count, "turns") == 2


async def test_a_newer_database_is_refused_and_left_as_it_is(path: Path) -> None:
    await make(path)
    number = len(all_migrations()) + 1
    alter(path, f"INSERT INTO migrations VALUES ({number}, 'later', '')", "PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    with pytest.raises(StorageTooNew):
        await make(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("wal", [True, False])
async def test_the_database_of_another_program_is_refused_and_left_as_it_is(path: Path, wal: bool) -> None:
    path.parent.mkdir()
    alter(path, *(["PRAGMA journal_mode = WAL"] if wal else []), "CREATE TABLE conversations (id)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        await make(path)
    assert path.read_bytes() == before
    assert set(modes(path.parent)) == {"bot.db", "bot.db.lock"}


async def test_an_empty_database_that_another_program_signed_is_refused(path: Path) -> None:
    path.parent.mkdir()
    alter(path, "PRAGMA application_id = 7", "CREATE TABLE t (x)", "DROP TABLE t")
    with pytest.raises(StorageError, match="another program"):
        await make(path)


@pytest.mark.parametrize(
    "content",
    [b"hello", b"my important notes\n" * 500, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 4096],
    ids=["a word", "notes", "only the magic", "zeros"],
)
async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StorageCorrupt):
        await make(path)
    assert path.read_bytes() == content


async def test_a_damaged_database_is_named_so_and_left_as_it_is(path: Path) -> None:
    await make(path)
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)
    damaged[100:4096] = b"\x5a" * 3996
    path.write_bytes(damaged)
    with pytest.raises(StorageCorrupt):
        await make(path)
    assert path.read_bytes() == damaged


async def test_a_truncated_database_is_named_corrupt(path: Path) -> None:
    await make(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StorageCorrupt):
        await make(path)
    assert path.read_bytes() == whole[: len(whole) // 2]


async def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    await make(path)
    async with SQLiteDatabase(str(path)) as database:
        assert await database.read(count, "turns") == 1


async def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageReadOnly):
        await make(tmp_path)


async def test_a_file_in_the_way_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageReadOnly):
        await make(tmp_path / "file" / "bot.db")


async def test_a_read_only_disk_is_refused(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "size=1m") as disk:
        await make(disk / "bot.db")
        remount(disk, "ro")
        with pytest.raises(StorageReadOnly):
            await make(disk / "bot.db")
        with pytest.raises(StorageReadOnly):
            async with SQLiteDatabase(str(disk / "bot.db"), exclusive=False) as database:
                await database.write(turns.admit, message("discord:2"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in a read-only folder")
async def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageReadOnly):
            await make(tmp_path / "bot.db")
    finally:
        tmp_path.chmod(0o700)


async def fill(database: SQLiteDatabase) -> int:
    """Write until the disk is full; how much was written before."""
    for n in range(100):
        try:
            await database.write(turns.admit, message(f"discord:{n}", "x" * 10_000))
        except StorageFull:
            return n
    pytest.fail("the disk is never full")


async def test_a_full_disk_refuses_and_goes_on_when_there_is_space_again(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "size=1m") as disk:
        async with SQLiteDatabase(str(disk / "bot.db")) as database:
            stored = await fill(database)
            assert await database.read(count, "turns") == stored
            assert await database.read(pragma, "integrity_check") == "ok"
            remount(disk, "size=8m")
            await database.write(turns.admit, message("discord:after", "x" * 10_000))
            assert await database.read(count, "turns") == stored + 1
        async with SQLiteDatabase(str(disk / "bot.db")) as database:
            assert await database.read(count, "turns") == stored + 1


async def test_a_full_disk_refuses_all_that_shared_the_transaction(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "size=1m") as disk:
        async with SQLiteDatabase(str(disk / "bot.db")) as database:
            async with BusyWriter(database):
                waiting = [
                    asyncio.create_task(database.write(turns.admit, message(f"discord:{n}", "x" * 20_000)))
                    for n in range(100)
                ]
                await asyncio.sleep(0)
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {StorageFull}
            assert await database.read(count, "turns") == 0
            await database.write(turns.admit, message("discord:small"))
            assert await database.read(count, "turns") == 1


async def test_a_database_is_not_made_on_a_full_disk(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "size=64k") as disk:
        filling = disk / "filling"
        with suppress(OSError):
            filling.write_bytes(b"x" * 100_000)
        with pytest.raises(StorageFull):
            await make(disk / "bot.db")
        filling.unlink()
        remount(disk, "size=1m")
        await make(disk / "bot.db")


async def test_what_a_killed_process_had_committed_is_there(path: Path, tmp_path: Path) -> None:
    async with SQLiteDatabase(str(path)) as database:
        await database.write(turns.admit, message("discord:1"))
        # What a crash would leave: the files as they are while the database is open.
        shutil.copytree(path.parent, tmp_path / "crashed")
    async with SQLiteDatabase(str(tmp_path / "crashed" / "bot.db")) as database:
        assert await database.read(count, "turns") == 1


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "sqlite:///", "bot.db", ""])
def test_an_unknown_database_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(StorageError, match=r"sqlite:///data/secret-agents\.db"):
        open_database(url)


async def test_a_url_is_relative_with_three_slashes_and_absolute_with_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_database("sqlite:///data/bot.db"), open_database(f"sqlite:///{tmp_path}/absolute.db"):
        assert (tmp_path / "data" / "bot.db").exists()
        assert (tmp_path / "absolute.db").exists()
