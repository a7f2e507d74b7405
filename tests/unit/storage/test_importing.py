# ruff: noqa: ASYNC240 - the tests write files while nothing else runs in their loop

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from storage import conversations, records, turns
from storage.conversations import Place
from storage.database import Connection
from storage.errors import ImportRefused
from storage.export import export_pieces, export_to_file
from storage.importing import ImportSummary, import_json
from storage.sqlite import SQLiteDatabase
from tests.storage_builders import answer, answer_next, count, message, opening

MESSAGE: dict[str, Any] = {
    "timestamp": "2026-11-22T09:30:00.123Z",
    "user_message": "decrypt IFMMP",
    "agent_response": "HELLO",
    "llm_raw_response": "It says HELLO",
    "tool_calls": [{"tool": "decrypt", "parameters": {"shift": 1}, "result": "HELLO"}],
}
MINIMAL: dict[str, Any] = {
    "version": 2,
    "conversations": [
        {
            "conversation_id": "old-1",
            "started_at": "2026-11-22T09:30:00.000Z",
            "last_updated": "2026-11-22T09:31:00.000Z",
            "status": "active",
            "messages": [MESSAGE, MESSAGE | {"user_message": "and?", "agent_response": "", "tool_calls": []}],
        }
    ],
    "current_conversation_id": "old-1",
    "metadata": {"total_conversations": 1, "last_activity": "2026-11-22T09:31:00.000Z"},
}
NAMED = {"name": "cat.png", "image": 0}
PICTURE = {"number": 0, "media_type": "image/png", "data": "iVBORw0KGgo="}
STEP = {"seq": 0, "kind": "model", "body": {}, "recorded_at": "2026-11-22T09:30:00.123Z"}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as opened:
        yield opened


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "source.db")) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.json"


def saved(path: Path, log: object) -> Path:
    path.write_text(json.dumps(log), "utf-8")
    return path


def with_message(**changes: object) -> dict[str, Any]:
    log = deepcopy(MINIMAL)
    log["conversations"][0]["messages"][1] |= changes
    return log


def with_conversation(**changes: object) -> dict[str, Any]:
    log = deepcopy(MINIMAL)
    log["conversations"][0] |= changes
    return log


def with_turn(**changes: object) -> dict[str, Any]:
    return with_message(turn={"event_key": "e"} | changes)


async def exported(database: SQLiteDatabase) -> str:
    pieces: list[bytearray] = []
    await export_pieces(database, None, pieces.append)
    return b"".join(pieces).decode()


def statuses(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT event_key, status FROM turns ORDER BY id").fetchall()


def give_place(connection: Connection, conversation: str, channel: str) -> None:
    connection.execute(
        "UPDATE conversations SET channel = :channel WHERE id = :id", {"channel": channel, "id": conversation}
    )


async def test_a_log_with_only_the_fixed_fields_is_read(database: SQLiteDatabase, path: Path) -> None:
    assert await import_json(database, saved(path, MINIMAL)) == ImportSummary(1, 2, 0)
    found = await database.read(conversations.find, "old-1")
    assert found is not None
    assert (found.platform, found.channel, found.owner, found.status) == ("import", "old-1", "user", "active")
    first, second = await database.read(records.transcript, found.number, limit=9)
    assert (first.event_key, first.author, first.user_message) == ("import:old-1:0", "user", "decrypt IFMMP")
    assert (first.status, first.agent_response, first.tools) == ("answered", "HELLO", ["decrypt"])
    assert (second.event_key, second.status, second.tools) == ("import:old-1:1", "cancelled", [])


async def test_a_log_with_only_the_fixed_fields_is_told_again_with_them(database: SQLiteDatabase, path: Path) -> None:
    await import_json(database, saved(path, MINIMAL))
    log = json.loads(await exported(database))
    for told in log["conversations"]:
        for name in ("place", "owner", "owner_name", "agent", "title", "summary", "state", "extras"):
            del told[name]
        for one in told["messages"]:
            del one["turn"]
    assert log == MINIMAL


async def test_the_same_file_twice_adds_nothing(database: SQLiteDatabase, path: Path) -> None:
    await import_json(database, saved(path, MINIMAL))
    before = await exported(database)
    assert await import_json(database, path) == ImportSummary(0, 0, 1)
    assert await exported(database) == before


async def test_an_own_export_imported_where_it_came_from_adds_nothing(database: SQLiteDatabase, path: Path) -> None:
    await database.write(turns.admit, message("discord:1"))
    await database.write(turns.admit, message("discord:2", channel="other"))
    await export_to_file(database, None, path)
    assert await import_json(database, path) == ImportSummary(0, 0, 2)
    assert await database.read(statuses) == [("discord:1", "queued"), ("discord:2", "queued")]


@pytest.mark.parametrize(
    "changed",
    [
        with_conversation(title="another title"),
        with_conversation(messages=[MESSAGE]),
        with_conversation(messages=[*MINIMAL["conversations"][0]["messages"], MESSAGE]),
        with_message(user_message="or not?"),
    ],
    ids=["title", "fewer messages", "more messages", "another message"],
)
async def test_an_id_with_other_content_is_skipped_and_reported(
    database: SQLiteDatabase, path: Path, changed: dict[str, Any]
) -> None:
    await import_json(database, saved(path, MINIMAL))
    before = await exported(database)
    assert await import_json(database, saved(path, changed)) == ImportSummary(0, 0, 1, differing=("old-1",))
    assert await exported(database) == before


async def test_a_conversation_whose_events_are_here_already_is_skipped_and_reported(
    database: SQLiteDatabase, path: Path
) -> None:
    await database.write(turns.admit, message("e"))
    summary = await import_json(database, saved(path, with_turn()))
    assert summary == ImportSummary(0, 0, 1, differing=("old-1",))
    assert await database.read(count, "turns") == 1


async def test_a_conversation_with_one_event_that_is_here_already_leaves_nothing(
    database: SQLiteDatabase, path: Path
) -> None:
    await database.write(turns.admit, message("e"))
    first, second = with_turn()["conversations"][0]["messages"]
    log = with_conversation(messages=[first | {"turn": {"event_key": "new", "steps": [STEP]}}, second])
    assert await import_json(database, saved(path, log)) == ImportSummary(0, 0, 1, differing=("old-1",))
    assert [await database.read(count, table) for table in ("conversations", "turns", "steps")] == [1, 1, 0]


async def test_what_is_not_added_is_checked_all_the_same(database: SQLiteDatabase, path: Path) -> None:
    await import_json(database, saved(path, MINIMAL))
    first, second = MINIMAL["conversations"][0]["messages"]
    wrong = with_conversation(messages=[first | {"user_message": "another"}, second | {"timestamp": "?"}])
    with pytest.raises(ImportRefused, match=r"messages\[1\]\.timestamp"):
        await import_json(database, saved(path, wrong))


async def test_a_conversation_that_is_twice_in_the_file_is_added_once(database: SQLiteDatabase, path: Path) -> None:
    log = MINIMAL | {"conversations": MINIMAL["conversations"] * 2}
    assert await import_json(database, saved(path, log)) == ImportSummary(1, 2, 1)


async def test_open_turns_are_not_answered_after_an_import(
    database: SQLiteDatabase, source: SQLiteDatabase, path: Path
) -> None:
    await source.write(turns.admit, message("discord:queued", channel="a"))
    running = await source.write(turns.admit, message("discord:running", channel="b"))
    await source.write(turns.claim, running.conversation, window=0)
    said = await source.write(turns.admit, message("discord:said", channel="c"))
    claim = await source.write(turns.claim, said.conversation, window=0)
    assert claim is not None
    await source.write(turns.conclude, claim.turn, claim.attempt, answer("said"))
    await export_to_file(source, None, path)
    await import_json(database, path)
    assert await database.read(turns.waiting_conversations, ("discord",)) == []
    assert await database.read(statuses) == [
        ("discord:queued", "cancelled"),
        ("discord:running", "cancelled"),
        ("discord:said", "answered"),
    ]
    assert await exported(database) == await exported(source)
    assert await import_json(database, path) == ImportSummary(0, 0, 3)


async def test_an_imported_conversation_goes_on_where_it_was(
    database: SQLiteDatabase, source: SQLiteDatabase, path: Path
) -> None:
    number = (await source.write(turns.admit, message("discord:1", "first"))).conversation
    await source.write(answer_next, number, answer("the first answer"))
    await export_to_file(source, None, path)
    await import_json(database, path)
    admitted = await database.write(turns.admit, message("discord:2", "second"))
    assert admitted.conversation_id == (await source.read(conversations.get, number)).id
    claim = await database.write(turns.claim, admitted.conversation, window=9)
    assert claim is not None
    assert [past.agent_response for past in claim.window] == ["the first answer"]
    assert (await database.write(turns.admit, message("discord:1"))).duplicate


async def test_a_conversation_whose_place_is_taken_is_imported_as_completed(
    database: SQLiteDatabase, source: SQLiteDatabase, path: Path
) -> None:
    here = await database.write(conversations.open_, opening())
    there = await source.write(conversations.open_, opening())
    await export_to_file(source, None, path)
    assert await import_json(database, path) == ImportSummary(1, 0, 0, ended=(there.id,))
    assert await database.read(conversations.find_active, "discord", "guild", "general", "") == here


async def test_times_in_other_forms_are_stored_in_ours(database: SQLiteDatabase, path: Path) -> None:
    given = ("2026-11-22T10:30:00.1234+01:00", "2026-11-22 09:30:00", "2026-11-22T09:30:00Z", "2026-11-22")
    messages = [MESSAGE | {"timestamp": time} for time in given]
    await import_json(database, saved(path, with_conversation(messages=messages)))
    found = json.loads(await exported(database))["conversations"][0]["messages"]
    assert [one["timestamp"] for one in found] == [
        "2026-11-22T09:30:00.123Z",
        "2026-11-22T09:30:00.000Z",
        "2026-11-22T09:30:00.000Z",
        "2026-11-22T00:00:00.000Z",
    ]
    assert await import_json(database, path) == ImportSummary(0, 0, 1)


async def test_unknown_fields_are_ignored(database: SQLiteDatabase, path: Path) -> None:
    log = with_message(mood="good") | {"generator": "another program"}
    log["conversations"][0]["stars"] = 5
    assert (await import_json(database, saved(path, log))).turns == 2


async def test_a_byte_order_mark_is_no_harm(database: SQLiteDatabase, path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(MINIMAL).encode())
    assert (await import_json(database, path)).turns == 2


REFUSED: list[tuple[str, object, str]] = [
    ("a list", [], "The file: Expected `object`, got `array`"),
    ("nothing", {}, "The file: Object missing required field `version`"),
    ("version as text", {"version": "2"}, "version: Expected `int`, got `str`"),
    ("an older version", {"version": 1}, "version: mission logs of version 1 are not read"),
    ("a newer version", {"version": 3, "x": 1}, "mission log of version 3.* reads version 2: upgrade it"),
    ("no conversations", {"version": 2}, "The file: Object missing required field `conversations`"),
    ("a conversation of text", {"version": 2, "conversations": ["x"]}, r"conversations\[0\]: Expected `object`"),
    ("no id", with_conversation(conversation_id=""), r"conversations\[0\]\.conversation_id: Expected `str`"),
    ("a wrong status", with_conversation(status="open"), r"conversations\[0\]\.status: Invalid enum value 'open'"),
    ("a wrong start", with_conversation(started_at="soon"), r"conversations\[0\]\.started_at: 'soon' is not"),
    ("a wrong update", with_conversation(last_updated=""), r"conversations\[0\]\.last_updated: '' is not"),
    ("a wrong place", with_conversation(place={"platform": "x"}), r"conversations\[0\]\.place: Object missing"),
    ("a wrong state", with_conversation(state=[]), r"conversations\[0\]\.state: Expected `object`"),
    ("messages of text", with_conversation(messages="x"), r"conversations\[0\]\.messages: Expected `array`"),
    ("a message of null", with_conversation(messages=[None]), r"conversations\[0\]\.messages\[0\]: Expected `object`"),
    ("a wrong text", with_message(user_message=7), r"conversations\[0\]\.messages\[1\]\.user_message: Expected `str`"),
    ("a wrong time", with_message(timestamp="x"), r"conversations\[0\]\.messages\[1\]\.timestamp: 'x' is not an ISO"),
    ("time beyond", with_message(timestamp="0001-01-01T00:00+09:00"), r"messages\[1\]\.timestamp: .* is not an ISO"),
    ("a call of nothing", with_message(tool_calls=[{}]), r"messages\[1\]\.tool_calls\[0\]: Object missing .* `tool`"),
    ("a turn without event", with_message(turn={}), r"messages\[1\]\.turn: Object missing required field `event_key`"),
    ("an empty event", with_turn(event_key=""), r"messages\[1\]\.turn\.event_key: Expected `str` of length >= 1"),
    ("a wrong author", with_turn(author=None), r"messages\[1\]\.turn\.author: Expected `str`, got `null`"),
    ("a wrong turn status", with_turn(status="done"), r"messages\[1\]\.turn\.status: Invalid enum value 'done'"),
    ("a wrong rating", with_turn(rating=5), r"messages\[1\]\.turn\.rating: Invalid enum value 5"),
    ("too large a number", with_turn(attempt=2**63), r"messages\[1\]\.turn\.attempt: Expected `int` <= "),
    ("a wrong finish", with_turn(finished_at="x"), r"messages\[1\]\.turn\.finished_at: 'x' is not"),
    ("a wrong step", with_turn(steps=[STEP, STEP | {"seq": "1"}]), r"messages\[1\]\.turn\.steps\[1\]\.seq: Expected"),
    ("a step's time", with_turn(steps=[STEP | {"recorded_at": "x"}]), r"turn\.steps\[0\]\.recorded_at: 'x' is not"),
    ("a step of text", with_turn(steps=[STEP | {"body": "x"}]), r"steps\[0\]\.body: Expected `object`, got `str`"),
    ("a step twice", with_turn(steps=[STEP, STEP]), r"messages\[1\]\.turn\.steps\[1\]\.seq: 0 is there twice"),
    ("a nameless result", with_turn(steps=[STEP | {"kind": "result"}]), r"turn\.steps\[0\]\.body\.tool: a result must"),
    ("a picture twice", with_turn(images=[PICTURE] * 2, attachments=[NAMED]), r"images\[1\]\.number: 0 is there twice"),
    ("a nameless picture", with_turn(images=[PICTURE], attachments=[{}]), r"images\[0\]\.number: 0 is named by none"),
    ("a picture of text", with_turn(images=[PICTURE | {"data": "?"}], attachments=[NAMED]), r"images\[0\]\.data: Inv"),
    ("a part twice", with_turn(deliveries=[{"part": 1, "remote_id": "m"}] * 2), r"deliveries\[1\]\.part: 1 is there"),
    (
        "an event twice",
        with_conversation(messages=[MESSAGE | {"turn": {"event_key": "e"}}] * 2),
        r"conversations\[0\]\.messages\[1\]\.turn\.event_key: 'e' is there twice",
    ),
]


@pytest.mark.parametrize(("log", "problem"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
async def test_a_wrong_log_is_refused_naming_the_place(
    database: SQLiteDatabase, path: Path, log: object, problem: str
) -> None:
    with pytest.raises(ImportRefused, match=problem):
        await import_json(database, saved(path, log))
    assert await database.read(count, "conversations") == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "truncated"),
        (b"hello", "malformed"),
        (json.dumps(MINIMAL).encode()[:-30], "truncated"),
        (json.dumps(MINIMAL).encode() + b"x", "trailing characters"),
        (json.dumps(MINIMAL).replace("decrypt IFMMP", "\xff").encode("latin-1"), r"messages\[0\]: is not UTF-8"),
        (json.dumps(MINIMAL).replace("decrypt IFMMP", "\\ud800").encode(), "malformed"),
        (json.dumps(MINIMAL).encode("utf-16"), "malformed"),
        (b'{"version": 2, "conversations": ' + b"[" * 100_000, "nested too deeply"),
        (json.dumps(MINIMAL).replace('"HELLO"', "NaN").encode(), "malformed"),
        (json.dumps(MINIMAL).replace('"result": "HELLO"', '"result": "\xff"').encode("latin-1"), "is not UTF-8"),
        (json.dumps(MINIMAL).replace('"result": "HELLO"', '"result": 1e999').encode(), "out of range"),
    ],
)
async def test_a_file_that_is_not_json_is_refused(
    database: SQLiteDatabase, path: Path, content: bytes, problem: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(ImportRefused, match=problem):
        await import_json(database, path)


async def test_one_wrong_message_far_behind_leaves_nothing(database: SQLiteDatabase, path: Path) -> None:
    log = deepcopy(MINIMAL)
    log["conversations"] = [log["conversations"][0] | {"conversation_id": f"c{n}"} for n in range(50)]
    log["conversations"][49] = log["conversations"][49] | {"messages": [MESSAGE] * 99 + [MESSAGE | {"timestamp": "?"}]}
    with pytest.raises(ImportRefused, match=r"conversations\[49\]\.messages\[99\]\.timestamp"):
        await import_json(database, saved(path, log))
    assert await database.read(conversations.recent, Place(), limit=1) == []


async def test_a_file_that_cannot_be_read_is_named(database: SQLiteDatabase, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"nothere\.json cannot be read: No such file"):
        await import_json(database, tmp_path / "nothere.json")
    with pytest.raises(ImportRefused, match="cannot be read: Is a directory"):
        await import_json(database, tmp_path)
