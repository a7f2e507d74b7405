"""The audit log: a row in the transaction of its act, and none without it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import audit, conversations, turns
from storage.audit import Act, Actor
from storage.database import Connection
from storage.sqlite import SQLiteDatabase
from tests.storage_builders import bare_connection, count, message

BOSS = Actor("discord:boss", "M", "admin")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def test_an_act_is_read_back_as_it_was_recorded_the_latest_first(connection: sqlite3.Connection) -> None:
    acts = [Act(BOSS, "export", "all", {"format": "csv", "turns": 7}), Act(BOSS, "end", "abcdefghjk")]
    numbers = [audit.record(connection, act) for act in acts]
    found = audit.recent(connection, limit=9)
    assert [each.act for each in found] == acts[::-1]
    assert [each.id for each in found] == numbers[::-1]
    assert found[0].at.endswith("Z")


def test_the_log_pages_by_what_was_read_last(connection: sqlite3.Connection) -> None:
    for number in range(5):
        audit.record(connection, Act(BOSS, "end", str(number)))
    first = audit.recent(connection, limit=2)
    second = audit.recent(connection, limit=2, before=first[-1].id)
    assert [each.act.target for each in (*first, *second)] == ["4", "3", "2", "1"]


def test_what_did_nothing_is_not_recorded(connection: sqlite3.Connection) -> None:
    number = turns.admit(connection, message("discord:1")).conversation
    act = Act(BOSS, "end", "x")
    assert [audit.recorded(connection, act, conversations.end, number) for _ in range(2)] == [True, False]
    assert count(connection, "audit") == 1


def test_without_an_act_only_the_unit_runs(connection: sqlite3.Connection) -> None:
    number = turns.admit(connection, message("discord:1")).conversation
    assert audit.recorded(connection, None, conversations.end, number)
    assert count(connection, "audit") == 0


class Refused(Exception):
    """What was begun is not kept."""


def refuse(connection: Connection, number: int, act: Act) -> None:
    audit.recorded(connection, act, conversations.end, number)
    raise Refused


async def test_an_act_and_its_row_are_undone_together(tmp_path: Path) -> None:
    async with SQLiteDatabase(str(tmp_path / "t.db")) as database:
        number = (await database.write(turns.admit, message("discord:1"))).conversation
        with pytest.raises(Refused):
            await database.write(refuse, number, Act(BOSS, "end", "x"))
        assert (await database.read(conversations.get, number)).status == "active"
        assert await database.read(audit.recent, limit=9) == []


def test_the_log_is_read_by_its_key(connection: sqlite3.Connection) -> None:
    for before in (None, 3):
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        audit.recent(connection, limit=2, before=before)
        connection.set_trace_callback(None)
        [(*_, plan)] = connection.execute(f"EXPLAIN QUERY PLAN {statements[0]}")
        assert "TEMP B-TREE" not in plan
