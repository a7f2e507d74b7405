"""Units of work on notes, on a bare connection."""

import sqlite3
from collections.abc import Iterator

import pytest

from storage import notes
from tests.storage_builders import bare_connection

ALICE, BOB, NAMESAKE = "discord:1", "discord:2", "slack:1"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def texts(connection: sqlite3.Connection, owner: str) -> list[str]:
    return [note.text for note in notes.notes(connection, owner)]


def test_notes_are_told_newest_first_and_to_their_owner_alone(connection: sqlite3.Connection) -> None:
    for owner, text in [(ALICE, "one"), (BOB, "bob's"), (ALICE, "two"), (NAMESAKE, "elsewhere")]:
        assert notes.add(connection, owner, text, limit=5) == "added"
    assert {owner: texts(connection, owner) for owner in (ALICE, BOB, NAMESAKE)} == {
        ALICE: ["two", "one"],
        BOB: ["bob's"],
        NAMESAKE: ["elsewhere"],
    }


def test_the_same_note_is_kept_once_for_each(connection: sqlite3.Connection) -> None:
    assert [notes.add(connection, owner, "x", limit=5) for owner in (ALICE, ALICE, BOB)] == ["added", "known", "added"]
    assert texts(connection, ALICE) == ["x"]


def test_there_are_no_more_than_the_limit_of_each_owner(connection: sqlite3.Connection) -> None:
    assert [notes.add(connection, ALICE, text, limit=2) for text in "abca"] == ["added", "added", "full", "known"]
    assert notes.add(connection, BOB, "c", limit=2) == "added"


def test_one_note_is_erased_by_its_owner_only(connection: sqlite3.Connection) -> None:
    notes.add(connection, ALICE, "one", limit=5)
    notes.add(connection, ALICE, "two", limit=5)
    [two, one] = notes.notes(connection, ALICE)
    assert not notes.erase(connection, BOB, one.id)
    assert notes.erase(connection, ALICE, one.id)
    assert not notes.erase(connection, ALICE, one.id)
    assert notes.notes(connection, ALICE) == [two]


def test_all_are_erased_but_those_of_others(connection: sqlite3.Connection) -> None:
    for owner, text in [(ALICE, "one"), (ALICE, "two"), (BOB, "bob's")]:
        notes.add(connection, owner, text, limit=5)
    assert (notes.erase_all(connection, ALICE), notes.erase_all(connection, ALICE)) == (2, 0)
    assert (texts(connection, ALICE), texts(connection, BOB)) == ([], ["bob's"])


def test_a_persons_notes_are_found_by_an_index(connection: sqlite3.Connection) -> None:
    plan = connection.execute("EXPLAIN QUERY PLAN SELECT id FROM notes WHERE owner = 'x' ORDER BY id DESC").fetchall()
    assert any("note_owner" in row[3] for row in plan)
    assert not any("TEMP B-TREE" in row[3] for row in plan)
