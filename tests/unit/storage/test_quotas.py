"""The limits on a bare connection: counted from the turns, by person and by workspace, whatever the clock does."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import questions, quotas, turns
from storage.errors import Fenced
from storage.quotas import MINUTE, Exceeded, Quotas, Sender
from tests.storage_builders import answer, answer_next, bare_connection, message

ALICE = Sender("discord", "guild", "u1")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = 24 * 3_600
YEAR = 365 * DAY
THREE = Quotas(messages_per_minute=3)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def at(seconds: float = 0) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def say(connection: sqlite3.Connection, event: str, when: float, sender: Sender = ALICE) -> int:
    """A turn that was admitted `when` seconds after noon."""
    new = message(event, channel=f"c{event}", platform=sender.platform)
    place = replace(new.opening, workspace=sender.workspace)
    turn = turns.admit(connection, replace(new, author=sender.user, opening=place)).turn
    connection.execute("UPDATE turns SET created_at = ? WHERE id = ?", (at(when), turn))
    return turn


def wait(connection: sqlite3.Connection, limits: Quotas, now: float = 0, sender: Sender = ALICE) -> int:
    """In how many seconds there is room; 0: now."""
    over = quotas.exceeded(connection, limits, sender, now=at(now))
    return over.seconds if over else 0


def test_a_person_may_send_so_many_messages_in_a_minute(connection: sqlite3.Connection) -> None:
    for number, when in enumerate((-50.0, -20.0)):
        say(connection, f"e{number}", when)
    assert wait(connection, THREE) == 0
    say(connection, "e2", -1)
    assert quotas.exceeded(connection, THREE, ALICE, now=at()) == Exceeded("user", "messages", 3, 10)
    assert [wait(connection, THREE, now) for now in (9.2, 10, 11, 39.9)] == [1, 0, 0, 0]
    say(connection, "e3", 10)
    assert wait(connection, THREE, 11) == 29


def test_what_is_refused_prolongs_nothing_and_what_is_zero_limits_nothing(connection: sqlite3.Connection) -> None:
    for number in range(50):
        say(connection, f"e{number}", -30)
    assert [wait(connection, THREE) for _ in range(5)] == [30] * 5
    assert wait(connection, Quotas()) == 0


def test_others_are_counted_for_themselves(connection: sqlite3.Connection) -> None:
    for number in range(3):
        say(connection, f"e{number}", -1)
    assert wait(connection, THREE) == 59
    for other in (replace(ALICE, user="u2"), replace(ALICE, platform="slack")):
        assert wait(connection, THREE, sender=other) == 0
    assert wait(connection, THREE, sender=replace(ALICE, workspace="elsewhere")) == 59, "a person is one everywhere"


def test_the_people_of_a_workspace_are_counted_together(connection: sqlite3.Connection) -> None:
    limits = Quotas(workspace_messages_per_minute=3)
    for number in range(3):
        say(connection, f"e{number}", number - 2, Sender("discord", "guild", f"u{number}"))
    newcomer = Sender("discord", "guild", "u9")
    assert quotas.exceeded(connection, limits, newcomer, now=at()) == Exceeded("workspace", "messages", 3, 58)
    for other in (replace(newcomer, workspace=""), replace(newcomer, platform="slack")):
        assert wait(connection, limits, sender=other) == 0


def test_of_several_limits_the_one_that_lasts_longest_is_told(connection: sqlite3.Connection) -> None:
    say(connection, "e1", -40)
    say(connection, "e2", -10, replace(ALICE, user="u2"))
    both = Quotas(messages_per_minute=1, workspace_messages_per_minute=1)
    assert quotas.exceeded(connection, both, ALICE, now=at()) == Exceeded("workspace", "messages", 1, 50)


def test_asking_again_counts_as_asking(connection: sqlite3.Connection) -> None:
    turn = say(connection, "e1", -10)
    (number,) = connection.execute("SELECT conversation FROM turns").fetchone()
    answer_next(connection, number, answer())
    again = questions.repeat(connection, turn, "again")
    assert again is not None
    connection.execute("UPDATE turns SET created_at = ? WHERE id = ?", (at(-5), again.turn))
    assert wait(connection, Quotas(messages_per_minute=2)) == 50


class TestClocks:
    """The limit is three a minute; a jump of the clock neither locks anybody out nor lifts the limit."""

    @pytest.mark.parametrize("jump", [MINUTE, 3_600, YEAR, -2 * MINUTE, -3_600, -YEAR])
    def test_a_jump_forgives_what_was_before_it_and_nothing_after_it(
        self, connection: sqlite3.Connection, jump: int
    ) -> None:
        for number in range(3):
            say(connection, f"before{number}", 0)
        assert wait(connection, THREE, jump) == 0
        for number in range(3):
            assert wait(connection, THREE, jump + 1) == 0
            say(connection, f"after{number}", jump)
        assert wait(connection, THREE, jump + 1) == 59

    @pytest.mark.parametrize("back", [1, 30, 59])
    def test_a_clock_that_is_set_back_a_little_makes_people_wait_for_so_much_longer(
        self, connection: sqlite3.Connection, back: int
    ) -> None:
        for number in range(3):
            say(connection, f"e{number}", 0)
        assert wait(connection, THREE, -back) == MINUTE + back
        assert wait(connection, THREE, MINUTE) == 0


@given(
    jumps=st.lists(st.tuples(st.sampled_from([0, 0, 0, 5, 61, 3_600, YEAR, -5, -61, -3_600, -YEAR]), st.booleans())),
    gaps=st.lists(st.floats(0, 40), min_size=1, max_size=40),
    limit=st.integers(1, 5),
)
def test_never_more_in_a_minute_and_who_comes_back_as_told_is_taken_in(
    jumps: list[tuple[int, bool]], gaps: list[float], limit: int
) -> None:
    """`jumps` tell of each message by how much the clock jumps before it, and whether its author waits as told."""
    limits = Quotas(messages_per_minute=limit)
    with bare_connection() as connection:
        clock = 0.0
        taken: list[float] = []  # when, since the last jump
        for number, gap in enumerate(gaps):
            jump, patient = jumps[number] if number < len(jumps) else (0, False)
            clock += gap + jump
            taken = [] if jump else taken
            seconds = wait(connection, limits, clock)
            assert 0 <= seconds <= 2 * MINUTE
            if seconds and patient:
                clock += seconds
                assert wait(connection, limits, clock) == 0
            if not seconds or patient:
                say(connection, f"e{number}", clock)
                taken.append(clock)
                assert len([when for when in taken if clock - when < MINUTE - 0.01]) <= limit


class TestTokens:
    def test_what_an_answer_cost_is_counted_as_its_turn_is_closed(self, connection: sqlite3.Connection) -> None:
        number = turns.admit(connection, message("e1")).conversation
        assert spent(connection) == {}
        answer_next(connection, number, answer())  # of 11 and 7 tokens
        assert spent(connection) == {("discord", "user", "u1"): 18, ("discord", "workspace", "guild"): 18}
        turns.admit(connection, message("e2"))
        answer_next(connection, number, answer(outcome="failed"))
        assert spent(connection)["discord", "user", "u1"] == 36

    def test_a_turn_is_charged_once(self, connection: sqlite3.Connection) -> None:
        number = turns.admit(connection, message("e1")).conversation
        claim = turns.claim(connection, number, window=0)
        assert claim is not None
        turns.conclude(connection, claim.turn, claim.attempt, answer())
        late = turns.claim(connection, number, window=0)  # after a crash
        assert late is not None
        turns.finish(connection, late.turn, late.attempt)
        with pytest.raises(Fenced):
            turns.finish(connection, late.turn, late.attempt)
        assert spent(connection)["discord", "user", "u1"] == 18

    @pytest.mark.parametrize("whose", ["user", "workspace"])
    def test_who_has_spent_the_days_tokens_waits_for_midnight(
        self, connection: sqlite3.Connection, whose: quotas.Whose
    ) -> None:
        limits = Quotas(tokens_per_day=100) if whose == "user" else Quotas(workspace_tokens_per_day=100)
        quotas.charge(connection, ALICE, 99)
        assert not quotas.exceeded(connection, limits, ALICE)
        quotas.charge(connection, ALICE, 1)
        connection.execute("UPDATE spending SET day = ?", (at()[:10],))
        assert quotas.exceeded(connection, limits, ALICE, now=at()) == Exceeded(whose, "tokens", 100, DAY // 2)
        assert wait(connection, limits, DAY // 2 - 0.5) == 1
        assert wait(connection, limits, DAY // 2) == 0

    @pytest.mark.parametrize("jump", [DAY, YEAR, -DAY, -YEAR])
    def test_another_day_is_another_budget_whichever_way_the_clock_went(
        self, connection: sqlite3.Connection, jump: int
    ) -> None:
        limits = Quotas(tokens_per_day=100)
        quotas.charge(connection, ALICE, 1_000)
        connection.execute("UPDATE spending SET day = ?", (at(jump)[:10],))
        assert (wait(connection, limits, jump) > 0, wait(connection, limits)) == (True, 0)
        quotas.charge(connection, ALICE, 7)
        assert set(spent(connection).values()) == {7}, "the row is the latest day's"

    def test_one_person_has_one_row_however_long_they_talk(self, connection: sqlite3.Connection) -> None:
        for _ in range(100):
            quotas.charge(connection, ALICE, 1)
        assert spent(connection) == {("discord", "user", "u1"): 100, ("discord", "workspace", "guild"): 100}


def spent(connection: sqlite3.Connection) -> dict[tuple[str, str, str], int]:
    rows = connection.execute("SELECT platform, whose, id, tokens FROM spending").fetchall()
    return {(platform, whose, name): tokens for platform, whose, name, tokens in rows}
