"""Units of work on conversations."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from storage.clock import utc_now
from storage.database import Connection

ID_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/i/l: people type these
ID_LENGTH = 10
MIN_PREFIX = 4
TITLE_LIMIT = 80
_COLUMNS = """number, id, platform, workspace, channel, thread, owner, owner_name, agent, title, status, started_at,
    last_updated, state"""
_STATE = 13
"""Where `state` stands in a row."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row. `number` is internal and orders conversations; `id` is what people and exports see.

    `state` is what families of gadgets keep about it: family → object (see `keep`). `summary` tells what was said in
    the turns up to the one with the id `summarised_to`; only `get` reads these two.
    """

    number: int
    id: str
    platform: str
    workspace: str
    channel: str
    thread: str
    owner: str
    owner_name: str
    agent: str
    title: str
    status: str
    started_at: str
    last_updated: str
    state: dict[str, Any] = field(default_factory=dict, hash=False, repr=False)
    summary: str = field(default="", repr=False)
    summarised_to: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What a family of gadgets keeps about a conversation from now on; JSON."""

    family: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewConversation:
    platform: str
    workspace: str
    channel: str
    thread: str
    owner: str
    owner_name: str
    agent: str
    title: str


@dataclass(frozen=True, slots=True)
class Place:
    """Which conversations a listing covers; None = any."""

    platform: str | None = None
    workspace: str | None = None
    channel: str | None = None
    owner: str | None = None


def given(place: Place) -> dict[str, str]:
    """The columns that a place says something about, and what they must be."""
    named = {
        "platform": place.platform,
        "workspace": place.workspace,
        "channel": place.channel,
        "owner": place.owner,
    }
    return {name: value for name, value in named.items() if value is not None}


def new_id() -> str:
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


def open_(connection: Connection, new: NewConversation) -> Conversation:
    """Open a conversation; the caller has made sure that its place has no active one."""
    row = connection.execute(
        f"""INSERT INTO conversations (id, platform, workspace, channel, thread, owner, owner_name, agent, title,
                status, started_at, last_updated)
            VALUES (:id, :platform, :workspace, :channel, :thread, :owner, :owner_name, :agent, :title, 'active',
                :now, :now)
            RETURNING {_COLUMNS}""",
        {
            "id": new_id(),
            "platform": new.platform,
            "workspace": new.workspace,
            "channel": new.channel,
            "thread": new.thread,
            "owner": new.owner,
            "owner_name": new.owner_name,
            "agent": new.agent,
            "title": new.title[:TITLE_LIMIT],
            "now": utc_now(),
        },
    ).fetchone()
    return _conversation(row)


def start(connection: Connection, new: NewConversation) -> Conversation:
    """Open a fresh conversation; the one that was active in its place is completed."""
    active = find_active(connection, new.platform, new.workspace, new.channel, new.thread)
    if active is not None:
        end(connection, active.number)
    return open_(connection, new)


def find_active(
    connection: Connection, platform: str, workspace: str, channel: str, thread: str
) -> Conversation | None:
    row = connection.execute(
        f"""SELECT {_COLUMNS} FROM conversations
            WHERE platform = :platform AND workspace = :workspace AND channel = :channel AND thread = :thread
                AND status = 'active'""",
        {"platform": platform, "workspace": workspace, "channel": channel, "thread": thread},
    ).fetchone()
    return _conversation(row) if row else None


def get(connection: Connection, number: int) -> Conversation:
    row = connection.execute(
        f"SELECT {_COLUMNS}, summary, summarised_to FROM conversations WHERE number = :number", {"number": number}
    ).fetchone()
    return _conversation(row)


def find(connection: Connection, id_or_prefix: str) -> Conversation | None:
    """By id, or by a prefix of at least four characters that only one id has."""
    found = matching(connection, id_or_prefix, limit=2)
    return found[0] if len(found) == 1 else None


def matching(connection: Connection, id_or_prefix: str, *, limit: int) -> list[Conversation]:
    """The one with this id, or those whose ids begin with these four characters or more, by id."""
    exact = connection.execute(f"SELECT {_COLUMNS} FROM conversations WHERE id = :id", {"id": id_or_prefix}).fetchone()
    if exact or len(id_or_prefix) < MIN_PREFIX:
        return [_conversation(exact)] if exact else []
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE id >= :prefix AND id < :beyond ORDER BY id LIMIT :limit",
        {"prefix": id_or_prefix, "beyond": id_or_prefix + "\U0010ffff", "limit": limit},
    ).fetchall()
    return [_conversation(row) for row in rows]


def recent(
    connection: Connection, place: Place, *, limit: int, before: int | None = None, active_only: bool = False
) -> list[Conversation]:
    """Newest first; `before` is the `number` of the last one of the page before."""
    conditions = [f"{name} = :{name}" for name in given(place)]
    conditions += ["number < :before"] if before is not None else []
    conditions += ["status = 'active'"] if active_only else []
    where = " AND ".join(conditions) or "1 = 1"
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE {where} ORDER BY number DESC LIMIT :limit",
        given(place) | {"limit": limit, "before": before},
    ).fetchall()
    return [_conversation(row) for row in rows]


def channels(connection: Connection, platform: str, workspace: str, *, limit: int) -> list[str]:
    """Channels with conversations, the one with the latest first."""
    rows = connection.execute(
        """SELECT channel FROM conversations WHERE platform = :platform AND workspace = :workspace
            GROUP BY channel ORDER BY max(number) DESC LIMIT :limit""",
        {"platform": platform, "workspace": workspace, "limit": limit},
    ).fetchall()
    return [channel for (channel,) in rows]


def keep(connection: Connection, number: int, kept: Kept) -> None:
    """Replace what one family keeps; what others keep stays."""
    row = connection.execute("SELECT state FROM conversations WHERE number = :number", {"number": number}).fetchone()
    connection.execute(
        "UPDATE conversations SET state = :state WHERE number = :number",
        {"number": number, "state": json.dumps(_state(row[0]) | {kept.family: kept.state}, ensure_ascii=False)},
    )


def hand_over(connection: Connection, number: int, agent: str) -> None:
    """From now on another agent answers."""
    connection.execute(
        "UPDATE conversations SET agent = :agent WHERE number = :number", {"number": number, "agent": agent}
    )


def end(connection: Connection, number: int) -> bool:
    """Complete an active conversation; False when it was completed already. Its running turn is asked to stop."""
    ended = connection.execute(
        """UPDATE conversations SET status = 'completed', last_updated = :now
            WHERE number = :number AND status = 'active'""",
        {"number": number, "now": utc_now()},
    ).rowcount
    connection.execute(
        "UPDATE turns SET stop_requested = 1 WHERE conversation = :number AND status IN ('queued', 'running')",
        {"number": number},
    )
    return ended == 1


def _conversation(row: Sequence[Any]) -> Conversation:
    return Conversation(*(*row[:_STATE], _state(row[_STATE]), *row[_STATE + 1 :]))


def _state(stored: str) -> dict[str, Any]:
    state = json.loads(stored)
    return state if isinstance(state, dict) else {}
