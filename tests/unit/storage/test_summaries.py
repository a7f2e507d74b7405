"""Units of work on summaries: what they tell of is not claimed again, what is behind them is."""

import sqlite3
from collections.abc import Iterator

import pytest

from storage import conversations, questions, summaries, turns
from tests.storage_builders import answer, answer_next, bare_connection, message


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def talked(connection: sqlite3.Connection, count: int, first: int = 0) -> int:
    for n in range(first, first + count):
        number = turns.admit(connection, message(f"e{n}", f"q{n}")).conversation
        answer_next(connection, number, answer(f"a{n}"))
    return number


def left(connection: sqlite3.Connection, number: int, limit: int = 99) -> list[str]:
    return [one.user_message for one in summaries.unsummarised(connection, number, limit=limit, characters=50)]


def test_a_conversation_begins_without_a_summary(connection: sqlite3.Connection) -> None:
    number = talked(connection, 3)
    assert (summaries.read(connection, number), left(connection, number)) == ("", ["q0", "q1", "q2"])
    assert conversations.get(connection, number).summarised_to == 0


def test_what_a_summary_tells_of_is_not_claimed_and_nothing_is_deleted(connection: sqlite3.Connection) -> None:
    number = talked(connection, 5)
    reach = summaries.unsummarised(connection, number, limit=3, characters=50)[-1].turn
    summaries.replace(connection, number, "They met.", reach)
    turns.admit(connection, message("new", "and now?"))
    claim = turns.claim(connection, number, window=10)
    assert claim is not None
    assert [past.user_message for past in claim.window] == ["q3", "q4"]
    assert (claim.conversation.summary, claim.conversation.summarised_to) == ("They met.", reach)
    assert len(turns.past(connection, number, before=99, limit=99)) == 5


def test_another_text_keeps_its_reach(connection: sqlite3.Connection) -> None:
    number = talked(connection, 3)
    summaries.replace(connection, number, "one", 2)
    summaries.replace(connection, number, "two")
    assert (summaries.read(connection, number), left(connection, number)) == ("two", ["q2"])


def test_only_remembered_turns_are_summarised_the_oldest_first_and_cut(connection: sqlite3.Connection) -> None:
    number = talked(connection, 2)
    turns.admit(connection, message("failing", "broken"))
    answer_next(connection, number, answer(outcome="failed"))
    talked(connection, 1, first=2)
    questions.repeat(connection, 4, "again")
    answer_next(connection, number, answer("better"))
    assert left(connection, number) == ["q0", "q1", "q2"]
    assert left(connection, number, limit=1) == ["q0"]
    [first, *_] = summaries.unsummarised(connection, number, limit=9, characters=1)
    assert (first.user_message, first.agent_response) == ("q", "a")


def test_summaries_of_other_conversations_stay(connection: sqlite3.Connection) -> None:
    mine = talked(connection, 1)
    other = turns.admit(connection, message("x", channel="other")).conversation
    summaries.replace(connection, mine, "mine", 1)
    assert summaries.read(connection, other) == ""
