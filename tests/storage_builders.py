"""Small builders of what storage takes, so that a test says only what it is about."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage import turns
from storage.conversations import NewConversation
from storage.database import Connection, Database
from storage.migrations import all_migrations
from storage.turns import Ending, NewTurn, Step

TEST_DATA = Path(os.environ.get("SECRET_AGENTS_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def opening(
    channel: str = "general", *, platform: str = "discord", owner: str = "u1", title: str = ""
) -> NewConversation:
    return NewConversation(
        platform, "guild", channel, "", owner=owner, owner_name="Moneypenny", agent="quartermaster", title=title
    )


def message(event: str, text: str = "hello", *, channel: str = "general", platform: str = "discord") -> NewTurn:
    return NewTurn(event, "u1", "Moneypenny", text, opening(channel, platform=platform, title=text))


def result(seq: int, tool: str = "decrypt") -> Step:
    return Step(seq, "result", {"tool": tool, "parameters": {"shift": 1}, "result": "HELLO"})


def answer(text: str = "the answer", *, outcome: str = "answered") -> Ending:
    return Ending(outcome, text, f"raw {text}", "qwen", 11, 7)


def answer_next(connection: Connection, conversation: int, ending: Ending) -> int:
    """Claim the oldest open turn and end it; its id."""
    claim = turns.claim(connection, conversation, window=0)
    assert claim is not None
    turns.conclude(connection, claim.turn, claim.attempt, ending)
    turns.finish(connection, claim.turn, claim.attempt)
    return claim.turn


def count(connection: Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(rows)


@contextmanager
def bare_connection() -> Iterator[sqlite3.Connection]:
    """A migrated database in memory, for units without the machinery around them."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        for migration in all_migrations():
            connection.executescript(migration.sql)
        yield connection
    finally:
        connection.close()


def hold(_: Connection, started: threading.Event, go_on: threading.Event) -> None:
    """Keeps the writer busy, so that what comes after it waits together."""
    started.set()
    assert go_on.wait(30)


class BusyWriter:
    """`async with`: everything written inside waits, and is let go at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._started = threading.Event()
        self._go_on = threading.Event()

    async def __aenter__(self) -> None:
        self._held = asyncio.create_task(self._database.write(hold, self._started, self._go_on))
        assert await asyncio.to_thread(self._started.wait, 30)

    async def __aexit__(self, *exc_info: object) -> None:
        self._go_on.set()
        await self._held
