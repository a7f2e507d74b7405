"""Units of work for operators: lists that page, counts, what waits. None takes longer because there is more.

A page is asked for by the cursor of the one before it. It reads at most SCANNED rows behind that cursor: where few of
them are what was asked for, a page is short, or empty, and its cursor goes on; `None` tells that there is nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from storage.database import Connection

T = TypeVar("T")

SCANNED = 1_000
"""Rows that one page of a list looks at."""
SEARCHED = 5_000
"""Turns that one page of a search looks at, the newest first: some 10 to 20 ms. (A full-text index would answer at
once, but costs every answer 30 µs, and before SQLite 3.42 it keeps the words of what was erased.)
"""
EXCERPT = 200
"""Characters of a message in a list."""
OPEN = "status IN ('queued', 'running')"

Kind = Literal["failed", "disliked"]
_KINDS: dict[Kind, str] = {"failed": "status = 'failed'", "disliked": "rating < 0"}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`older` is the cursor of the next page."""

    items: tuple[T, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations; None = any. An owner's id is one of a platform's, and needs it."""

    platform: str | None = None
    owner: str | None = None
    agent: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list."""

    number: int
    id: str
    platform: str
    owner: str
    owner_name: str
    agent: str
    title: str
    status: str
    started_at: str
    last_updated: str


@dataclass(frozen=True, slots=True)
class ListedTurn:
    """A turn in a list; the texts are the beginnings of what was said."""

    id: int
    conversation: str
    platform: str
    author: str
    author_name: str
    status: str
    model: str
    tokens: int
    rating: int | None
    error: str | None
    created_at: str
    finished_at: str | None
    user_message: str
    agent_response: str


@dataclass(frozen=True, slots=True)
class Queue:
    """How many turns are open, and when the oldest of them was admitted."""

    open: int
    oldest: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """Turns of one day (UTC) that ended so, and their tokens."""

    day: str
    platform: str
    outcome: str
    turns: int
    prompt_tokens: int
    completion_tokens: int


def queue(connection: Connection) -> Queue:
    count, first = connection.execute(f"SELECT count(*), min(id) FROM turns WHERE {OPEN}").fetchone()
    if first is None:
        return Queue(0, None)
    (oldest,) = connection.execute("SELECT created_at FROM turns WHERE id = :first", {"first": first}).fetchone()
    return Queue(count, oldest)


def conversations(connection: Connection, wanted: Wanted, *, limit: int, before: int | None = None) -> Page[Listed]:
    """The ones begun last first. The column that says most leads: an index has its conversations in order."""
    named = [("owner", wanted.owner), ("agent", wanted.agent), ("status", wanted.status), ("platform", wanted.platform)]
    given = {name: value for name, value in named if value is not None}
    assert "owner" not in given or "platform" in given, "an owner's id needs its platform"
    leading = ["owner", "platform"] if "owner" in given else list(given)[:1]
    rows, older = _page(
        connection,
        source="conversations",
        key="number",
        columns="number, id, platform, owner, owner_name, agent, title, status, started_at, last_updated",
        leading=" AND ".join(f"{name} = :{name}" for name in leading),
        rest=" AND ".join(f"+{name} = :{name}" for name in given if name not in leading),
        values=given | {"limit": limit, "before": before, "scanned": SCANNED},
    )
    return Page(tuple(Listed(*row) for row in rows), older)


def turns(
    connection: Connection,
    *,
    limit: int,
    before: int | None = None,
    conversation: int | None = None,
    kind: Kind | None = None,
) -> Page[ListedTurn]:
    """The latest first: of one conversation (its number), of all, or those of a kind."""
    leading = "conversation = :conversation" if conversation is not None else _KINDS[kind] if kind else ""
    rest = f"+{_KINDS[kind]}" if kind and conversation is not None else ""
    values = {"conversation": conversation, "limit": limit, "before": before, "scanned": SCANNED}
    return _turns(connection, leading, rest, values)


def search(connection: Connection, text: str, *, limit: int, before: int | None = None) -> Page[ListedTurn]:
    """Turns in which this was said, by whomever; letters of ASCII are found in either case."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rest = "(user_message LIKE :pattern ESCAPE '\\' OR agent_response LIKE :pattern ESCAPE '\\')"
    values = {"pattern": f"%{escaped}%", "limit": limit, "before": before, "scanned": SEARCHED}
    return _turns(connection, "", rest, values)


def conversation_counts(connection: Connection) -> dict[tuple[str, str], int]:
    """(platform, status) → how many there are."""
    rows = connection.execute("SELECT platform, status, conversations FROM conversation_tally").fetchall()
    return {(platform, status): count for platform, status, count in rows if count}


def days(connection: Connection, *, since: str, limit: int = 10_000) -> list[Day]:
    """What was done from the day `since` (2026-11-22) on, the latest day first."""
    rows = connection.execute(
        """SELECT day, platform, outcome, turns, prompt_tokens, completion_tokens FROM turn_tally
            WHERE day >= :since ORDER BY day DESC, platform, outcome LIMIT :limit""",
        {"since": since, "limit": limit},
    ).fetchall()
    return [Day(*row) for row in rows]


_TURN_COLUMNS = f"""id, (SELECT conversations.id FROM conversations WHERE number = conversation),
    coalesce(platform, ''), author, author_name, status, coalesce(model, ''), prompt_tokens + completion_tokens, rating,
    error, created_at, finished_at,
    substr(user_message, 1, {EXCERPT}), substr(coalesce(agent_response, ''), 1, {EXCERPT})"""


def _turns(connection: Connection, leading: str, rest: str, values: dict[str, Any]) -> Page[ListedTurn]:
    rows, older = _page(
        connection,
        source="turns", key="id", columns=_TURN_COLUMNS, leading=leading, rest=rest, values=values,
    )  # fmt: skip
    return Page(tuple(ListedTurn(*row) for row in rows), older)


def _page(
    connection: Connection, *, source: str, key: str, columns: str, leading: str, rest: str, values: dict[str, Any]
) -> tuple[Sequence[Sequence[Any]], int | None]:
    """The rows of one page, and its cursor. `leading` is what an index finds, in the order of `key`; for the `rest`,
    rows are looked at down to a floor. (`+column` keeps SQLite from choosing that column's index instead.)
    """
    conditions = [part for part in (leading, f"{key} < :before" if values["before"] is not None else "") if part]
    floor = None
    if rest:
        window = f"FROM {source} WHERE {' AND '.join(conditions) or '1 = 1'} ORDER BY {key} DESC LIMIT :scanned"
        seen, last = connection.execute(f"SELECT count(*), min({key}) FROM (SELECT {key} {window})", values).fetchone()
        floor = last if seen == values["scanned"] else None
        conditions += [f"{key} >= :floor", rest] if floor is not None else [rest]
    where = " AND ".join(conditions) or "1 = 1"
    rows = connection.execute(
        f"SELECT {columns} FROM {source} WHERE {where} ORDER BY {key} DESC LIMIT :limit", values | {"floor": floor}
    ).fetchall()
    return rows, rows[-1][0] if len(rows) == values["limit"] else floor
