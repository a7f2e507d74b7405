"""Units of work that read turns back as a record: for transcripts, `show` and the web page."""

import json
from dataclasses import dataclass
from typing import Any

from storage.database import Connection


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn as people look at it. `agent_response` is empty while the turn is open."""

    id: int
    event_key: str
    author: str
    author_name: str
    user_message: str
    attachments: list[dict[str, Any]]
    status: str
    agent_response: str
    model: str
    rating: int | None
    error: str | None
    created_at: str
    finished_at: str | None
    tools: list[str]


@dataclass(frozen=True, slots=True)
class TurnPlace:
    """Where a turn happened, for the permission check of whoever wants to act on it."""

    turn: int
    author: str
    conversation: int
    platform: str
    workspace: str
    channel: str


def transcript(connection: Connection, conversation: int, *, limit: int, before: int | None = None) -> list[TurnRecord]:
    """The last `limit` turns (before turn id `before`), oldest first."""
    rows = connection.execute(
        f"""SELECT id, event_key, author, author_name, user_message, attachments, status,
                coalesce(agent_response, ''), coalesce(model, ''), rating, error, created_at, finished_at
            FROM turns WHERE conversation = :conversation {"AND id < :before" if before else ""}
            ORDER BY id DESC LIMIT :limit""",
        {"conversation": conversation, "limit": limit} | ({"before": before} if before else {}),
    ).fetchall()
    return [
        TurnRecord(*(*row[:5], json.loads(row[5]), *row[6:], tools_used(connection, row[0]))) for row in reversed(rows)
    ]


def tools_used(connection: Connection, turn: int) -> list[str]:
    """The names of the gadgets whose results a turn recorded, in order."""
    rows = connection.execute(
        "SELECT body FROM steps WHERE turn = :turn AND kind = 'result' ORDER BY seq", {"turn": turn}
    ).fetchall()
    return [json.loads(body)["tool"] for (body,) in rows]


def turn_place(connection: Connection, turn: int) -> TurnPlace | None:
    row = connection.execute(
        """SELECT turns.id, turns.author, conversations.number, conversations.platform, conversations.workspace,
                conversations.channel
            FROM turns JOIN conversations ON conversations.number = turns.conversation WHERE turns.id = :turn""",
        {"turn": turn},
    ).fetchone()
    return TurnPlace(*row) if row else None
