"""Forgetting somebody: nothing of theirs is left, everything of others is as it was."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import (
    approvals,
    audit,
    conversations,
    forgetting,
    holdings,
    images,
    notes,
    pruning,
    quotas,
    summaries,
    turns,
)
from storage.approvals import Wanted
from storage.audit import Act, Actor
from storage.compaction import asked as compaction_asked
from storage.compaction import compact, done
from storage.errors import Fenced
from storage.holdings import Holdings, Person
from storage.quotas import Quotas, Sender
from storage.sqlite_setup import set_up_writer
from tests.forgotten import answered, belongings, connected, mark, number_in, person, rows_with, said, traces
from tests.storage_builders import bare_connection

ANN, BEN = "ann", "ben"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def column(connection: sqlite3.Connection, sql: str) -> list[Any]:
    return [value for (value,) in connection.execute(sql).fetchall()]


def test_of_somebody_alone_nothing_is_left_at_all(connection: sqlite3.Connection) -> None:
    answered(connection, ANN, "c1", "one", gadget=True)
    said(connection, ANN, "c1", "waiting")
    conversations.open_(connection, conversations.NewConversation("discord", "", "c2", "", person(ANN).id, "", "a", ""))
    belongings(connection, ANN)
    receipt = forgetting.forget(connection, person(ANN))
    assert receipt.erased == Holdings(missions=2, shared=0, messages=2, pictures=2, notes=1)
    assert rows_with(connection, mark(ANN)) == []


def test_what_is_shown_beforehand_is_what_is_erased(connection: sqlite3.Connection) -> None:
    answered(connection, ANN, "c1", "alone")
    answered(connection, ANN, "c2", "with ben")
    answered(connection, BEN, "c2", "with ann")
    answered(connection, BEN, "c3", "ben begins")
    answered(connection, ANN, "c3", "ann comes")
    answered(connection, BEN, "c4", "ben alone")
    belongings(connection, ANN)
    before = holdings.holdings(connection, person(ANN))
    assert before == Holdings(missions=1, shared=2, messages=3, pictures=3, notes=1)
    assert forgetting.forget(connection, person(ANN)).erased == before
    assert not holdings.holdings(connection, person(ANN))


def test_others_in_the_same_conversation_keep_every_word(connection: sqlite3.Connection) -> None:
    answered(connection, ANN, "c1", "first")
    answered(connection, BEN, "c1", "second")
    answered(connection, ANN, "c1", "third")
    belongings(connection, BEN)
    before = rows_with(connection, mark(BEN), without=mark(ANN))
    assert len(before) > 4
    forgetting.forget(connection, person(ANN))
    assert [row for row in rows_with(connection, mark(BEN)) if row[0] != "conversations"] == before
    assert rows_with(connection, mark(ANN)) == []


def test_a_conversation_that_others_take_part_in_becomes_theirs_under_their_title(
    connection: sqlite3.Connection,
) -> None:
    answered(connection, ANN, "c1", "first")
    answered(connection, BEN, "c1", "second\nline")
    forgetting.forget(connection, person(ANN))
    left = conversations.get(connection, number_in(connection, "c1"))
    assert (left.owner, left.owner_name) == (person(BEN).id, f"{mark(BEN)}name")
    assert left.title == f"{mark(BEN)}second"


def test_a_title_that_somebody_else_gave_stays(connection: sqlite3.Connection) -> None:
    answered(connection, BEN, "c1", "the first words")
    answered(connection, ANN, "c1", "more")
    forgetting.forget(connection, person(ANN))
    left = conversations.get(connection, number_in(connection, "c1"))
    assert (left.owner, left.title) == (person(BEN).id, f"{mark(BEN)}the first words")


def test_a_title_goes_whoever_opened_the_conversation_if_it_is_in_their_words(connection: sqlite3.Connection) -> None:
    opened = conversations.NewConversation("discord", "guild", "c1", "", person(BEN).id, "Ben", "plain", "")
    conversations.start(connection, opened)
    answered(connection, ANN, "c1", "the first words")
    assert number_in(connection, "c1")
    forgetting.forget(connection, person(ANN))
    left = conversations.get(connection, number_in(connection, "c1"))
    assert (left.owner, left.title) == (person(BEN).id, "")


def test_the_summary_is_made_anew_of_what_is_left(connection: sqlite3.Connection) -> None:
    answered(connection, BEN, "c1", "one")
    last = answered(connection, ANN, "c1", "two")
    number = number_in(connection, "c1")
    summaries.replace(connection, number, f"They spoke of {mark(ANN)}.", last)
    forgetting.forget(connection, person(ANN))
    assert (conversations.get(connection, number).summary, conversations.get(connection, number).summarised_to) == (
        "",
        0,
    )
    left = summaries.unsummarised(connection, number, limit=9, characters=99)
    assert [one.user_message for one in left] == [f"{mark(BEN)}one"]


def test_a_summary_that_tells_nothing_of_them_stays(connection: sqlite3.Connection) -> None:
    last = answered(connection, BEN, "c1", "one")
    answered(connection, ANN, "c2", "elsewhere")
    summaries.replace(connection, number_in(connection, "c1"), "They met.", last)
    forgetting.forget(connection, person(ANN))
    assert conversations.get(connection, number_in(connection, "c1")).summary == "They met."


@pytest.mark.parametrize(("played", "state"), [(True, {}), (False, {"game": {"guess": f"{mark(BEN)}one"}})])
def test_a_games_state_goes_only_if_they_played(
    connection: sqlite3.Connection, played: bool, state: dict[str, Any]
) -> None:
    answered(connection, BEN, "c1", "one", gadget=True)
    answered(connection, ANN, "c1", "two")
    if played:
        answered(connection, ANN, "c1", "three", gadget=True)
    forgetting.forget(connection, person(ANN))
    assert conversations.get(connection, number_in(connection, "c1")).state == state


def test_the_same_id_on_another_platform_is_somebody_else(connection: sqlite3.Connection) -> None:
    answered(connection, ANN, "c1", "one")
    belongings(connection, ANN)
    before = rows_with(connection, mark(ANN))
    receipt = forgetting.forget(connection, Person("slack", person(ANN).id))
    assert not receipt.erased
    assert [row for row in rows_with(connection, mark(ANN)) if row[0] != "audit"] == [
        row for row in before if row[0] != "audit"
    ]


def test_turns_that_do_not_know_their_platform_are_found_as_well(connection: sqlite3.Connection) -> None:
    answered(connection, ANN, "c1", "imported")
    answered(connection, BEN, "c1", "imported, too")
    connection.execute("UPDATE turns SET platform = NULL, workspace = NULL")
    connection.execute("UPDATE conversations SET owner = 'somebody'")
    forgetting.forget(connection, person(ANN))
    assert column(connection, "SELECT author FROM turns") == [person(BEN).id]


def test_what_they_did_as_an_admin_stays_on_record_under_a_pseudonym(connection: sqlite3.Connection) -> None:
    belongings(connection, ANN)
    audit.record(connection, Act(Actor("discord:boss", "Boss", "admin"), "export", str(person(ANN))))
    receipt = forgetting.forget(connection, person(ANN), Actor("discord:boss", "Boss", "admin"))
    (forgot, targeted, exported) = audit.recent(connection, limit=9)
    assert (exported.act.actor, exported.act.act) == (Actor(receipt.person, "", "admin"), "export")
    assert targeted.act.target == receipt.person
    assert (forgot.act.actor.id, forgot.act.act, forgot.act.target) == ("discord:boss", "forget", receipt.person)
    assert forgot.act.details["receipt"] == receipt.id
    assert forgot.act.details["notes"] == 1


def test_what_they_allowed_others_stays_under_a_pseudonym(connection: sqlite3.Connection) -> None:
    turn = said(connection, BEN, "c1", "may I?")
    claim = turns.claim(connection, number_in(connection, "c1"), window=0)
    assert claim is not None
    asked = approvals.ask(connection, turn, claim.attempt, Wanted(0, 0, "launch", "now"), 60)
    assert approvals.decide(connection, asked.id, "approved", person(ANN).id, admin=True)
    receipt = forgetting.forget(connection, person(ANN))
    assert column(connection, "SELECT decided_by FROM approvals") == [receipt.person]


def test_nobody_gets_around_a_days_limit_by_being_forgotten(connection: sqlite3.Connection) -> None:
    sender = Sender("discord", "guild", person(ANN).id)
    for spent in (40, 50):
        quotas.charge(connection, sender, spent)
        assert quotas.exceeded(connection, Quotas(tokens_per_day=100), sender) is None
        forgetting.forget(connection, person(ANN))
    assert rows_with(connection, mark(ANN)) == []
    quotas.charge(connection, sender, 10)
    assert quotas.exceeded(connection, Quotas(tokens_per_day=100), sender) is not None
    assert quotas.exceeded(connection, Quotas(tokens_per_day=100), Sender("discord", "guild", person(BEN).id)) is None


def test_the_same_event_again_is_known_and_another_one_is_not(connection: sqlite3.Connection) -> None:
    said(connection, ANN, "c1", "one", event="42")
    assert not pruning.is_event_forgotten(connection, "discord:42")
    forgetting.forget(connection, person(ANN))
    assert pruning.is_event_forgotten(connection, "discord:42")
    assert not pruning.is_event_forgotten(connection, "discord:43")


def test_events_that_are_not_repeated_any_more_are_not_kept(connection: sqlite3.Connection) -> None:
    said(connection, ANN, "c1", "old", event="41")
    connection.execute("UPDATE turns SET created_at = '2020-01-01T00:00:00.000Z'")
    said(connection, ANN, "c1", "new", event="42")
    forgetting.forget(connection, person(ANN))
    assert [pruning.is_event_forgotten(connection, f"discord:{event}") for event in (41, 42)] == [False, True]
    assert pruning.expire(connection, "2020-06-01T00:00:00.000Z") == 0
    assert pruning.expire(connection, "9999-01-01T00:00:00.000Z") == 1
    assert not pruning.is_event_forgotten(connection, "discord:42")


def test_who_comes_back_begins_anew(connection: sqlite3.Connection) -> None:
    answered(connection, ANN, "c1", "before")
    first = forgetting.forget(connection, person(ANN))
    answered(connection, ANN, "c1", "after")
    assert holdings.holdings(connection, person(ANN)).messages == 1
    second = forgetting.forget(connection, person(ANN))
    assert (first.person, first.id != second.id, second.erased.messages) == (second.person, True, 1)


def test_open_turns_are_silenced_first(connection: sqlite3.Connection) -> None:
    for who, channel in ((ANN, "c1"), (ANN, "c1"), (BEN, "c2"), (ANN, "c2"), (BEN, "c1")):
        said(connection, who, channel, f"{channel} {len(column(connection, 'SELECT id FROM turns'))}")
    for channel in ("c1", "c2"):
        turns.claim(connection, number_in(connection, channel), window=0)
    assert forgetting.silence(connection, person(ANN)) == [number_in(connection, "c1")]
    statuses = column(connection, "SELECT status || stop_requested FROM turns ORDER BY id")
    assert statuses == ["running1", "cancelled0", "running0", "cancelled0", "queued0"]
    assert forgetting.still_running(connection, person(ANN))
    assert forgetting.still_running(connection, person(BEN))
    receipt = forgetting.forget(connection, person(ANN))
    assert not forgetting.still_running(connection, person(ANN))
    assert receipt.waiting == (number_in(connection, "c1"), number_in(connection, "c2"))


def test_a_worker_that_was_answering_them_can_write_nothing_any_more(connection: sqlite3.Connection) -> None:
    turn = said(connection, ANN, "c1", "one")
    claim = turns.claim(connection, number_in(connection, "c1"), window=0)
    assert claim is not None
    forgetting.forget(connection, person(ANN))
    for write in (
        lambda: turns.record_step(connection, turn, claim.attempt, turns.Step(0, "model", {})),
        lambda: turns.record_delivery(connection, turn, claim.attempt, 0, "m"),
        lambda: turns.conclude(connection, turn, claim.attempt, turns.Ending("answered", mark(ANN))),
        lambda: turns.finish(connection, turn, claim.attempt),
    ):
        with pytest.raises(Fenced):
            write()
    assert rows_with(connection, mark(ANN)) == []


def test_a_clock_that_was_ahead_saves_nothing_from_being_erased(connection: sqlite3.Connection) -> None:
    answered(connection, ANN, "c1", "one")
    connection.execute("UPDATE turns SET created_at = '2999-01-01T00:00:00.000Z'")
    assert forgetting.forget(connection, person(ANN)).erased.messages == 1


def test_only_a_hash_tells_whom_the_list_is_about(connection: sqlite3.Connection) -> None:
    answered(connection, ANN, "c1", "one")
    forgetting.forget(connection, person(ANN))
    listed = pruning.read(connection)
    assert (len(listed.salts), len(listed.people), len(listed.events)) == (1, 1, 1)
    assert listed.until(str(person(ANN))) is not None
    assert listed.until(str(person(BEN))) is None


def test_a_list_of_elsewhere_erases_what_is_from_before_and_leaves_what_came_after(
    connection: sqlite3.Connection,
) -> None:
    with bare_connection() as elsewhere:
        answered(elsewhere, ANN, "c1", "one")
        forgetting.forget(elsewhere, person(ANN))
        listed = pruning.read(elsewhere)
    forgetting.forget(connection, person("cy"))  # so that there is another salt here
    for text, at in (("before", "2020-01-01T00:00:00.000Z"), ("after", "2999-01-01T00:00:00.000Z")):
        turn = answered(connection, ANN, "c1", text)
        connection.execute("UPDATE turns SET created_at = :at WHERE id = :turn", {"at": at, "turn": turn})
    answered(connection, BEN, "c1", "one")
    assert forgetting.apply(connection, listed) == Holdings(shared=1, messages=1, pictures=1)
    assert column(connection, "SELECT user_message FROM turns") == [f"{mark(ANN)}after", f"{mark(BEN)}one"]
    assert conversations.get(connection, number_in(connection, "c1")).owner == person(ANN).id
    assert pruning.read(connection).until(str(person("cy"))) is not None
    assert pruning.is_event_forgotten(connection, f"discord:{mark(ANN)}one")


def test_a_compaction_that_is_asked_for_again_meanwhile_is_not_done(connection: sqlite3.Connection) -> None:
    assert compaction_asked(connection) is None
    forgetting.forget(connection, person(ANN))
    first = compaction_asked(connection)
    assert first is not None
    forgetting.forget(connection, person(ANN))
    done(connection, first)
    second = compaction_asked(connection)
    assert second not in (None, first)
    done(connection, second or "")
    assert compaction_asked(connection) is None


# What people do, in any order: (who, where, how much, with a gadget?, also other belongings?)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "ben", "cy"]),
        st.sampled_from(["c1", "c2", "c3"]),
        st.sampled_from([1, 40, 700, 5_000, 20_000]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=ACTS, ends=st.sets(st.sampled_from(["c1", "c2", "c3"])))
def test_nothing_of_theirs_is_anywhere_in_the_file_and_everything_of_others_is_unchanged(
    acts: list[tuple[str, str, int, bool, bool]], ends: set[str]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "db"
        with connected(path) as connection:
            set_up_writer(connection)
            for count, (who, channel, size, gadget, more) in enumerate(acts):
                answered(connection, who, channel, f"{count} {'x' * size}", gadget=gadget)
                if more:
                    belongings(connection, who)
            for channel in ends & {channel for _, channel, *_ in acts}:
                conversations.end(connection, number_in(connection, channel))
            others = {who: own_rows(connection, who) for who in ("ben", "cy")}
            connection.execute("BEGIN IMMEDIATE")
            forgetting.forget(connection, person(ANN))
            connection.execute("COMMIT")
            compact(path, seconds=5)
            assert traces(path, mark(ANN)) == 0
            assert {who: own_rows(connection, who) for who in others} == others
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert traces(path, mark(ANN)) == 0


def own_rows(connection: sqlite3.Connection, who: str) -> list[tuple[Any, ...]]:
    """All that is somebody's; what a conversation keeps of several people is nobody's own."""
    return [row for row in rows_with(connection, mark(who), without=mark(ANN)) if row[0] != "conversations"]


def test_what_somebody_gets_of_themselves_has_nothing_of_others(connection: sqlite3.Connection) -> None:
    answered(connection, BEN, "c1", "one")
    answered(connection, ANN, "c1", "two", gadget=True)
    belongings(connection, ANN)
    number = number_in(connection, "c1")
    ((turn, told),) = holdings.told_messages(connection, person(ANN), number)
    assert mark(BEN).encode() not in told
    assert f"re {mark(ANN)}two".encode() in told
    assert b"raw" not in told
    assert holdings.told_messages(connection, person(ANN), number, after=turn) == []
    assert f"{mark(ANN)}note".encode() in holdings.told_notes(connection, person(ANN))
    assert notes.notes(connection, str(person(ANN)))
    assert images.of_turn(connection, 2, [{"image": 0}])
