"""What is too old goes, and nothing else, a few messages at a time."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import conversations, retention, turns
from storage.clock import stored_time
from storage.database import Connection
from storage.retention import BATCH, PAGE, Policy, Removed
from storage.sqlite import SQLiteDatabase
from tests.storage_builders import answer, answer_next, bare_connection, count, message

WEEK = Policy(days=7)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "db")) as opened:
        yield opened


def ago(days: float) -> str:
    return stored_time((datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds"))


def mission(
    connection: Connection,
    name: str,
    days: float,
    *,
    messages: int = 1,
    platform: str = "discord",
    ended: bool = True,
    waiting: bool = False,
) -> int:
    """A mission whose last message is so old."""
    for each in range(messages):
        number = turns.admit(
            connection, message(f"{platform}:{name}{each}", channel=name, platform=platform)
        ).conversation
        answer_next(connection, number, answer())
    if waiting:
        turns.admit(connection, message(f"{platform}:{name} waits", channel=name, platform=platform))
    if ended:
        conversations.end(connection, number)
    connection.execute(
        "UPDATE conversations SET last_updated = :at WHERE number = :number", {"at": ago(days), "number": number}
    )
    return number


def left(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT channel FROM conversations ORDER BY number").fetchall()]


async def test_missions_go_when_they_have_ended_and_are_too_old(database: SQLiteDatabase) -> None:
    for name, days, more in (
        ("old", 8.0, {}),
        ("young", 6.9, {}),
        ("old but active", 8, {"ended": False}),
        ("old but somebody waits", 8, {"waiting": True}),
    ):
        options: dict[str, Any] = more
        await database.write(mission, name, days, **options)
    assert await retention.remove(database, WEEK) == {"discord": Removed(1, 1)}
    assert await database.read(left) == ["young", "old but active", "old but somebody waits"]


async def test_a_policy_may_have_those_removed_that_nobody_ended(database: SQLiteDatabase) -> None:
    await database.write(mission, "active", 8, ended=False)
    await database.write(mission, "active and waiting", 8, ended=False, waiting=True)
    await database.write(mission, "active and young", 1, ended=False)
    assert await retention.remove(database, Policy(7, unended=True)) == {"discord": Removed(1, 1)}
    assert await database.read(left) == ["active and waiting", "active and young"]


async def test_each_platform_may_have_days_of_its_own(database: SQLiteDatabase) -> None:
    for platform in ("discord", "slack", "web"):
        await database.write(mission, platform, 20, platform=platform)
    policy = Policy(days=30, platforms={"discord": 10, "slack": 0})
    assert await retention.remove(database, policy) == {"discord": Removed(1, 1)}
    assert await retention.remove(database, Policy(platforms={"web": 10})) == {"web": Removed(1, 1)}
    assert await database.read(left) == ["slack"]


async def test_a_dry_run_counts_and_removes_nothing(database: SQLiteDatabase) -> None:
    await database.write(mission, "old", 8, messages=3)
    await database.write(mission, "older", 9, platform="slack")
    expected = {"discord": Removed(1, 3), "slack": Removed(1, 1)}
    assert await retention.remove(database, WEEK, dry_run=True) == expected
    assert await database.read(left) == ["old", "older"]
    assert await retention.remove(database, WEEK) == expected


def long_mission(connection: Connection) -> int:
    return mission(connection, "long", 8, messages=2 * BATCH + 1)


async def test_nothing_is_left_of_a_long_mission(database: SQLiteDatabase) -> None:
    await database.write(long_mission)
    assert await retention.remove(database, WEEK) == {"discord": Removed(1, 2 * BATCH + 1)}
    assert [await database.read(count, table) for table in ("conversations", "turns", "deliveries")] == [0, 0, 0]


def test_a_batch_is_bounded_and_a_removal_that_was_broken_off_goes_on(connection: sqlite3.Connection) -> None:
    number = long_mission(connection)
    now = ago(0)
    states: list[str] = []
    while not states or states[-1] == "more":
        before = count(connection, "turns")
        states.append(retention.remove_some(connection, WEEK, now, number))
        assert before - count(connection, "turns") <= BATCH
    assert states == ["more", "more", "gone"]
    assert retention.remove_some(connection, WEEK, now, number) == "kept"


def test_a_mission_that_is_gone_on_with_meanwhile_is_kept(connection: sqlite3.Connection) -> None:
    number = mission(connection, "old", 8, ended=False)
    policy = Policy(7, unended=True)
    found, _ = retention.find(connection, policy, ago(0), after=0)
    assert [each.number for each in found] == [number]
    turns.admit(connection, message("discord:again", channel="old"))
    assert retention.remove_some(connection, policy, ago(0), number) == "kept"
    assert count(connection, "turns") == 2


def many(connection: Connection) -> None:
    for n in range(PAGE + 3):
        mission(connection, f"old {n}", 8)
    mission(connection, "young", 1)


async def test_more_missions_than_a_page_holds_are_all_found(database: SQLiteDatabase) -> None:
    await database.write(many)
    assert await retention.remove(database, WEEK) == {"discord": Removed(PAGE + 3, PAGE + 3)}
    assert await database.read(left) == ["young"]


def test_a_policy_of_no_days_keeps_everything() -> None:
    assert [bool(policy) for policy in (Policy(), Policy(1), Policy(platforms={"web": 1}), Policy(0, {"web": 0}))] == [
        False,
        True,
        True,
        False,
    ]
    assert Policy(days=10_000_000).cutoff("web", ago(0)) is None


# The clock.


def test_a_clock_that_jumps_ahead_is_not_believed_at_once(connection: sqlite3.Connection) -> None:
    for at, expected in (
        ("2026-11-01", "steady"),
        ("2026-11-07", "steady"),
        ("2027-11-07", "ahead"),
        ("2027-11-08", "steady"),
        ("2026-11-08", "steady"),
        ("2026-11-09", "steady"),
        ("2026-11-17", "ahead"),
    ):
        assert retention.look_at_clock(connection, f"{at}T09:00:00.000Z") == expected


def test_the_first_look_compares_with_the_newest_message(connection: sqlite3.Connection) -> None:
    mission(connection, "one", 0)
    future = stored_time((datetime.now(UTC) + timedelta(days=365)).isoformat())
    assert retention.look_at_clock(connection, future) == "ahead"
