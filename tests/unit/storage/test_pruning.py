"""Who was forgotten does not come back: not by a restored backup, nor by an import."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import backup, forgetting, notes, pruning
from storage.compaction import asked as compaction_asked
from storage.compaction import compact_if_asked
from storage.database import Connection
from storage.errors import StorageError
from storage.export import export_to_file
from storage.holdings import Holdings
from storage.importing import ImportSummary, import_json
from storage.pruning import PruningList
from storage.pruning_file import list_file, read_list, reconcile, write_list
from storage.sqlite import SQLiteDatabase
from tests.forgotten import answered, belongings, mark, person, rows_with, traces
from tests.storage_builders import count

ANN, BEN = "ann", "ben"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SQLiteDatabase]:
    """Ann alone in c1, Ann and Ben in c2, Ben alone in c3."""
    async with SQLiteDatabase(str(path)) as opened:
        for who, channel in ((ANN, "c1"), (ANN, "c2"), (BEN, "c2"), (ANN, "c2"), (BEN, "c3")):
            number = await opened.read(count, "turns")
            await opened.write(answered, who, channel, f"{number}")
        await opened.write(belongings, ANN)
        await opened.write(belongings, BEN)
        yield opened


async def forgotten(database: SQLiteDatabase, path: Path) -> None:
    await database.write(forgetting.forget, person(ANN))
    await reconcile(database, list_file(path))


async def test_a_restored_backup_is_pruned_by_the_list_beside_the_database(
    database: SQLiteDatabase, path: Path, tmp_path: Path
) -> None:
    await backup.back_up(path, tmp_path / "backup")
    await forgotten(database, path)
    restored = tmp_path / "elsewhere" / "db"
    restored.parent.mkdir()
    shutil.copy(tmp_path / "backup", restored)
    shutil.copy(list_file(path), list_file(restored))
    assert traces(restored, mark(ANN))
    async with SQLiteDatabase(str(restored)) as again:
        await again.write(answered, "cy", "c3", "new")
        erased = await reconcile(again, list_file(restored))
        assert erased == Holdings(missions=1, shared=1, messages=3, pictures=3, notes=1)
        assert await again.read(rows_with, mark(ANN)) == []
        assert await again.read(count, "turns") == 3
        assert await again.read(pruning.read) == await database.read(pruning.read)
        assert await compact_if_asked(again, restored)
        assert traces(restored, mark(ANN)) == 0
        assert not await reconcile(again, list_file(restored))
        assert not await compact_if_asked(again, restored)


async def test_a_later_backup_has_the_list_and_can_be_one(database: SQLiteDatabase, path: Path, tmp_path: Path) -> None:
    await backup.back_up(path, tmp_path / "old")
    await forgotten(database, path)
    await backup.back_up(path, tmp_path / "new")
    listed = read_list(tmp_path / "new")
    assert listed == read_list(list_file(path)) == await database.read(pruning.read)
    assert read_list(tmp_path / "old") == PruningList()
    async with SQLiteDatabase(str(tmp_path / "old")) as old:
        await reconcile(old, tmp_path / "new")
        assert await old.read(rows_with, mark(ANN)) == []


async def test_the_list_is_written_where_it_is_missing(database: SQLiteDatabase, path: Path) -> None:
    await reconcile(database, list_file(path))
    assert not list_file(path).exists()
    await forgotten(database, path)
    first = list_file(path).read_text()
    assert list_file(path).stat().st_mode & 0o777 == 0o600
    list_file(path).unlink()
    await reconcile(database, list_file(path))
    assert list_file(path).read_text() == first
    assert mark(ANN) not in first


async def test_lists_of_several_times_add_up(database: SQLiteDatabase, path: Path) -> None:
    await forgotten(database, path)
    await database.write(forgetting.forget, person(BEN))
    await reconcile(database, list_file(path))
    listed = read_list(list_file(path))
    assert (len(listed.salts), len(listed.people), len(listed.events)) == (1, 2, 5)


@pytest.mark.parametrize("content", ["", "{}", "x", '{"version":2,"salts":[],"people":{},"events":{}}'])
async def test_what_is_no_list_is_told_and_left_as_it_is(database: SQLiteDatabase, path: Path, content: str) -> None:
    list_file(path).write_text(content)
    with pytest.raises(StorageError, match="is no list of people who were forgotten"):
        await reconcile(database, list_file(path))
    assert list_file(path).read_text() == content


@pytest.mark.parametrize("wrong", [{"people": {"zz": "2026-01-01"}}, {"people": {"aa": "x"}}, {"salts": ["x"]}])
def test_a_list_with_nonsense_in_it_is_none(tmp_path: Path, wrong: dict[str, object]) -> None:
    listed = {"version": 1, "salts": [], "people": {}, "events": {}} | wrong
    (tmp_path / "list").write_text(json.dumps(listed))
    with pytest.raises(StorageError, match="is no list"):
        read_list(tmp_path / "list")
    with pytest.raises(StorageError, match="cannot be read: Is a directory"):
        read_list(tmp_path)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    listed = PruningList((b"s" * 32,), {b"p": "2026-01-01T00:00:00.000Z"}, {b"e": "2026-01-02T00:00:00.000Z"})
    write_list(tmp_path / "list", listed)
    assert read_list(tmp_path / "list") == listed
    assert read_list(tmp_path / "none") == PruningList()


async def test_an_import_does_not_bring_them_back(database: SQLiteDatabase, path: Path, tmp_path: Path) -> None:
    await export_to_file(database, None, tmp_path / "log.json")
    await forgotten(database, path)
    await database.write(erase_all)
    summary = await import_json(database, tmp_path / "log.json")
    assert summary == ImportSummary(conversations=2, turns=2, skipped=0, forgotten=3)
    assert await database.read(rows_with, mark(ANN)) == []
    assert await database.read(compaction_asked) is not None
    await compact_if_asked(database, path)
    assert traces(path, mark(ANN)) == 0
    again = await import_json(database, tmp_path / "log.json")
    assert (again.conversations, again.turns, again.skipped, again.forgotten) == (0, 0, 2, 1)


async def test_what_they_say_after_they_were_forgotten_is_imported(
    database: SQLiteDatabase, path: Path, tmp_path: Path
) -> None:
    await forgotten(database, path)
    await database.write(answered, ANN, "c9", "back again")
    await export_to_file(database, None, tmp_path / "log.json")
    await database.write(erase_all)
    summary = await import_json(database, tmp_path / "log.json")
    assert (summary.conversations, summary.turns, summary.forgotten) == (3, 3, 0)
    assert len(await database.read(rows_with, mark(ANN))) > 2


def erase_all(connection: Connection) -> None:
    """All missions, as if they had never been here."""
    connection.execute("DELETE FROM conversations")
    assert notes.notes(connection, str(person(ANN))) == []
