import asyncio
import json
import os
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from storage import conversations, turns
from storage.database import Connection
from storage.errors import StorageError, StorageFull
from storage.export import export_pieces, export_to_file
from storage.export_formats import ExportSummary
from storage.importing import ImportSummary, import_json
from storage.sqlite import SQLiteDatabase
from storage.turns import Step
from tests.fakes.disks import tiny_disk
from tests.storage_builders import TEST_DATA, answer, answer_next, count, hold, message, opening, result
from tests.waiting import until

FIXED = ["conversation_id", "started_at", "last_updated", "status", "messages"]
FIXED_OF_MESSAGE = ["timestamp", "user_message", "agent_response", "llm_raw_response", "tool_calls"]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as opened:
        yield opened


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "empty.db")) as opened:
        yield opened


async def exported(database: SQLiteDatabase, ids: list[str] | None = None) -> str:
    pieces: list[bytearray] = []
    await export_pieces(database, ids, pieces.append)
    return b"".join(pieces).decode()


async def log_of(database: SQLiteDatabase, ids: list[str] | None = None) -> Any:
    return json.loads(await exported(database, ids))


async def moved(database: SQLiteDatabase, to: SQLiteDatabase, path: Path) -> ImportSummary:
    await export_to_file(database, None, path)
    return await import_json(to, path)


def every_state(connection: Connection) -> None:
    """A conversation with a turn in every state a turn can be in."""
    for n, outcome in enumerate(("answered", "failed", "stopped", "cancelled")):
        number = turns.admit(connection, message(f"discord:{n}", f"question {n}")).conversation
        turn = answer_next(connection, number, answer(f"answer {n}", outcome=outcome))
        turns.rate(connection, turn, n - 1 if n < 3 else 0)
    delivering = turns.admit(connection, message("discord:delivering")).conversation
    claim = turns.claim(connection, delivering, window=0)
    assert claim is not None
    turns.record_step(connection, claim.turn, claim.attempt, Step(0, "model", {"text": "hm", "calls": [1.5, None]}))
    turns.record_step(connection, claim.turn, claim.attempt, result(1))
    turns.record_delivery(connection, claim.turn, claim.attempt, 0, "m1")
    turns.conclude(connection, claim.turn, claim.attempt, answer("said"))
    running = turns.admit(connection, message("discord:running", channel="running")).conversation
    turns.claim(connection, running, window=0)
    turns.request_stop(connection, running)
    turns.admit(connection, message("discord:queued", channel="queued"))


def decorate(connection: Connection) -> None:
    """What no unit writes yet, but a later version will."""
    connection.execute(
        """UPDATE conversations SET state = '{"gadget": {"n": 1}}', summary = 'so far', extras = '{"a":[]}'"""
    )
    connection.execute("""UPDATE turns SET extras = '{"b": null}', error = 'ModelBusy: full' WHERE id % 2 = 0""")


async def test_an_empty_database_is_an_empty_log(database: SQLiteDatabase) -> None:
    assert await log_of(database) == {
        "version": 2,
        "conversations": [],
        "current_conversation_id": None,
        "metadata": {"total_conversations": 0, "last_activity": None},
    }


async def test_the_fixed_fields_come_first_and_ours_after_them(database: SQLiteDatabase) -> None:
    await database.write(every_state)
    log = await log_of(database)
    assert list(log) == ["version", "conversations", "current_conversation_id", "metadata"]
    for conversation in log["conversations"]:
        assert list(conversation)[:5] == FIXED
        assert all(list(told) == [*FIXED_OF_MESSAGE, "turn"] for told in conversation["messages"])


async def test_an_older_reader_finds_what_it_expects(database: SQLiteDatabase) -> None:
    admitted = await database.write(turns.admit, message("discord:1", "decrypt IFMMP"))
    claim = await database.write(turns.claim, admitted.conversation, window=0)
    assert claim is not None
    await database.write(turns.record_step, claim.turn, claim.attempt, result(0))
    await database.write(turns.conclude, claim.turn, claim.attempt, answer("HELLO"))
    await database.write(turns.finish, claim.turn, claim.attempt)
    log = await log_of(database)
    (conversation,) = log["conversations"]
    (told,) = conversation["messages"]
    assert conversation["conversation_id"] == log["current_conversation_id"] == admitted.conversation_id
    assert {name: told[name] for name in FIXED_OF_MESSAGE[1:]} == {
        "user_message": "decrypt IFMMP",
        "agent_response": "HELLO",
        "llm_raw_response": "raw HELLO",
        "tool_calls": [{"tool": "decrypt", "parameters": {"shift": 1}, "result": "HELLO"}],
    }
    assert log["metadata"] == {"total_conversations": 1, "last_activity": conversation["last_updated"]}


async def test_an_unanswered_message_has_an_empty_answer(database: SQLiteDatabase) -> None:
    await database.write(turns.admit, message("discord:1"))
    ((told,),) = [one["messages"] for one in (await log_of(database))["conversations"]]
    assert (told["agent_response"], told["llm_raw_response"], told["tool_calls"]) == ("", "", [])
    assert (told["turn"]["status"], told["turn"]["outcome"]) == ("queued", None)


async def test_the_current_conversation_is_the_active_one_updated_last(database: SQLiteDatabase) -> None:
    numbers = [(await database.write(conversations.open_, opening(f"c{n}"))) for n in range(4)]
    for n, when in enumerate(("05", "09", "07", "10")):
        await database.write(set_updated, numbers[n].number, f"2026-01-01T00:00:{when}.000Z")
    await database.write(end_quietly, numbers[3].number)
    log = await log_of(database)
    assert log["current_conversation_id"] == numbers[1].id
    assert log["metadata"]["last_activity"] == "2026-01-01T00:00:10.000Z"


def set_updated(connection: Connection, number: int, when: str) -> None:
    connection.execute(
        "UPDATE conversations SET last_updated = :when WHERE number = :number", {"when": when, "number": number}
    )


def end_quietly(connection: Connection, number: int) -> None:
    connection.execute("UPDATE conversations SET status = 'completed' WHERE number = :number", {"number": number})


async def test_an_export_that_was_imported_is_exported_the_same(
    database: SQLiteDatabase, empty: SQLiteDatabase, tmp_path: Path
) -> None:
    await database.write(every_state)
    await database.write(decorate)
    await database.write(conversations.start, opening())
    summary = await moved(database, empty, tmp_path / "log.json")
    assert (summary.conversations, summary.turns, summary.skipped) == (4, 7, 0)
    assert await exported(empty) == await exported(database)
    assert await empty.read(count, "steps") == 2
    assert await empty.read(count, "deliveries") == 1


async def test_hostile_text_comes_back_as_it_was(
    database: SQLiteDatabase, empty: SQLiteDatabase, tmp_path: Path
) -> None:
    if not (TEST_DATA / "blns.json").exists():
        pytest.skip("needs blns.json: set SECRET_AGENTS_TEST_DATA to the folder with it")
    hostile: list[str] = json.loads((TEST_DATA / "blns.json").read_text("utf-8"))
    assert len(hostile) > 500

    def fill(connection: Connection) -> None:
        for n, text in enumerate([*hostile, "line\u2028separator\x00\x7f\x1b", '"}]}']):
            number = turns.admit(connection, message(f"web:{n}:{text}", text, channel=text)).conversation
            claim = turns.claim(connection, number, window=0)
            assert claim is not None
            body = {"tool": text, "parameters": {text: [text]}, "result": text}
            turns.record_step(connection, claim.turn, claim.attempt, Step(0, "result", body))
            turns.conclude(connection, claim.turn, claim.attempt, answer(text))
            turns.finish(connection, claim.turn, claim.attempt)

    await database.write(fill)
    await moved(database, empty, tmp_path / "log.json")
    assert await exported(empty) == await exported(database)
    told = [one["user_message"] for c in (await log_of(empty))["conversations"] for one in c["messages"]]
    assert sorted(told)[:-2] == sorted([*hostile, "line\u2028separator\x00\x7f\x1b", '"}]}'])[:-2]


async def test_what_json_cannot_say_does_not_spoil_the_log(
    database: SQLiteDatabase, empty: SQLiteDatabase, tmp_path: Path
) -> None:
    def fill(connection: Connection) -> None:
        files = ({"name": "\ud83d.txt", "text": "😀"},)
        number = turns.admit(connection, turns.NewTurn("e", "u", "n", "t", opening(), attachments=files)).conversation
        claim = turns.claim(connection, number, window=0)
        assert claim is not None
        body = {"tool": "sums", "parameters": {"x": float("nan"), "y": [float("inf"), 1.5]}, "result": 2**100}
        turns.record_step(connection, claim.turn, claim.attempt, Step(0, "result", body))

    await database.write(fill)
    ((told,),) = [one["messages"] for one in (await log_of(database))["conversations"]]
    assert told["tool_calls"] == [{"tool": "sums", "parameters": {"x": None, "y": [None, 1.5]}, "result": 2**100}]
    assert told["turn"]["attachments"] == [{"name": "\ufffd.txt", "text": "😀"}]
    await moved(database, empty, tmp_path / "log.json")
    assert await exported(empty) == await exported(database)


async def test_a_message_is_a_line(database: SQLiteDatabase) -> None:
    await database.write(every_state)
    lines = (await exported(database)).splitlines()
    assert len([line for line in lines if line.startswith('{"timestamp":')]) == await database.read(count, "turns")


async def test_a_long_conversation_comes_in_pieces_of_bounded_size(database: SQLiteDatabase) -> None:
    def fill(connection: Connection) -> None:
        for n in range(300):
            turns.admit(connection, message(f"discord:{n}", "x" * 50_000))

    await database.write(fill)
    pieces: list[bytearray] = []
    assert await export_pieces(database, None, pieces.append) == ExportSummary(1, 300)
    assert max(map(len, pieces)) < 2_200_000
    assert len(json.loads(b"".join(pieces))["conversations"][0]["messages"]) == 300


async def test_only_the_asked_conversations_are_exported_the_oldest_first_and_once(database: SQLiteDatabase) -> None:
    opened = [await database.write(conversations.open_, opening(f"c{n}")) for n in range(4)]
    log = await log_of(database, [opened[2].id, opened[0].id, opened[2].id])
    assert [one["conversation_id"] for one in log["conversations"]] == [opened[0].id, opened[2].id]
    assert log["metadata"]["total_conversations"] == 2
    assert (await log_of(database, []))["conversations"] == []


async def test_an_unknown_conversation_is_refused_before_anything_is_written(database: SQLiteDatabase) -> None:
    pieces: list[bytearray] = []
    with pytest.raises(StorageError, match="no conversation nothere"):
        await export_pieces(database, ["nothere"], pieces.append)
    assert pieces == []


async def test_what_is_written_meanwhile_does_not_spoil_the_export(database: SQLiteDatabase) -> None:
    await database.write(every_state)
    pieces: list[bytearray] = []
    loop = asyncio.get_running_loop()

    def write_slowly(text: bytearray) -> None:
        event = f"discord:during {len(pieces)}"
        admission = database.write(turns.admit, message(event, channel=event))
        asyncio.run_coroutine_threadsafe(admission, loop).result(30)
        pieces.append(text)

    summary = await export_pieces(database, None, write_slowly)
    log = json.loads(b"".join(pieces))
    assert log["metadata"]["total_conversations"] == len(log["conversations"]) == summary.conversations


async def test_a_file_appears_whole_and_the_owners_only(database: SQLiteDatabase, tmp_path: Path) -> None:
    await database.write(every_state)
    path = tmp_path / "out" / "log.json"
    path.parent.mkdir()
    path.write_text("what was there")
    before = os.umask(0o777)
    try:
        assert await export_to_file(database, None, path) == ExportSummary(3, 7)
    finally:
        os.umask(before)
    assert path.read_text("utf-8") == await exported(database)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["log.json"]


async def test_a_link_stays_a_link(database: SQLiteDatabase, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    await export_to_file(database, None, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text("utf-8") == await exported(database)


async def test_a_folder_is_refused(database: SQLiteDatabase, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is a folder"):
        await export_to_file(database, None, tmp_path)


async def test_what_is_not_an_ordinary_file_is_not_replaced(database: SQLiteDatabase, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="not an ordinary file"):
        await export_to_file(database, None, tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


async def test_a_missing_folder_is_named(database: SQLiteDatabase, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"log\.json cannot be written: No such file or directory"):
        await export_to_file(database, None, tmp_path / "nowhere" / "log.json")


async def test_a_full_disk_leaves_the_old_file_and_nothing_else(database: SQLiteDatabase, tmp_path: Path) -> None:
    def fill(connection: Connection) -> None:
        for n in range(30):
            turns.admit(connection, message(f"discord:{n}", "x" * 100_000))

    await database.write(fill)
    with tiny_disk(tmp_path / "disk", "size=1m") as disk:
        (disk / "log.json").write_text("what was there")
        with pytest.raises(StorageFull, match=r"log\.json was not written"):
            await export_to_file(database, None, disk / "log.json")
        assert {file.name: file.read_text() for file in disk.iterdir()} == {"log.json": "what was there"}


async def test_an_export_that_is_cancelled_leaves_nothing(database: SQLiteDatabase, tmp_path: Path) -> None:
    await database.write(every_state)
    folder = tmp_path / "out"
    folder.mkdir()
    started, go_on = threading.Event(), threading.Event()
    reading = asyncio.create_task(database.read(hold, started, go_on))
    exporting = asyncio.create_task(export_to_file(database, None, folder / "log.json"))
    await until(lambda: list(folder.iterdir()))
    exporting.cancel()
    go_on.set()
    await reading
    with suppress(asyncio.CancelledError):
        await exporting
    assert exporting.cancelled()
    assert list(folder.iterdir()) == []
