"""People of whom every word is marked, conversations of theirs, and looking for what is left of them in a file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage import approvals, audit, conversations, notes, quotas, turns
from storage.approvals import Wanted
from storage.audit import Act, Actor
from storage.conversations import Kept, NewConversation
from storage.database import Connection
from storage.holdings import Person
from storage.images import Image
from storage.quotas import Sender
from storage.turns import Ending, NewTurn, Step

PLATFORM = "discord"
SUFFIXES = ("", "-wal", "-shm", "-journal")


def mark(who: str) -> str:
    """In everything that is somebody's."""
    return f"canary-of-{who}-"


def person(who: str) -> Person:
    return Person(PLATFORM, f"{mark(who)}id")


def opening(who: str, channel: str, text: str = "") -> NewConversation:
    """A conversation that somebody opens."""
    return NewConversation(PLATFORM, "guild", channel, "", person(who).id, f"{mark(who)}name", "plain", text)


def said(connection: Connection, who: str, channel: str, text: str, event: str = "") -> int:
    """Somebody says something, with a picture; it waits for its answer. Returns the turn."""
    words = f"{mark(who)}{text}"
    new = NewTurn(
        f"{PLATFORM}:{event or mark(who) + text}",
        person(who).id,
        f"{mark(who)}name",
        words,
        opening(who, channel, words),
        shared=True,
        attachments=({"name": f"{mark(who)}.png", "image": 0},),
        images=(Image(0, "image/png", words.encode() * 20),),
    )
    return turns.admit(connection, new).turn


def answered(connection: Connection, who: str, channel: str, text: str, *, gadget: bool = False) -> int:
    """Somebody says something, and is answered in their words; with `gadget`, by way of one that keeps a state."""
    turn = said(connection, who, channel, text)
    (number,) = connection.execute("SELECT conversation FROM turns WHERE id = :turn", {"turn": turn}).fetchone()
    claim = turns.claim(connection, number, window=0)
    assert claim is not None
    words = claim.user_message
    turns.record_step(connection, turn, claim.attempt, Step(0, "model", {"text": words, "calls": []}))
    if gadget:
        kept = Kept("game", {"guess": words})
        body = {"tool": "guess", "parameters": {"word": words}, "result": words}
        turns.record_step(connection, turn, claim.attempt, Step(1, "result", body), kept)
        approvals.ask(connection, turn, claim.attempt, Wanted(0, 0, "guess", words), 60)
    turns.conclude(connection, turn, claim.attempt, Ending("answered", f"re {words}", f"raw {words}", "m", 3, 4))
    turns.finish(connection, turn, claim.attempt, {0: f"{mark(who)}message"})
    return turn


def belongings(connection: Connection, who: str) -> None:
    """Of somebody: a note, something spent, and an act of theirs as an admin."""
    notes.add(connection, str(person(who)), f"{mark(who)}note", limit=9)
    quotas.charge(connection, Sender(PLATFORM, "guild", person(who).id), 5)
    audit.record(connection, Act(Actor(str(person(who)), f"{mark(who)}name", "admin"), "export", "all"))


def number_in(connection: Connection, channel: str) -> int:
    found = conversations.find_active(connection, PLATFORM, "guild", channel, "")
    assert found is not None
    return found.number


TABLES = {
    "conversations": "number", "turns": "id", "steps": "turn, seq", "deliveries": "turn, part",
    "images": "turn, number", "notes": "id", "spending": "platform, whose, id", "approvals": "id", "audit": "id",
}  # fmt: skip


def rows_with(connection: Connection, word: str, *, without: str = "") -> list[tuple[Any, ...]]:
    """Every row that has the word somewhere, and not the other one, which may stand in what several share."""
    found = []
    for table, order in TABLES.items():
        for row in connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall():
            text = repr(tuple(row))
            if word in text and not (without and without in text):
                found.append((table, *row))
    return found


def traces(path: Path, word: str) -> int:
    """How often a word stands in the files of a database, wherever in them."""
    files = [Path(f"{path}{suffix}") for suffix in SUFFIXES]
    return sum(file.read_bytes().count(word.encode()) for file in files if file.exists())


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection
    finally:
        connection.close()
