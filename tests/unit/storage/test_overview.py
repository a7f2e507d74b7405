"""Lists that page, counts, what waits."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from storage import conversations, overview, turns
from storage.overview import SCANNED, Listed, ListedTurn, Page, Wanted
from tests.storage_builders import answer, answer_next, bare_connection, message, opening


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def begin(connection: sqlite3.Connection, count: int, *, platform: str = "discord", owner: str = "u1") -> list[int]:
    return [
        conversations.open_(connection, opening(f"{owner}-{count}-{n}", platform=platform, owner=owner)).number
        for n in range(count)
    ]


def ask(connection: sqlite3.Connection, count: int, text: str = "hello", outcome: str = "answered") -> int:
    """So many answered turns of one conversation; its number."""
    number = 0
    for _ in range(count):
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM turns").fetchone()
        number = turns.admit(connection, message(f"discord:{last}", text)).conversation
        answer_next(connection, number, answer(outcome=outcome))
    return number


def all_pages(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> list[list[int]]:
    pages, before = [], None
    while True:
        page = overview.conversations(connection, wanted, limit=limit, before=before)
        pages.append([each.number for each in page.items])
        if page.older is None:
            return pages
        before = page.older


def test_conversations_page_from_the_latest_to_the_first(connection: sqlite3.Connection) -> None:
    begin(connection, 5)
    assert all_pages(connection, Wanted(), 2) == [[5, 4], [3, 2], [1]]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(platform="slack"), [6, 5, 4]),
        (Wanted(platform="discord", owner="u1"), [3, 2, 1]),
        (Wanted(platform="discord", owner="u2"), []),
        (Wanted(status="completed"), [5, 2]),
        (Wanted(platform="slack", status="completed"), [5]),
        (Wanted(agent="moneypenny"), [6]),
        (Wanted(agent="moneypenny", platform="discord"), []),
        (Wanted("discord", "u1", "quartermaster", "active"), [3, 1]),
    ],
    ids=str,
)
def test_what_is_wanted_is_found_whole(connection: sqlite3.Connection, wanted: Wanted, expected: list[int]) -> None:
    begin(connection, 3)
    begin(connection, 3, platform="slack", owner="u2")
    for number in (2, 5):
        conversations.end(connection, number)
    conversations.hand_over(connection, 6, "moneypenny")
    assert [number for page in all_pages(connection, wanted, 2) for number in page] == expected


def test_where_few_are_wanted_a_page_ends_after_a_bounded_look_and_the_next_goes_on(
    connection: sqlite3.Connection,
) -> None:
    [rare] = begin(connection, 1)
    begin(connection, SCANNED + 5)
    conversations.end(connection, rare)
    conversations.hand_over(connection, rare, "moneypenny")
    connection.execute("UPDATE conversations SET agent = 'moneypenny'")
    pages = all_pages(connection, Wanted(agent="moneypenny", status="completed"), 10)
    assert pages == [[], [rare]]


def test_an_owner_without_a_platform_is_a_mistake(connection: sqlite3.Connection) -> None:
    with pytest.raises(AssertionError):
        overview.conversations(connection, Wanted(owner="u1"), limit=1)


def test_turns_page_by_conversation_and_by_kind(connection: sqlite3.Connection) -> None:
    ask(connection, 2)
    ask(connection, 1, outcome="failed")
    number = ask(connection, 1)
    turns.rate(connection, 4, -1)
    assert _ids(overview.turns(connection, limit=3)) == ([4, 3, 2], 2)
    assert _ids(overview.turns(connection, limit=3, before=2)) == ([1], None)
    assert _ids(overview.turns(connection, limit=9, conversation=number)) == ([4, 3, 2, 1], None)
    assert _ids(overview.turns(connection, limit=9, kind="failed")) == ([3], None)
    assert _ids(overview.turns(connection, limit=9, kind="disliked")) == ([4], None)
    assert _ids(overview.turns(connection, limit=9, kind="failed", conversation=number + 1)) == ([], None)


def test_a_listed_turn_tells_the_beginning_of_what_was_said(connection: sqlite3.Connection) -> None:
    ask(connection, 1, "a" * 1_000)
    [turn] = overview.turns(connection, limit=1).items
    assert turn.user_message == "a" * overview.EXCERPT
    assert (turn.platform, turn.status, turn.model, turn.tokens) == ("discord", "answered", "qwen", 18)
    assert turn.conversation == conversations.get(connection, 1).id


@pytest.mark.parametrize("text", ["100 %", "under_score", "back\\slash", "CaSe", "the answ"])
def test_search_finds_a_text_literally_in_questions_and_answers(connection: sqlite3.Connection, text: str) -> None:
    ask(connection, 1, "100 % case of under_score and back\\slash")
    assert _ids(overview.search(connection, text, limit=9)) == ([1], None)


@pytest.mark.parametrize("text", ["100_%", "underXscore", "%", "_"])
def test_what_stands_for_anything_elsewhere_is_itself_in_a_search(connection: sqlite3.Connection, text: str) -> None:
    ask(connection, 1, "plain words under score")
    assert _ids(overview.search(connection, text, limit=9)) == ([], None)


def _ids(page: Page[ListedTurn]) -> tuple[list[int], int | None]:
    return [each.id for each in page.items], page.older


def test_the_queue_is_its_length_and_its_oldest(connection: sqlite3.Connection) -> None:
    assert overview.queue(connection) == overview.Queue(0, None)
    ask(connection, 1)
    turns.admit(connection, message("discord:a"))
    turns.admit(connection, message("discord:b"))
    connection.execute("UPDATE turns SET created_at = 'early' WHERE id = 2")
    assert overview.queue(connection) == overview.Queue(2, "early")


def test_conversations_are_counted_as_they_come_end_and_go(connection: sqlite3.Connection) -> None:
    begin(connection, 2)
    begin(connection, 1, platform="slack")
    conversations.end(connection, 1)
    conversations.end(connection, 1)
    assert overview.conversation_counts(connection) == {
        ("discord", "active"): 1, ("discord", "completed"): 1, ("slack", "active"): 1,
    }  # fmt: skip
    connection.execute("DELETE FROM conversations WHERE platform = 'slack'")
    assert ("slack", "active") not in overview.conversation_counts(connection)


def test_a_day_tells_how_its_turns_ended_and_what_they_cost(connection: sqlite3.Connection) -> None:
    ask(connection, 2)
    ask(connection, 1, outcome="failed")
    turns.admit(connection, message("discord:open"))
    answered, failed = overview.days(connection, since="2026-01-01")
    assert (answered.platform, answered.outcome, answered.turns) == ("discord", "answered", 2)
    assert (answered.prompt_tokens, answered.completion_tokens) == (22, 14)
    assert replace(failed, day="") == overview.Day("", "discord", "failed", 1, 11, 7)
    assert overview.days(connection, since="9999-01-01") == []


def test_a_day_is_history_that_erasing_does_not_change(connection: sqlite3.Connection) -> None:
    ask(connection, 2)
    connection.execute("DELETE FROM turns")
    [day] = overview.days(connection, since="2026-01-01")
    assert day.turns == 2


def test_what_was_there_before_these_tables_is_counted() -> None:
    from storage.migrations import all_migrations  # noqa: PLC0415 - only for this test

    connection = sqlite3.connect(":memory:", isolation_level=None)
    before, after = [each for each in all_migrations() if each.number < 8], all_migrations()[7]
    for migration in before:
        connection.executescript(migration.sql)
    begin(connection, 2)
    connection.execute(
        """INSERT INTO turns (conversation, event_key, author, author_name, user_message, status, platform, created_at,
            finished_at) VALUES (1, 'e', 'a', 'A', 'hello', 'answered', 'discord', '2026-01-02T', '2026-01-02T')"""
    )
    connection.executescript(after.sql)
    assert overview.conversation_counts(connection) == {("discord", "active"): 2}
    assert overview.days(connection, since="2026-01-01") == [overview.Day("2026-01-02", "discord", "answered", 1, 0, 0)]
    connection.close()


def test_a_listed_conversation_is_all_but_what_was_said(connection: sqlite3.Connection) -> None:
    ask(connection, 1, "hello")
    [listed] = overview.conversations(connection, Wanted(), limit=1).items
    assert isinstance(listed, Listed)
    assert (listed.platform, listed.owner, listed.agent, listed.status) == ("discord", "u1", "quartermaster", "active")


LISTS: dict[str, tuple[Callable[[sqlite3.Connection], object], str]] = {
    "all": (lambda c: overview.conversations(c, Wanted(), limit=9), "SCAN conversations"),
    "all, older": (lambda c: overview.conversations(c, Wanted(), limit=9, before=7), "INTEGER PRIMARY KEY (rowid<?)"),
    "platform": (lambda c: overview.conversations(c, Wanted("discord"), limit=9), "conversation_platform (platform=?)"),
    "owner": (lambda c: overview.conversations(c, Wanted("discord", "u1"), limit=9), "conversation_owner (platform=? "),
    "agent": (lambda c: overview.conversations(c, Wanted(agent="x"), limit=9, before=7), "agent=? AND number<?"),
    "status": (lambda c: overview.conversations(c, Wanted(status="active"), limit=9), "conversation_status (status=?)"),
    "agent and status": (
        lambda c: overview.conversations(c, Wanted(agent="x", status="active"), limit=9),
        "conversation_agent (agent=?)",
    ),
    "turns": (lambda c: overview.turns(c, limit=9, before=7), "INTEGER PRIMARY KEY (rowid<?)"),
    "turns of one": (lambda c: overview.turns(c, limit=9, conversation=1), "turn_order (conversation=?)"),
    "failed": (lambda c: overview.turns(c, limit=9, kind="failed"), "turn_failed"),
    "failed of one": (
        lambda c: overview.turns(c, limit=9, kind="failed", conversation=1),
        "turn_order (conversation=?)",
    ),
    "disliked": (lambda c: overview.turns(c, limit=9, kind="disliked", before=7), "turn_disliked (id<?)"),
    "search": (lambda c: overview.search(c, "hello", limit=9, before=7), "INTEGER PRIMARY KEY (rowid<?)"),
    "queue": (overview.queue, "INDEX turn_open"),
    "days": (lambda c: overview.days(c, since="2026-11-22"), "PRIMARY KEY (day>?)"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_in_the_order_of_an_index_and_never_sorted(connection: sqlite3.Connection, name: str) -> None:
    ask(connection, 2)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    LISTS[name][0](connection)
    connection.set_trace_callback(None)
    steps = [step[3] for sql in statements for step in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any(LISTS[name][1] in step for step in steps), steps
    assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step]
