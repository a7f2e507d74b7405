"""Removing missions that are older than they are to be kept, a few at a time, so that nobody waits for it.

A mission is as old as its last message. It goes as a whole, its messages oldest first, and only when it has ended
(unless a policy says otherwise) and nobody waits for an answer in it.

What is old is a question of the clock, and a clock that is wrong by a year must not empty the database. So nothing is
removed at once when the clock is more than a week ahead of when it was last looked at, or, if it never was, of the
newest message: the next time is a day later, and by then somebody may have put the clock right. A clock that is behind
does no harm: by it everything is younger.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from storage import keepsakes
from storage.clock import stored_time, utc_now
from storage.database import Connection, Database

PAGE = 500
"""Missions that are looked at in one read."""
BATCH = 200
"""Messages that are removed in one write."""
AHEAD_DAYS = 7
_LOOKED = "retention looked at the clock"
_OPEN = "EXISTS (SELECT 1 FROM turns WHERE conversation = number AND turns.status IN ('queued', 'running'))"
Clock = Literal["steady", "ahead"]


@dataclass(frozen=True, slots=True)
class Policy:
    """For how many days missions are kept, by platform or else `days`; 0: for ever. `unended`: also those that nobody
    ended.
    """

    days: int = 0
    platforms: Mapping[str, int] = field(default_factory=dict)
    unended: bool = False

    def __bool__(self) -> bool:
        return self.days > 0 or any(self.platforms.values())

    def days_on(self, platform: str) -> int:
        return self.platforms.get(platform, self.days)

    def cutoff(self, platform: str, now: str) -> str | None:
        """The stored time before which missions of a platform are too old."""
        days = self.days_on(platform)
        if not days:
            return None
        try:
            return stored_time((datetime.fromisoformat(now) - timedelta(days=days)).isoformat())
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Expired:
    """A mission that is too old."""

    number: int
    platform: str
    messages: int


@dataclass(frozen=True, slots=True)
class Removed:
    """Of one platform."""

    missions: int = 0
    messages: int = 0


async def remove(database: Database, policy: Policy, *, dry_run: bool = False) -> dict[str, Removed]:
    """Remove what is too old by now; or, with `dry_run`, only count it. By platform. Raises StorageError.

    It can be broken off at any time, and is gone on with the next time.
    """
    now = utc_now()
    removed: dict[str, Removed] = {}
    after: int | None = 0
    while after is not None:  # ends: each page begins behind the one before
        expired, after = await database.read(find, policy, now, after=after)
        for each in expired:
            gone = dry_run or await _removed(database, policy, now, each)
            before = removed.get(each.platform, Removed())
            if gone:
                removed[each.platform] = Removed(before.missions + 1, before.messages + each.messages)
    return removed


async def _removed(database: Database, policy: Policy, now: str, expired: Expired) -> bool:
    """Remove one mission, unless it is not too old any more."""
    for _ in range(expired.messages // BATCH + 2):
        state = await database.write(remove_some, policy, now, expired.number)
        if state != "more":
            return state == "gone"
    return False


def find(connection: Connection, policy: Policy, now: str, *, after: int) -> tuple[list[Expired], int | None]:
    """A unit of work: those among the next missions that are too old, and behind which the next page begins."""
    rows = connection.execute(
        f"""SELECT number, platform, status, last_updated, {_OPEN} FROM conversations
            WHERE number > :after ORDER BY number LIMIT :limit""",
        {"after": after, "limit": PAGE},
    ).fetchall()
    expired = [
        Expired(number, platform, _messages(connection, number))
        for number, platform, *state in rows
        if _is_expired(policy, now, platform, *state)
    ]
    return expired, rows[-1][0] if len(rows) == PAGE else None


def remove_some(connection: Connection, policy: Policy, now: str, number: int) -> Literal["more", "gone", "kept"]:
    """A unit of work: remove a batch of a mission's messages, with the last ones the mission itself."""
    row = connection.execute(
        f"SELECT platform, status, last_updated, {_OPEN} FROM conversations WHERE number = :number",
        {"number": number},
    ).fetchone()
    if row is None or not _is_expired(policy, now, *row):
        return "kept"
    removed = connection.execute(
        """DELETE FROM turns WHERE id IN (
            SELECT id FROM turns WHERE conversation = :number ORDER BY id LIMIT :limit)""",
        {"number": number, "limit": BATCH},
    ).rowcount
    if removed == BATCH:
        return "more"
    connection.execute("DELETE FROM conversations WHERE number = :number", {"number": number})
    return "gone"


def look_at_clock(connection: Connection, now: str) -> Clock:
    """A unit of work: whether what is old can be told by the clock; that it was looked at is remembered."""
    last = keepsakes.find(connection, _LOOKED) or _newest_message(connection)
    keepsakes.replace(connection, _LOOKED, now)
    return "ahead" if last and _days_between(last, now) > AHEAD_DAYS else "steady"


def _newest_message(connection: Connection) -> str | None:
    row = connection.execute("SELECT created_at FROM turns ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else None


def _days_between(one: str, other: str) -> float:
    return (datetime.fromisoformat(other) - datetime.fromisoformat(one)).total_seconds() / 86_400


def _is_expired(policy: Policy, now: str, platform: str, status: str, last_updated: str, is_open: int) -> bool:
    cutoff = policy.cutoff(platform, now)
    over = status == "completed" or policy.unended
    return cutoff is not None and over and not is_open and last_updated < cutoff


def _messages(connection: Connection, number: int) -> int:
    (count,) = connection.execute(
        "SELECT count(*) FROM turns WHERE conversation = :number", {"number": number}
    ).fetchone()
    return int(count)
