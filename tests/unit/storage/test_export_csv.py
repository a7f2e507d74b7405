"""The table of turns: what a spreadsheet reads, and what it must not compute."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage import turns
from storage.database import Connection
from storage.export_csv import COLUMNS, harmless, original
from storage.sqlite import SQLiteDatabase
from storage.turns import NewTurn
from tests.exports import exported, rows_of
from tests.storage_builders import answer, opening, result

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0 =1", '"=1"', "'=1", "''=1", "“=1”",
    "\u200b=1", "\ufeff=1", "\x00=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM", " \uff1d1", "\ufe661", "\u22121",
    "\tindented", "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.org","x")', "-", "=",
)  # fmt: skip
HARMLESS = (
    "",
    "hello",
    "1+1=2",
    "a=1",
    "'tis",
    '"quoted"',
    "#1",
    "(=1)",
    "é",
    "1 - 2",
    " spaced",
    "/mission",
    "|x",
    "%1",
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as opened:
        yield opened


def ask(connection: Connection, text: str, channel: str = "c") -> None:
    new = NewTurn(f"{channel}:{text}", "u1", text, text, opening(channel, title=text), attachments=({"name": text},))
    number = turns.admit(connection, new).conversation
    claim = turns.claim(connection, number, window=0)
    assert claim is not None
    turns.record_step(connection, claim.turn, claim.attempt, result(0))
    turns.record_step(connection, claim.turn, claim.attempt, result(1))
    turns.conclude(connection, claim.turn, claim.attempt, answer(f"{text} said"))
    turns.finish(connection, claim.turn, claim.attempt)
    turns.rate(connection, claim.turn, -1)


async def test_a_turn_is_a_row_with_its_mission(database: SQLiteDatabase) -> None:
    await database.write(ask, 'say "hi", please\r\nnow')
    await database.write(turns.admit, NewTurn("2", "u2", "Bob", "and?", opening("c")))
    first, second = await rows_of(database)
    assert tuple(first) == COLUMNS
    assert first["user_message"] == 'say "hi", please\r\nnow'
    assert (first["status"], first["gadgets"], first["rating"]) == ("answered", "decrypt", "-1")
    assert (first["model"], first["prompt_tokens"], first["completion_tokens"]) == ("qwen", "11", "7")
    assert (second["conversation_id"], second["author_name"]) == (first["conversation_id"], "Bob")
    assert (second["agent_response"], second["status"], second["rating"]) == ("", "queued", "")


async def test_rows_end_as_rfc_4180_wants_it_behind_a_byte_order_mark(database: SQLiteDatabase) -> None:
    await database.write(ask, "hello")
    text = await exported(database, "csv")
    assert text.startswith("\ufeffconversation_id,platform,")
    assert text.endswith("\r\n")
    assert text.count("\r\n") == 2


async def test_nothing_said_is_a_row_of_names(database: SQLiteDatabase) -> None:
    assert await exported(database, "csv") == "\ufeff" + ",".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize("text", FORMULAS)
async def test_no_cell_is_a_formula(database: SQLiteDatabase, text: str) -> None:
    await database.write(ask, text)
    (row,) = await rows_of(database)
    for column in ("user_message", "title", "author_name", "attachments"):
        assert row[column] == f"'{text}"
        assert original(row[column]) == text
    assert row["agent_response"] == f"'{text} said"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert harmless(text) == original(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("''=")
@example("'x")
def test_an_apostrophe_is_all_that_is_added_and_it_can_be_taken_away(text: str) -> None:
    cell = harmless(text)
    assert cell in (text, f"'{text}")
    assert original(cell) == text
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
