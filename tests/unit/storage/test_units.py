"""Units of work on a bare connection."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from storage import conversations, keepsakes, records, turns, watermarks
from storage.conversations import ID_ALPHABET, ID_LENGTH, TITLE_LIMIT, Place
from storage.turns import Ending, PastTurn
from tests.storage_builders import answer, answer_next, bare_connection, message, opening, result


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def give_id(connection: sqlite3.Connection, number: int, identifier: str) -> None:
    connection.execute("UPDATE conversations SET id = ? WHERE number = ?", (identifier, number))


def test_a_new_id_is_easy_to_type() -> None:
    ids = {conversations.new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(len(one) == ID_LENGTH and set(one) <= set(ID_ALPHABET) for one in ids)


def test_an_admitted_message_opens_a_conversation_titled_by_it(connection: sqlite3.Connection) -> None:
    admitted = turns.admit(connection, message("discord:1", "t" * 200))
    opened = conversations.get(connection, admitted.conversation)
    assert opened.id == admitted.conversation_id
    assert (opened.status, opened.title, opened.owner, opened.agent) == (
        "active",
        "t" * TITLE_LIMIT,
        "u1",
        "quartermaster",
    )


def test_the_first_message_titles_a_conversation_that_was_started_without_one(connection: sqlite3.Connection) -> None:
    started = conversations.start(connection, opening())
    turns.admit(connection, message("discord:1", "first"))
    turns.admit(connection, message("discord:2", "second"))
    assert conversations.get(connection, started.number).title == "first"


def test_a_claim_holds_what_was_admitted(connection: sqlite3.Connection) -> None:
    files = ({"name": "ünï.txt", "media_type": "text/plain", "size": 3, "text": "\ud800?"},)
    new = replace(message("discord:1", "hello"), attachments=files, shared=True, author="u2", author_name="Bond")
    admitted = turns.admit(connection, new)
    claim = turns.claim(connection, admitted.conversation, window=5)
    assert claim is not None
    assert (claim.turn, claim.attempt, claim.event_key) == (admitted.turn, 1, "discord:1")
    assert (claim.author, claim.author_name, claim.shared) == ("u2", "Bond", True)
    assert (claim.user_message, claim.attachments) == ("hello", list(files))
    assert (claim.stop_requested, claim.ending, claim.window) == (False, None, [])
    assert claim.conversation.id == admitted.conversation_id


def test_the_window_is_the_last_closed_turns_with_an_answer_oldest_first(connection: sqlite3.Connection) -> None:
    outcomes = ["answered", "failed", "answered", "stopped", "cancelled", "answered"]
    for n, outcome in enumerate(outcomes):
        number = turns.admit(connection, message(f"discord:{n}", f"q{n}")).conversation
        answer_next(connection, number, answer(f"a{n}", outcome=outcome))
    turns.admit(connection, message("discord:now", "now"))
    turns.admit(connection, message("discord:later", "later"))
    claim = turns.claim(connection, number, window=3)
    assert claim is not None
    assert claim.window == [PastTurn("u1", "Moneypenny", f"q{n}", f"a{n}") for n in (2, 3, 5)]
    again = turns.claim(connection, number, window=0)
    assert again is not None
    assert again.window == []


def test_the_window_is_of_the_own_conversation_only(connection: sqlite3.Connection) -> None:
    other = turns.admit(connection, message("discord:1", channel="other")).conversation
    answer_next(connection, other, answer())
    mine = turns.admit(connection, message("discord:2")).conversation
    claim = turns.claim(connection, mine, window=9)
    assert claim is not None
    assert claim.window == []


def test_an_ended_turn_keeps_its_ending(connection: sqlite3.Connection) -> None:
    number = turns.admit(connection, message("discord:1")).conversation
    ending = Ending("failed", "sorry", "raw", "qwen", 3, 4, error="ModelBusy: full")
    answer_next(connection, number, ending)
    (record,) = records.transcript(connection, number, limit=9)
    assert (record.status, record.agent_response, record.model, record.error) == (
        "failed",
        "sorry",
        "qwen",
        "ModelBusy: full",
    )
    assert record.finished_at is not None


def test_a_stop_is_for_the_oldest_open_turn(connection: sqlite3.Connection) -> None:
    first = turns.admit(connection, message("discord:1"))
    turns.admit(connection, message("discord:2"))
    assert turns.request_stop(connection, first.conversation) == first.turn
    one = turns.claim(connection, first.conversation, window=0)
    assert one is not None
    assert one.stop_requested
    turns.conclude(connection, one.turn, one.attempt, answer(outcome="stopped"))
    turns.finish(connection, one.turn, one.attempt)
    two = turns.claim(connection, first.conversation, window=0)
    assert two is not None
    assert not two.stop_requested


def test_there_is_nothing_to_stop_where_nothing_is_open(connection: sqlite3.Connection) -> None:
    number = turns.admit(connection, message("discord:1")).conversation
    answer_next(connection, number, answer())
    assert turns.request_stop(connection, number) is None


def test_ending_a_conversation_stops_all_its_open_turns(connection: sqlite3.Connection) -> None:
    number = turns.admit(connection, message("discord:1")).conversation
    answer_next(connection, number, answer())
    for n in (2, 3):
        turns.admit(connection, message(f"discord:{n}"))
    turns.claim(connection, number, window=0)
    assert conversations.end(connection, number)
    rows = connection.execute("SELECT status, stop_requested FROM turns ORDER BY id").fetchall()
    assert rows == [("answered", 0), ("running", 1), ("queued", 1)]
    assert conversations.get(connection, number).status == "completed"


def test_a_conversation_ends_once(connection: sqlite3.Connection) -> None:
    number = conversations.open_(connection, opening()).number
    assert [conversations.end(connection, number), conversations.end(connection, number)] == [True, False]
    assert not conversations.end(connection, 4711)


def test_a_message_after_the_end_opens_another_conversation(connection: sqlite3.Connection) -> None:
    first = turns.admit(connection, message("discord:1"))
    conversations.end(connection, first.conversation)
    assert turns.admit(connection, message("discord:2")).conversation != first.conversation


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("abcd222222", "abcd222222"),
        ("abcd2", "abcd222222"),
        ("abcd", None),  # two begin so
        ("efg", None),  # too short, though only one begins so
        ("efgh", "efgh444444"),
        ("efgh444444x", None),
        ("%", None),
        ("____", None),
        ("", None),
    ],
)
def test_a_conversation_is_found_by_id_or_unique_prefix(
    connection: sqlite3.Connection, asked: str, found: str | None
) -> None:
    for identifier in ("abcd222222", "abcd333333", "efgh444444"):
        give_id(connection, conversations.open_(connection, opening(identifier)).number, identifier)
    conversation = conversations.find(connection, asked)
    assert (conversation.id if conversation else None) == found


def test_an_id_that_is_also_a_prefix_is_found_itself(connection: sqlite3.Connection) -> None:
    for identifier in ("abcd", "abcde"):
        give_id(connection, conversations.open_(connection, opening(identifier)).number, identifier)
    found = conversations.find(connection, "abcd")
    assert found is not None
    assert found.id == "abcd"


def test_recent_conversations_come_in_pages_the_newest_first(connection: sqlite3.Connection) -> None:
    numbers = [conversations.open_(connection, opening(f"c{n}")).number for n in range(7)]
    pages: list[list[int]] = []
    before = None
    while page := conversations.recent(connection, Place(), limit=3, before=before):
        pages.append([one.number for one in page])
        before = page[-1].number
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [number for page in pages for number in page] == numbers[::-1]


def test_recent_conversations_are_those_of_the_place(connection: sqlite3.Connection) -> None:
    for channel, owner in (("a", "u1"), ("a", "u2"), ("b", "u1")):
        conversations.start(connection, opening(channel, owner=owner))
    conversations.open_(connection, opening("a", platform="slack"))

    def found(place: Place, *, active_only: bool = False) -> list[tuple[str, str, str]]:
        return [
            (one.platform, one.channel, one.owner)
            for one in conversations.recent(connection, place, limit=9, active_only=active_only)
        ]

    assert found(Place("discord", channel="a")) == [("discord", "a", "u2"), ("discord", "a", "u1")]
    assert found(Place("discord", channel="a"), active_only=True) == [("discord", "a", "u2")]
    assert found(Place("discord", owner="u1")) == [("discord", "b", "u1"), ("discord", "a", "u1")]
    assert found(Place("slack", "guild")) == [("slack", "a", "u1")]
    assert found(Place("slack", "other team")) == []


def test_a_rating_can_be_changed_and_taken_back(connection: sqlite3.Connection) -> None:
    number = turns.admit(connection, message("discord:1")).conversation
    turn = answer_next(connection, number, answer())
    seen = [records.transcript(connection, number, limit=1)[0].rating]
    for rating in (1, -1, 0):
        turns.rate(connection, turn, rating)
        seen.append(records.transcript(connection, number, limit=1)[0].rating)
    assert seen == [None, 1, -1, 0]


def test_a_transcript_comes_in_pages_the_last_first_each_oldest_first(connection: sqlite3.Connection) -> None:
    admitted = [turns.admit(connection, message(f"discord:{n}", f"q{n}")) for n in range(5)]
    number = admitted[0].conversation
    last = records.transcript(connection, number, limit=2)
    earlier = records.transcript(connection, number, limit=9, before=last[0].id)
    assert [turn.user_message for turn in last] == ["q3", "q4"]
    assert [turn.user_message for turn in earlier] == ["q0", "q1", "q2"]
    assert (last[0].agent_response, last[0].status) == ("", "queued")


def test_a_transcript_names_the_gadgets_in_their_order(connection: sqlite3.Connection) -> None:
    number = turns.admit(connection, message("discord:1")).conversation
    claim = turns.claim(connection, number, window=0)
    assert claim is not None
    for seq, tool in enumerate(("weather", "decrypt", "weather")):
        turns.record_step(connection, claim.turn, claim.attempt, result(seq, tool))
    assert records.transcript(connection, number, limit=1)[0].tools == ["weather", "decrypt", "weather"]


def test_a_turn_knows_its_place(connection: sqlite3.Connection) -> None:
    admitted = turns.admit(connection, message("discord:1"))
    place = records.turn_place(connection, admitted.turn)
    assert place == records.TurnPlace(admitted.turn, "u1", admitted.conversation, "discord", "guild", "general")
    assert records.turn_place(connection, 4711) is None


def test_watermarks_of_channels_do_not_mix(connection: sqlite3.Connection) -> None:
    watermarks.advance(connection, "discord", "g1", "c", "5")
    watermarks.advance(connection, "discord", "g2", "c", "3")
    assert sorted(watermarks.of_platform(connection, "discord")) == [("g1", "c", "5"), ("g2", "c", "3")]
    assert watermarks.of_platform(connection, "slack") == []


def test_a_keepsake_stays_what_it_was(connection: sqlite3.Connection) -> None:
    assert [keepsakes.keep(connection, "key", value) for value in ("one", "two")] == ["one", "one"]
