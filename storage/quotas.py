"""Units of work on what one person, and one workspace, may use: messages in a minute, tokens in a day.

Messages are counted in the turns, in the order of their ids: where the n-th newest one was sent less than a minute ago,
n have come in a minute. So a restart forgets nothing, and a refused message, which is no turn, prolongs nothing. Tokens
are added up as turns are closed, for the current day in UTC; the turn that goes over the limit is still answered.

A clock that jumps can do little: a message whose time differs from now by a minute or more does not count, in either
direction, so that a jump forgives at most the messages before it, and one back by less than a minute makes people wait
for so much longer; a day that is not today has nothing to do with today.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

from storage import pruning
from storage.clock import utc_now
from storage.database import Connection

MINUTE = 60
"""Seconds in which messages are counted."""

Whose = Literal["user", "workspace"]


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much each may use; 0 = as much as they like."""

    messages_per_minute: int = 0
    workspace_messages_per_minute: int = 0
    tokens_per_day: int = 0
    workspace_tokens_per_day: int = 0

    @property
    def of_tokens(self) -> "Quotas":
        """Without those on messages."""
        return replace(self, messages_per_minute=0, workspace_messages_per_minute=0)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, and where from. A platform's places outside workspaces are one workspace, with an empty name."""

    platform: str
    workspace: str
    user: str

    def id(self, whose: Whose) -> str:
        return self.user if whose == "user" else self.workspace


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Whose limit is reached, of what, and in how many seconds there is room again (1 or more)."""

    whose: Whose
    what: Literal["messages", "tokens"]
    limit: int
    seconds: int


def exceeded(connection: Connection, quotas: Quotas, sender: Sender, *, now: str | None = None) -> Exceeded | None:
    """The limit that `sender` has reached, of several the one that lasts longest. `now` is a stored time."""
    found = list(_reached(connection, quotas, sender, datetime.fromisoformat(now or utc_now())))
    return max(found, key=lambda each: each.seconds, default=None)


def charge(connection: Connection, sender: Sender, tokens: int) -> None:
    """Add to what a person and their workspace have spent today."""
    today = utc_now()[:10]
    for whose in _WHOSE:
        connection.execute(
            """INSERT INTO spending (platform, whose, id, day, tokens) VALUES (:platform, :whose, :id, :day, :tokens)
                ON CONFLICT (platform, whose, id) DO UPDATE SET day = excluded.day, tokens = excluded.tokens
                    + CASE spending.day WHEN excluded.day THEN spending.tokens ELSE 0 END""",
            {"platform": sender.platform, "whose": whose, "id": sender.id(whose), "day": today, "tokens": tokens},
        )


_WHOSE: tuple[Whose, ...] = ("user", "workspace")


def _reached(connection: Connection, quotas: Quotas, sender: Sender, now: datetime) -> Iterator[Exceeded]:
    messages = {"user": quotas.messages_per_minute, "workspace": quotas.workspace_messages_per_minute}
    tokens = {"user": quotas.tokens_per_day, "workspace": quotas.workspace_tokens_per_day}
    for whose in _WHOSE:
        if messages[whose] and (seconds := _seconds_too_soon(connection, sender, whose, messages[whose], now)):
            yield Exceeded(whose, "messages", messages[whose], seconds)
        if tokens[whose] and _spent(connection, sender, whose, now) >= tokens[whose]:
            yield Exceeded(whose, "tokens", tokens[whose], _until_midnight(now))


_NEWEST: dict[Whose, str] = {
    "user": "platform = :platform AND author = :id",
    "workspace": "platform = :platform AND workspace = :id",
}


def _seconds_too_soon(connection: Connection, sender: Sender, whose: Whose, limit: int, now: datetime) -> int:
    """In how many seconds the `limit`-th newest message will be a minute old; 0 when it is, or there are fewer."""
    row = connection.execute(
        f"SELECT created_at FROM turns WHERE {_NEWEST[whose]} ORDER BY id DESC LIMIT 1 OFFSET :newer",
        {"platform": sender.platform, "id": sender.id(whose), "newer": limit - 1},
    ).fetchone()
    if row is None:
        return 0
    age = (now - datetime.fromisoformat(row[0])).total_seconds()
    return ceil(MINUTE - age) if -MINUTE < age < MINUTE else 0


def _spent(connection: Connection, sender: Sender, whose: Whose, now: datetime) -> int:
    """Also by somebody who was forgotten since and has a pseudonym there (`storage.forgetting`)."""
    ids = [sender.id(whose)]
    if whose == "user":
        ids += pruning.pseudonyms(connection, f"{sender.platform}:{sender.user}")
    return sum(_spent_by(connection, sender.platform, whose, each, f"{now:%Y-%m-%d}") for each in ids)


def _spent_by(connection: Connection, platform: str, whose: Whose, id_: str, day: str) -> int:
    row = connection.execute(
        "SELECT tokens FROM spending WHERE platform = :platform AND whose = :whose AND id = :id AND day = :day",
        {"platform": platform, "whose": whose, "id": id_, "day": day},
    ).fetchone()
    return int(row[0]) if row else 0


def _until_midnight(now: datetime) -> int:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return ceil((midnight - now).total_seconds())
