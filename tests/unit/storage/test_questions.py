"""Units of work on questions that were admitted: edited, deleted, asked again."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from storage import conversations, images, questions, turns
from storage.images import Image
from storage.turns import Admitted
from tests.storage_builders import answer, answer_next, bare_connection, message

PICTURE = Image(0, "image/png", b"picture")
STORED = {"name": "cat.png", "media_type": "image/png", "size": 7, "text": None, "image": 0}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


@pytest.fixture
def answered(connection: sqlite3.Connection) -> Admitted:
    """The question "one" with a picture, and its answer "first"."""
    new = replace(message("discord:1", "one"), attachments=(STORED,), images=(PICTURE,), shared=True)
    admitted = turns.admit(connection, new)
    answer_next(connection, admitted.conversation, answer("first"))
    return admitted


def ask(connection: sqlite3.Connection, event: str, text: str, outcome: str = "answered") -> int:
    admitted = turns.admit(connection, message(event, text))
    return answer_next(connection, admitted.conversation, answer(f"re: {text}", outcome=outcome))


def again(connection: sqlite3.Connection, turn: int, event: str, outcome: str = "answered") -> int:
    admitted = questions.repeat(connection, turn, event)
    assert admitted is not None
    return answer_next(connection, admitted.conversation, answer(event, outcome=outcome))


def remembered(connection: sqlite3.Connection, admitted: Admitted) -> list[str]:
    """The answers that the model is told of with the next question."""
    return [past.agent_response for past in turns.past(connection, admitted.conversation, before=99, limit=10)]


def column(connection: sqlite3.Connection, name: str) -> list[object]:
    return [value for (value,) in connection.execute(f"SELECT {name} FROM turns ORDER BY id").fetchall()]


def test_a_waiting_question_takes_its_new_words(connection: sqlite3.Connection) -> None:
    turns.admit(connection, message("discord:1", "tow"))
    assert questions.amend(connection, "discord:1", "two")
    assert column(connection, "user_message") == ["two"]


def test_the_same_words_amend_nothing(connection: sqlite3.Connection) -> None:
    turns.admit(connection, message("discord:1", "two"))
    assert not questions.amend(connection, "discord:1", "two")


def test_a_question_whose_answer_was_begun_stays(connection: sqlite3.Connection) -> None:
    admitted = turns.admit(connection, message("discord:1", "one"))
    turns.claim(connection, admitted.conversation, window=0)
    assert not questions.amend(connection, "discord:1", "two")
    assert column(connection, "user_message") == ["one"]


@pytest.mark.parametrize("event", ["discord:2", ""])
def test_what_was_never_admitted_is_neither_amended_nor_withdrawn(connection: sqlite3.Connection, event: str) -> None:
    turns.admit(connection, message("discord:1", "one"))
    assert not questions.amend(connection, event, "two")
    assert questions.withdraw(connection, event) is None
    assert column(connection, "status") == ["queued"]


def test_a_waiting_question_is_withdrawn_in_silence(connection: sqlite3.Connection) -> None:
    admitted = turns.admit(connection, message("discord:1", "one"))
    assert questions.withdraw(connection, "discord:1") is None
    assert turns.claim(connection, admitted.conversation, window=0) is None
    assert column(connection, "status") == ["cancelled"]
    assert remembered(connection, admitted) == []


def test_a_running_answer_to_a_withdrawn_question_is_to_be_stopped(connection: sqlite3.Connection) -> None:
    admitted = turns.admit(connection, message("discord:1", "one"))
    turns.claim(connection, admitted.conversation, window=0)
    assert questions.withdraw(connection, "discord:1") == admitted.conversation
    assert column(connection, "stop_requested") == [1]


def test_an_answered_question_is_withdrawn_without_effect(connection: sqlite3.Connection, answered: Admitted) -> None:
    assert questions.withdraw(connection, "discord:1") is None
    assert remembered(connection, answered) == ["first"]


def test_a_question_is_asked_again_as_it_was(connection: sqlite3.Connection, answered: Admitted) -> None:
    repeated = questions.repeat(connection, answered.turn, "discord:again:2")
    assert repeated is not None
    assert (repeated.conversation, repeated.conversation_id) == (answered.conversation, answered.conversation_id)
    claim = turns.claim(connection, answered.conversation, window=10)
    assert claim is not None
    assert (claim.turn, claim.event_key, claim.window) == (repeated.turn, "discord:again:2", [])
    assert (claim.user_message, claim.author, claim.shared) == ("one", "u1", True)
    assert (claim.attachments, claim.images) == ([STORED], (PICTURE,))


def test_the_later_answer_is_remembered(connection: sqlite3.Connection, answered: Admitted) -> None:
    again(connection, answered.turn, "second")
    assert remembered(connection, answered) == ["second"]


def test_of_several_repetitions_the_last_good_one_is_remembered(
    connection: sqlite3.Connection, answered: Admitted
) -> None:
    second = again(connection, answered.turn, "second")
    third = again(connection, second, "third", "failed")
    assert remembered(connection, answered) == ["second"]
    again(connection, third, "fourth")
    assert remembered(connection, answered) == ["fourth"]
    ask(connection, "discord:5", "five")
    assert remembered(connection, answered) == ["fourth", "re: five"]


@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
def test_where_the_repetition_has_no_answer_the_first_is_remembered(
    connection: sqlite3.Connection, answered: Admitted, outcome: str
) -> None:
    again(connection, answered.turn, "second", outcome)
    ask(connection, "discord:3", "three")
    assert remembered(connection, answered) == ["first", "re: three"]


def test_the_same_event_repeats_once(connection: sqlite3.Connection, answered: Admitted) -> None:
    first = questions.repeat(connection, answered.turn, "discord:again:2")
    second = questions.repeat(connection, answered.turn, "discord:again:2")
    assert first is not None
    assert second == replace(first, duplicate=True)
    assert column(connection, "event_key") == ["discord:1", "discord:again:2"]


def test_only_the_latest_turn_is_repeated(connection: sqlite3.Connection, answered: Admitted) -> None:
    ask(connection, "discord:2", "two")
    assert questions.repeat(connection, answered.turn, "discord:again:3") is None


def test_an_open_turn_is_not_repeated(connection: sqlite3.Connection) -> None:
    admitted = turns.admit(connection, message("discord:1", "one"))
    assert questions.repeat(connection, admitted.turn, "discord:again:2") is None
    turns.claim(connection, admitted.conversation, window=0)
    assert questions.repeat(connection, admitted.turn, "discord:again:2") is None


def test_nothing_is_repeated_in_a_completed_mission(connection: sqlite3.Connection, answered: Admitted) -> None:
    conversations.end(connection, answered.conversation)
    assert questions.repeat(connection, answered.turn, "discord:again:2") is None
    assert images.of_turn(connection, answered.turn + 1, [STORED]) == ()
