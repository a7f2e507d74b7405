"""Units of work on conversations."""

import secrets
from dataclasses import dataclass

from storage.clock import utc_now
from storage.database import Connection

ID_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/i/l: people type these
ID_LENGTH = 10
MIN_PREFIX = 4
TITLE_LIMIT = 80
_COLUMNS = """number, id, platform, workspace, channel, thread, owner, owner_name, agent, title, status, started_at,
    last_updated"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row. `number` is internal and orders conversations; `id` is what people and exports see."""

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
    return Conversation(*row)


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
    return Conversation(*row) if row else None


def get(connection: Connection, number: int) -> Conversation:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE number = :number", {"number": number}
    ).fetchone()
    return Conversation(*row)


def find(connection: Connection, id_or_prefix: str) -> Conversation | None:
    """By id, or by a prefix of at least four characters that only one id has."""
    exact = connection.execute(f"SELECT {_COLUMNS} FROM conversations WHERE id = :id", {"id": id_or_prefix}).fetchone()
    if exact or len(id_or_prefix) < MIN_PREFIX:
        return Conversation(*exact) if exact else None
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE id >= :prefix AND id < :beyond LIMIT 2",
        {"prefix": id_or_prefix, "beyond": id_or_prefix + "\U0010ffff"},
    ).fetchall()
    return Conversation(*rows[0]) if len(rows) == 1 else None


def recent(
    connection: Connection, place: Place, *, limit: int, before: int | None = None, active_only: bool = False
) -> list[Conversation]:
    """Newest first; `before` is the `number` of the last one of the page before."""
    wanted: dict[str, object] = {
        "platform": place.platform,
        "workspace": place.workspace,
        "channel": place.channel,
        "owner": place.owner,
        "number": before,
        "status": "active" if active_only else None,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " AND ".join(f"{name} {'<' if name == 'number' else '='} :{name}" for name in given) or "1 = 1"
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE {where} ORDER BY number DESC LIMIT :limit",
        {**given, "limit": limit},
    ).fetchall()
    return [Conversation(*row) for row in rows]


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
