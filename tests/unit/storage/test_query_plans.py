"""The queries that run for every message go through an index, however large the database has become."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage import (
    approvals,
    conversations,
    holdings,
    images,
    logged,
    pruning,
    quotas,
    records,
    summaries,
    turns,
    watermarks,
)
from storage.approvals import Wanted
from storage.conversations import Place
from storage.export_layouts import Layout
from storage.export_pages import Ahead, Work, turn_count
from storage.export_selection import Selection, numbers
from storage.holdings import Person
from storage.quotas import Quotas, Sender
from tests.storage_builders import answer, answer_next, bare_connection, message, result

NUMBER, TURN = 3, 5
CHOSEN = Selection(author="u1", since="2026-01-01T00:00:00.000Z", until="2999-01-01T00:00:00.000Z", rating=0)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        for n in range(20):
            number = turns.admit(opened, message(f"discord:{n}", channel=f"c{n % 5}")).conversation
            if n < 10:
                answer_next(opened, number, answer())
        yield opened


def plans(connection: sqlite3.Connection, run: Callable[[], object]) -> list[str]:
    """How SQLite finds the rows of every statement that `run` executes."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    run()
    connection.set_trace_callback(None)
    return [
        row[3]
        for sql in statements
        if sql.lstrip().startswith(("SELECT", "UPDATE", "INSERT"))
        for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
    ]


def scans(step: str) -> bool:
    """Whether a step of a plan reads a whole table, or all of it before or behind a row. One salt is all there is."""
    if step == "SCAN forgotten_salts":
        return False
    return step.startswith("SCAN") or "PRIMARY KEY (rowid<" in step or "PRIMARY KEY (rowid>" in step


HOT: dict[str, Callable[[sqlite3.Connection], Any]] = {
    "admit: find_event": lambda c: turns.admit(c, message("discord:3")),
    "admit: find_active": lambda c: turns.admit(c, message("discord:new", channel="c1")),
    "admit: open": lambda c: turns.admit(c, message("discord:new", channel="new")),
    "find_active": lambda c: conversations.find_active(c, "discord", "guild", "c1", ""),
    "start": lambda c: conversations.start(c, message("", channel="c1").opening),
    "end": lambda c: conversations.end(c, NUMBER),
    "find by id": lambda c: conversations.find(c, "abcdefghjk"),
    "find by prefix": lambda c: conversations.find(c, "abcd"),
    "matching ids": lambda c: conversations.matching(c, "abcd", limit=100),
    "claim": lambda c: turns.claim(c, NUMBER, window=10),
    "past": lambda c: turns.past(c, NUMBER, before=99, limit=10),
    "past behind a summary": lambda c: turns.past(c, NUMBER, after=2, before=99, limit=10),
    "unsummarised": lambda c: summaries.unsummarised(c, NUMBER, limit=10, characters=100),
    "summary": lambda c: summaries.read(c, NUMBER),
    "summarise": lambda c: summaries.replace(c, NUMBER, "They met.", TURN),
    "steps": lambda c: turns.steps(c, TURN),
    "deliveries": lambda c: turns.deliveries(c, TURN),
    "images": lambda c: images.of_turn(c, TURN, [{"image": 0}]),
    "request_stop": lambda c: turns.request_stop(c, NUMBER),
    "rate": lambda c: turns.rate(c, TURN, 1),
    "waiting_conversations": lambda c: turns.waiting_conversations(c, ("discord",)),
    "transcript": lambda c: records.transcript(c, NUMBER, limit=10, before=99),
    "turn_place": lambda c: records.turn_place(c, TURN),
    "of_platform": lambda c: watermarks.of_platform(c, "discord"),
    "quotas": lambda c: quotas.exceeded(c, Quotas(20, 300, 1_000, 1_000), Sender("discord", "guild", "u1")),
    "admit: an event that was forgotten": lambda c: pruning.is_event_forgotten(c, "discord:3"),
    "conversations of a person": lambda c: holdings.conversations_of(c, Person("discord", "u1")),
    "export of a turn": lambda c: list(logged.Messages(c, NUMBER, NUMBER).of(NUMBER)),
    "export of chosen turns": lambda c: list(logged.Messages(c, NUMBER, NUMBER, choice=CHOSEN.turns).of(NUMBER)),
    "export by id": lambda c: list(numbers(c, Selection([conversations.get(c, NUMBER).id]))),
    "export of a platform": lambda c: list(numbers(c, Selection(place=Place("discord")))),
    "export: how much": lambda c: turn_count(c, Work(Ahead([(NUMBER, NUMBER)]), CHOSEN.turns, Layout())),
}
RECENT: dict[str, Place] = {
    "by owner": Place("discord", owner="u1"),
    "by owner in a workspace": Place("discord", "guild", owner="u1"),
    "by place": Place("discord", "guild", "c1"),
    "by owner in a channel": Place("discord", "guild", "c1", "u1"),
}


@pytest.mark.parametrize("query", HOT)
def test_a_hot_query_scans_no_table(connection: sqlite3.Connection, query: str) -> None:
    found = plans(connection, lambda: HOT[query](connection))
    assert found
    assert not [step for step in found if scans(step) and "turn_open" not in step]


def test_the_journal_of_a_running_turn_is_written_without_a_scan(connection: sqlite3.Connection) -> None:
    claim = turns.claim(connection, NUMBER, window=0)
    assert claim is not None

    def work() -> None:
        turns.record_step(connection, claim.turn, claim.attempt, result(0))
        turns.record_delivery(connection, claim.turn, claim.attempt, 0, "m1")
        turns.conclude(connection, claim.turn, claim.attempt, answer(), result(1))
        turns.finish(connection, claim.turn, claim.attempt)

    found = plans(connection, work)
    assert len(found) >= 5
    assert not [step for step in found if scans(step)]


def test_a_pause_is_kept_and_ended_without_a_scan(connection: sqlite3.Connection) -> None:
    first = turns.claim(connection, NUMBER, window=0)
    assert first is not None

    def work() -> None:
        asked = approvals.ask(connection, first.turn, first.attempt, Wanted(0, 0, "launch", "{}"), 60.0)
        approvals.shown(connection, asked.id, first.attempt, "m1")
        assert turns.claim(connection, NUMBER, window=0) is None
        assert approvals.next_expiry(connection, NUMBER) == asked.expires_at
        assert approvals.waiting(connection, NUMBER) is not None
        assert approvals.decide(connection, asked.id, "approved", "u1", admin=False)
        assert turns.claim(connection, NUMBER, window=0) is not None

    found = plans(connection, work)
    assert len(found) >= 8
    assert not [step for step in found if scans(step) and "turn_open" not in step]


@pytest.mark.parametrize("before", [None, 4])
@pytest.mark.parametrize("active_only", [False, True])
@pytest.mark.parametrize("place", RECENT)
def test_recent_conversations_are_neither_scanned_nor_sorted(
    connection: sqlite3.Connection, place: str, active_only: bool, before: int | None
) -> None:
    found = plans(
        connection,
        lambda: conversations.recent(connection, RECENT[place], limit=9, before=before, active_only=active_only),
    )
    assert found
    assert not [step for step in found if scans(step) or "TEMP B-TREE" in step]


def test_the_oldest_turns_are_found_in_order_without_sorting(connection: sqlite3.Connection) -> None:
    queries = (
        "claim",
        "past",
        "past behind a summary",
        "unsummarised",
        "steps",
        "images",
        "quotas",
        "transcript",
        "export of a turn",
        "export of chosen turns",
    )
    found = [step for query in queries for step in plans(connection, lambda q=query: HOT[q](connection))]  # type: ignore[misc]
    assert not [step for step in found if "TEMP B-TREE" in step]
