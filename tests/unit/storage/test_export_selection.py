"""Which missions and which turns are in an export."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from storage import conversations, periods, turns
from storage.conversations import NewConversation, Place
from storage.database import Connection
from storage.errors import StorageError
from storage.export import count_turns, export_pieces
from storage.export_formats import ExportSummary, Format
from storage.export_selection import Selection
from storage.sqlite import SQLiteDatabase
from storage.turns import NewTurn
from tests.exports import exported, lines_of, questions
from tests.storage_builders import answer, answer_next, opening

ASKED = (
    # mission, platform, author, asked, when, rating
    ("a", "discord", "alice", "one", "2026-01-01T09:00:00.000Z", 1),
    ("a", "discord", "bob", "two", "2026-01-31T23:59:59.999Z", None),
    ("b", "discord", "alice", "three", "2026-02-01T00:00:00.000Z", -1),
    ("c", "slack", "alice", "four", "2026-02-01T12:00:00.000Z", 1),
    ("a", "discord", "alice", "five", "2026-03-01T00:00:00.000Z", 0),
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as opened:
        await opened.write(talk)
        yield opened


def talk(connection: Connection) -> None:
    for number, (channel, platform, author, text, when, rating) in enumerate(ASKED):
        opened = NewConversation(platform, "guild", channel, "", author, author, "quartermaster", text)
        admitted = turns.admit(connection, NewTurn(f"e{number}", author, author, text, opened))
        turn = answer_next(connection, admitted.conversation, answer(f"re: {text}"))
        connection.execute(
            "UPDATE turns SET created_at = :when, rating = :rating WHERE id = :turn",
            {"when": when, "rating": rating, "turn": turn},
        )
    conversations.open_(connection, opening("silent"))


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), ["one", "two", "five", "three", "four"]),
        (Selection(place=Place("discord")), ["one", "two", "five", "three"]),
        (Selection(place=Place("discord"), author="alice"), ["one", "five", "three"]),
        (Selection(author="alice"), ["one", "five", "three", "four"]),
        (Selection(since="2026-02-01T00:00:00.000Z"), ["five", "three", "four"]),
        (Selection(until="2026-02-01T00:00:00.000Z"), ["one", "two"]),
        (Selection(since=periods.since("2026-01-31"), until=periods.until("2026-02-01")), ["two", "three", "four"]),
        (Selection(rating=1), ["one", "four"]),
        (Selection(rating=0), ["one", "two", "five", "four"]),
        (Selection(rating=-1), ["one", "two", "five", "three", "four"]),
        (Selection(place=Place("discord"), author="bob", since="2026-02-01T00:00:00.000Z"), []),
        (Selection(author="x' OR 1=1 --"), []),
    ],
)
async def test_a_selection_has_these_turns(database: SQLiteDatabase, selection: Selection, expected: list[str]) -> None:
    assert await questions(database, selection) == expected
    assert await count_turns(database, selection) == len(expected)


async def test_ids_go_together_with_what_else_is_asked_for(database: SQLiteDatabase) -> None:
    first, second, third = dict.fromkeys([line["conversation_id"] for line in await lines_of(database)])
    assert await questions(database, Selection([second, first])) == ["one", "two", "five", "three"]
    assert await questions(database, Selection([first, third], Place("slack"))) == ["four"]
    assert await questions(database, Selection([first], author="bob")) == ["two"]
    with pytest.raises(StorageError, match="no conversation nothere"):
        await questions(database, Selection(["nothere"], Place("slack")))


@pytest.mark.parametrize("format_", get_args(Format))
async def test_a_mission_of_which_no_turn_is_left_is_left_out_of_every_format(
    database: SQLiteDatabase, format_: Format
) -> None:
    pieces: list[bytearray] = []
    summary = await export_pieces(database, Selection(author="bob"), pieces.append, format_)
    text = b"".join(pieces).decode()
    assert summary == ExportSummary(1, 1)
    assert "re: two" in text
    assert not [word for word in ("re: one", "re: three", "silent", "slack") if word in text]


async def test_without_a_choice_of_turns_a_silent_mission_is_exported(database: SQLiteDatabase) -> None:
    pieces: list[bytearray] = []
    assert (await export_pieces(database, Selection(), pieces.append)).conversations == 4


async def test_a_choice_among_many_missions_finds_all_of_it(tmp_path: Path) -> None:
    """More than are looked through in one read, most of them without anything that is chosen."""

    def fill(connection: Connection) -> None:
        for n in range(350):
            author = "rare" if n % 117 == 0 else "often"
            turns.admit(connection, NewTurn(f"e{n}", author, author, f"no {n}", opening(f"c{n}")))

    async with SQLiteDatabase(str(tmp_path / "many.db")) as database:
        await database.write(fill)
        assert await questions(database, Selection(author="rare")) == ["no 0", "no 117", "no 234"]
        assert (await exported(database, "html", Selection(author="rare"))).count("<tr><td") == 3
        assert (await exported(database, "html")).count("<tr><td") == 350


async def test_a_long_mission_with_a_choice_is_written_once_however_many_pages_it_takes(tmp_path: Path) -> None:
    def fill(connection: Connection) -> None:
        for n in range(300):
            turns.admit(connection, NewTurn(f"e{n}", f"u{n % 2}", "M", f"{n} " + "x" * 40_000, opening("c")))

    async with SQLiteDatabase(str(tmp_path / "long.db")) as database:
        await database.write(fill)
        pieces: list[bytearray] = []
        summary = await export_pieces(database, Selection(author="u1"), pieces.append, "markdown")
        assert summary == ExportSummary(1, 150)
        assert b"".join(pieces).count(b"\n- Mission: ") + (pieces[0] + pieces[1]).startswith(b"- Mission: ") == 1


async def test_progress_is_told_and_ends_with_all_of_it(database: SQLiteDatabase) -> None:
    told: list[ExportSummary] = []
    summary = await export_pieces(database, None, lambda _: None, "json", told=told.append)
    assert told[-1] == summary == ExportSummary(4, 5)
    assert [each.turns for each in told] == sorted(each.turns for each in told)


# Times as people say them.


@pytest.mark.parametrize(
    ("said", "begins", "ends"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000Z", "2026-02-01T00:00:00.000Z"),
        (" 2026-12-31 ", "2026-12-31T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000Z", "2026-01-31T10:00:00.000Z"),
        ("2026-01-31 12:00", "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.000Z"),
        ("9999-12-31", "9999-12-31T00:00:00.000Z", None),
    ],
)
def test_a_time_is_taken_for_utc_and_a_date_counts_whole(said: str, begins: str, ends: str | None) -> None:
    assert (periods.since(said), periods.until(said)) == (begins, ends)


@pytest.mark.parametrize(
    "said", ["", "yesterday", "2026-02-30", "2026-13-01", "31.01.2026", "x" * 100, "2026-01-31T25"]
)
def test_what_is_no_time_is_a_sentence(said: str) -> None:
    for read in (periods.since, periods.until):
        with pytest.raises(ValueError, match=r"is neither a date \(2026-01-31\) nor an ISO-8601 time") as refused:
            read(said)
        assert len(str(refused.value)) < 140
