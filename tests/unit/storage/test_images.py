"""Pictures of a turn: stored with it, read by who claims it, by nobody else."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage import conversations, images, turns
from storage.database import Connection
from storage.export import export_to_file
from storage.images import Image
from storage.importing import import_json
from storage.migrations import all_migrations
from storage.sqlite import SQLiteDatabase
from storage.sqlite_setup import APPLICATION_ID
from storage.turns import Claim, NewTurn
from tests.pictures import GIF, png
from tests.storage_builders import answer, answer_next, bare_connection, count, message

PICTURES = (Image(0, "image/png", png()), Image(1, "image/gif", GIF))


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def with_pictures(event: str = "discord:1", pictures: tuple[Image, ...] = PICTURES) -> NewTurn:
    files = tuple({"name": f"{one.number}.png", "media_type": one.media_type, "image": one.number} for one in pictures)
    return replace(message(event), attachments=files, images=pictures)


def claimed(connection: Connection, conversation: int) -> Claim:
    claim = turns.claim(connection, conversation, window=9)
    assert claim is not None
    return claim


def statements(connection: sqlite3.Connection, new: NewTurn) -> list[str]:
    run: list[str] = []
    connection.set_trace_callback(run.append)
    claimed(connection, turns.admit(connection, new).conversation)
    connection.set_trace_callback(None)
    return run


def test_every_claim_of_a_turn_has_its_pictures_in_order(connection: sqlite3.Connection) -> None:
    new = replace(with_pictures(), images=PICTURES[::-1])
    number = turns.admit(connection, new).conversation
    first, second = claimed(connection, number), claimed(connection, number)
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.images == second.images == PICTURES


def test_a_repeated_event_stores_no_picture_again(connection: sqlite3.Connection) -> None:
    turns.admit(connection, with_pictures())
    assert turns.admit(connection, with_pictures()).duplicate
    assert count(connection, "images") == len(PICTURES)


def test_a_turn_has_only_its_own_pictures(connection: sqlite3.Connection) -> None:
    number = turns.admit(connection, with_pictures("discord:1")).conversation
    turns.admit(connection, with_pictures("discord:2", (Image(0, "image/gif", GIF),)))
    answer_next(connection, number, answer())
    assert claimed(connection, number).images == (Image(0, "image/gif", GIF),)


def test_without_pictures_the_table_is_not_touched(connection: sqlite3.Connection) -> None:
    file = {"name": "a.txt", "media_type": "text/plain", "size": 1, "text": "a"}
    assert not [sql for sql in statements(connection, replace(message("e1"), attachments=(file,))) if "images" in sql]
    assert [sql for sql in statements(connection, with_pictures("e2")) if "images" in sql]


def test_pictures_go_with_their_turn(connection: sqlite3.Connection) -> None:
    admitted = turns.admit(connection, with_pictures())
    connection.execute("DELETE FROM turns WHERE id = ?", (admitted.turn,))
    assert count(connection, "images") == 0


def test_a_picture_that_was_lost_is_not_there(connection: sqlite3.Connection) -> None:
    assert images.of_turn(connection, 7, [{"name": "a.png", "image": 0}]) == ()


async def test_a_large_picture_outlives_the_program(tmp_path: Path) -> None:
    large = Image(0, "image/png", png() + bytes(range(256)) * 20_000)
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        number = (await database.write(turns.admit, with_pictures(pictures=(large,)))).conversation
        assert (await database.write(claimed, number)).images == (large,)
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        again = await database.write(claimed, number)
    assert (again.attempt, again.images) == (2, (large,))


async def test_pictures_come_through_export_and_import(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    async with (
        SQLiteDatabase(str(tmp_path / "one.db")) as one,
        SQLiteDatabase(str(tmp_path / "other.db")) as other,
    ):
        number = (await one.write(turns.admit, with_pictures())).conversation
        await one.write(turns.admit, message("discord:2"))
        await export_to_file(one, None, path)
        first, second = json.loads(path.read_bytes())["conversations"][0]["messages"]
        assert [base64.b64decode(told["data"]) for told in first["turn"]["images"]] == [png(), GIF]
        assert "images" not in second["turn"]
        assert (await import_json(other, path)).turns == 2
        assert await other.read(stored, "discord:1") == await one.read(stored, "discord:1") == PICTURES
        assert (await import_json(other, path)).differing == ()
        await other.write(forget_pictures)
        assert (await import_json(other, path)).differing == ((await one.read(conversations.get, number)).id,)


def stored(connection: Connection, event_key: str) -> tuple[Image, ...]:
    (turn,) = connection.execute("SELECT id FROM turns WHERE event_key = :key", {"key": event_key}).fetchone()
    return images.of_turn(connection, turn, [{"image": 0}])


def forget_pictures(connection: Connection) -> None:
    connection.execute("DELETE FROM images")


async def test_a_database_from_before_pictures_is_upgraded_with_its_turns(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    first = all_migrations()[0]
    before = sqlite3.connect(path)
    before.executescript(f"PRAGMA application_id = {APPLICATION_ID}; {first.sql}")
    before.executescript("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT)")
    before.execute("INSERT INTO migrations VALUES (?, ?, '')", (first.number, first.name))
    number = conversations.open_(before, message("discord:old").opening).number
    before.execute(
        """INSERT INTO turns (conversation, event_key, author, author_name, user_message, status, created_at)
            VALUES (?, 'discord:old', 'u1', 'Moneypenny', 'old', 'queued', '')""",
        (number,),
    )
    before.commit()
    before.close()
    async with SQLiteDatabase(str(path)) as database:
        await database.write(turns.admit, with_pictures("discord:new"))
        await database.write(answer_next, number, answer())
        claim = await database.write(claimed, number)
    assert (claim.window[0].user_message, claim.images) == ("old", PICTURES)
