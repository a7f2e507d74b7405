"""What the author of a turn may do is decided when it is taken in."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from storage import questions, turns
from storage.migrations import all_migrations
from tests.storage_builders import answer, answer_next, bare_connection, message


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def claimed_role(connection: sqlite3.Connection, conversation: int) -> str:
    claim = turns.claim(connection, conversation, window=0)
    assert claim is not None
    return claim.role


def test_every_claim_of_a_turn_has_its_role(connection: sqlite3.Connection) -> None:
    new = replace(message("discord:1"), role="operator")
    conversation = turns.admit(connection, new).conversation
    turns.admit(connection, replace(new, role="admin"))  # the same event again
    assert [claimed_role(connection, conversation) for _ in range(2)] == ["operator", "operator"]


def test_the_next_turn_has_its_own(connection: sqlite3.Connection) -> None:
    conversation = turns.admit(connection, replace(message("discord:1"), role="admin")).conversation
    turns.admit(connection, message("discord:2"))
    answer_next(connection, conversation, answer())
    assert claimed_role(connection, conversation) == "everyone"


@pytest.mark.parametrize(("now", "role"), [(None, "operator"), ("everyone", "everyone"), ("admin", "admin")])
def test_a_repeated_turn_keeps_its_role_unless_another_is_known(
    connection: sqlite3.Connection, now: str | None, role: str
) -> None:
    first = turns.admit(connection, replace(message("discord:1"), role="operator"))
    answer_next(connection, first.conversation, answer())
    assert questions.repeat(connection, first.turn, "discord:again:1", now) is not None
    assert claimed_role(connection, first.conversation) == role


def test_turns_from_before_give_no_rights() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    before = [each for each in all_migrations() if each.number < 6]
    for migration in before:
        connection.executescript(migration.sql)
    connection.execute(
        """INSERT INTO conversations (id, platform, workspace, channel, thread, owner, owner_name, agent, title, status,
                started_at, last_updated) VALUES ('a', 'p', '', 'c', '', 'u', 'n', 'q', '', 'active', '', '')"""
    )
    connection.execute(
        """INSERT INTO turns (conversation, event_key, author, author_name, user_message, status, created_at)
            VALUES (1, 'e', 'u', 'n', 'hi', 'queued', '')"""
    )
    for migration in all_migrations()[len(before) :]:
        connection.executescript(migration.sql)
    assert claimed_role(connection, 1) == "everyone"
    connection.close()
