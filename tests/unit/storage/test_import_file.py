# ruff: noqa: ASYNC240 - the tests write files while nothing else runs in their loop

import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage import records
from storage.conversations import Place, recent
from storage.database import Connection
from storage.errors import ImportRefused, StorageBusy, StorageFull
from storage.export import export_pieces
from storage.import_file import import_file, logs_in
from storage.importing import ImportSummary
from storage.sqlite import SQLiteDatabase
from tests.fakes.disks import remount, tiny_disk
from tests.fakes.other_process import PAUSE, other_process
from tests.storage_builders import count

LEGACY: dict[str, Any] = {
    "conversation": [
        {"timestamp": "2024-05-01T12:00:00.000Z", "user_message": "Hi", "agent_response": "Hello."},
        {"message": "Zürich?", "response": {"message": "In Switzerland. 😀"}},
    ]
}
MISSION_LOG: dict[str, Any] = {
    "version": 2,
    "conversations": [
        {
            "conversation_id": "old-1",
            "started_at": "2026-11-22T09:30:00.000Z",
            "last_updated": "2026-11-22T09:31:00.000Z",
            "status": "active",
            "messages": [],
        }
    ],
}
HOLD_LOCKED = f"""
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
{PAUSE}
connection.execute("ROLLBACK")
connection.close()
"""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "bot.db"), busy_seconds=0.05) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.json"


def saved(path: Path, log: object) -> Path:
    path.write_text(json.dumps(log), "utf-8")
    return path


async def exported(database: SQLiteDatabase) -> bytes:
    pieces: list[bytearray] = []
    await export_pieces(database, None, pieces.append)
    return b"".join(pieces)


def rows(connection: Connection) -> list[int]:
    return [count(connection, table) for table in ("conversations", "turns", "steps")]


async def test_the_format_is_told_by_what_is_in_the_file(database: SQLiteDatabase, path: Path) -> None:
    assert await import_file(database, saved(path, LEGACY)) == ImportSummary(1, 2, 0)
    assert await import_file(database, saved(path, MISSION_LOG)) == ImportSummary(1, 0, 0)
    newest, older = await database.read(recent, Place(), limit=3)
    assert (newest.id, older.status, older.title) == ("old-1", "completed", "Hi")
    told = await database.read(records.transcript, older.number, limit=9)
    assert [turn.agent_response for turn in told] == ["Hello.", "In Switzerland. 😀"]


@pytest.mark.parametrize("log", [LEGACY, MISSION_LOG], ids=["legacy", "mission log"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
async def test_a_file_in_another_encoding_of_unicode_is_the_same(
    database: SQLiteDatabase, path: Path, encoding: str, log: dict[str, Any]
) -> None:
    await import_file(database, saved(path, log))
    path.write_text(json.dumps(log, ensure_ascii=False, indent=4), encoding)
    assert await import_file(database, path) == ImportSummary(0, 0, 1)


async def test_a_renamed_and_touched_copy_adds_nothing(database: SQLiteDatabase, path: Path, tmp_path: Path) -> None:
    timeless = {"conversation": [{"message": "Hi", "response": "Hello."}]}
    await import_file(database, saved(path, timeless))
    before = await exported(database)
    copy = saved(tmp_path / "copy.txt", timeless)
    os.utime(copy, (10**9, 10**9))
    assert await import_file(database, copy) == ImportSummary(0, 0, 1)
    assert await exported(database) == before


async def test_a_log_without_times_has_that_of_its_file(database: SQLiteDatabase, path: Path) -> None:
    saved(path, {"conversation": [{"message": "Hi"}]})
    os.utime(path, (1714561200, 1714561200))
    await import_file(database, path)
    (told,) = await database.read(recent, Place(), limit=1)
    assert told.started_at == "2024-05-01T11:00:00.000Z"


async def test_what_was_imported_comes_back_as_it_is_from_its_export(
    database: SQLiteDatabase, path: Path, tmp_path: Path
) -> None:
    await import_file(database, saved(path, LEGACY | {"notes": [1.0, 2**70, "\ud800"]}))
    log = await exported(database)
    path.write_bytes(log)
    assert await import_file(database, path) == ImportSummary(0, 0, 1)
    async with SQLiteDatabase(str(tmp_path / "other.db")) as other:
        assert await import_file(other, path) == ImportSummary(1, 2, 0)
        assert await exported(other) == log
        assert await import_file(other, saved(path, LEGACY | {"notes": [1.0, 2**70, "\ud800"]})) == ImportSummary(
            0, 0, 1
        )


async def test_the_game_state_beside_a_log_comes_along(database: SQLiteDatabase, path: Path, tmp_path: Path) -> None:
    saved(tmp_path / "game_state.json", {"score": 7})
    await import_file(database, saved(path, LEGACY))
    (told,) = json.loads(await exported(database))["conversations"]
    assert told["extras"]["legacy"]["game_state.json"] == {"score": 7}


async def test_a_broken_game_state_beside_a_log_is_named(database: SQLiteDatabase, path: Path, tmp_path: Path) -> None:
    (tmp_path / "game_state.json").write_text('{"score": ', "utf-8")
    with pytest.raises(ImportRefused, match=r"game_state\.json, which belongs to the log: The file ends in the middle"):
        await import_file(database, saved(path, LEGACY))
    assert await database.read(rows) == [0, 0, 0]


BROKEN: list[tuple[bytes, str]] = [
    (b"", "is empty"),
    (b"\x00\x01\x02\x80" * 50, "is not JSON"),
    (b"\x89PNG\r\n" * 50, "is not text"),
    (b"SQLite format 3\x00" + b"\x81" * 90, "is not text"),
    (json.dumps(LEGACY).encode()[:-5], "ends in the middle"),
    (json.dumps(MISSION_LOG).encode()[:-5], "ends in the middle"),
    (json.dumps(LEGACY).encode() + b"}", "is not JSON: Extra data"),
    (b'{"conversation": []}', "has no entries"),
    (b'{"conversation": null}', "no log of missions"),
    (b'{"conversations": 7}', "Object missing required field `version`"),
    (b'{"version": 2, "conversations": [NaN]}', "malformed"),
    (b"[]", "no log of missions"),
    (b"{}", "no log of missions"),
    (b'"conversation"', "no log of missions"),
]


@pytest.mark.parametrize(("content", "problem"), BROKEN)
async def test_a_broken_file_is_refused_and_changes_nothing(
    path: Path, tmp_path: Path, content: bytes, problem: str
) -> None:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        await import_file(database, saved(path, LEGACY))
        before = await database.read(rows)
    digest = hashlib.sha256((tmp_path / "bot.db").read_bytes()).digest()
    path.write_bytes(content)
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        with pytest.raises(ImportRefused, match=problem):
            await import_file(database, path)
        assert await database.read(rows) == before
    assert hashlib.sha256((tmp_path / "bot.db").read_bytes()).digest() == digest
    assert path.read_bytes() == content


async def test_a_full_disk_keeps_nothing_of_a_log_and_all_that_was_there(path: Path, tmp_path: Path) -> None:
    saved(path, {"conversation": [{"message": f"{n}", "response": "x" * 10_000} for n in range(300)]})
    with tiny_disk(tmp_path / "disk", "size=1m") as disk:
        async with SQLiteDatabase(str(disk / "bot.db")) as database:
            await import_file(database, saved(tmp_path / "small.json", LEGACY))
            before = await exported(database)
            with pytest.raises(StorageFull):
                await import_file(database, path)
            assert await exported(database) == before
            remount(disk, "size=16m")
            assert await import_file(database, path) == ImportSummary(1, 300, 0)


async def test_a_locked_database_is_told_and_takes_the_log_when_it_is_free(
    database: SQLiteDatabase, path: Path, tmp_path: Path
) -> None:
    saved(path, LEGACY)
    with other_process(HOLD_LOCKED, tmp_path / "bot.db"):
        with pytest.raises(StorageBusy):
            await import_file(database, path)
        assert await database.read(rows) == [0, 0, 0]
    assert await import_file(database, path) == ImportSummary(1, 2, 0)


def test_of_a_folder_the_logs_are_taken_by_name(tmp_path: Path) -> None:
    for name in ("b.json", "A.JSON", "game_state.json", "._b.json", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.json").mkdir()
    assert logs_in(tmp_path) == [tmp_path / "A.JSON", tmp_path / "b.json"]
    assert logs_in(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]
    assert logs_in(tmp_path / "missing") == [tmp_path / "missing"]


def test_a_folder_without_logs_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"There is no log in .*: no file whose name ends in \.json"):
        logs_in(tmp_path)
