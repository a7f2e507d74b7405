"""Units of work on turns: the queue (admit, claim, finish) and the journal of a running turn (steps, deliveries).

A worker owns a turn under the `attempt` it got when it claimed it. Every write of a worker names that attempt and
raises Fenced when the turn has been claimed again since, so that a worker that was thought dead cannot write.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storage import approvals, conversations, images, quotas
from storage.approvals import PAUSES, Verdict
from storage.clock import utc_now
from storage.conversations import Conversation, Kept, NewConversation
from storage.database import Connection
from storage.errors import Fenced
from storage.images import Image
from storage.quotas import Sender

_OPEN = "status IN ('queued', 'running')"
REMEMBERED = """status IN ('answered', 'stopped')
                AND NOT (repeated AND EXISTS (
                    SELECT 1 FROM turns again WHERE again.conversation = turns.conversation AND again.id > turns.id
                        AND again.status NOT IN ('failed', 'cancelled')
                        AND NOT EXISTS (
                            SELECT 1 FROM turns other WHERE other.conversation = turns.conversation
                                AND other.id >= turns.id AND other.id < again.id AND NOT other.repeated)))"""
"""Of the rows of `turns`, those that a model is reminded of: they have an answer. A turn that was repeated, by the one
that follows it, is remembered only if all its repetitions failed.
"""


@dataclass(frozen=True, slots=True)
class NewTurn:
    """A message to admit, and the conversation to open for it if its place has no active one.

    `role` is what its author may do just now: the turn keeps it, whatever becomes of them until it is answered.
    """

    event_key: str
    author: str
    author_name: str
    user_message: str
    opening: NewConversation
    shared: bool = False
    attachments: tuple[dict[str, Any], ...] = ()
    images: tuple[Image, ...] = ()
    role: str = "everyone"


@dataclass(frozen=True, slots=True)
class Admitted:
    """`duplicate`: the event was admitted before; nothing was changed."""

    turn: int
    conversation: int
    conversation_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded model output or gadget result. `body` is JSON; its shape is its writer's business."""

    seq: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PastTurn:
    """An earlier turn as the model is reminded of it."""

    author: str
    author_name: str
    user_message: str
    agent_response: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ends: decided once, then delivered, then the turn is closed with it."""

    outcome: str
    agent_response: str
    llm_raw_response: str = ""
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn owned by one worker, with all it needs to go on where the last one stopped.

    `verdicts` is what was decided of calls that needed an approval, by (round, call); `pauses` how many attempts before
    this one ended with such a question.
    """

    turn: int
    attempt: int
    event_key: str
    author: str
    author_name: str
    shared: bool
    user_message: str
    attachments: list[dict[str, Any]]
    stop_requested: bool
    ending: Ending | None
    conversation: Conversation
    steps: list[Step] = field(default_factory=list)
    deliveries: dict[int, str] = field(default_factory=dict)
    window: list[PastTurn] = field(default_factory=list)
    images: tuple[Image, ...] = ()
    role: str = "everyone"
    verdicts: dict[tuple[int, int], Verdict] = field(default_factory=dict)
    pauses: int = 0
    created_at: str = ""


def admit(connection: Connection, new: NewTurn) -> Admitted:
    """Deduplicate by event key, find or open the conversation, insert the turn."""
    place = new.opening
    active = conversations.find_active(connection, place.platform, place.workspace, place.channel, place.thread)
    if active is None and (known := find_event(connection, new.event_key)):
        return known  # before anything is opened for it
    conversation = active or conversations.open_(connection, place)
    now = utc_now()
    row = connection.execute(
        """INSERT INTO turns (conversation, event_key, author, author_name, shared, user_message, attachments, status,
                created_at, platform, workspace, role)
            VALUES (:conversation, :event_key, :author, :author_name, :shared, :user_message, :attachments, 'queued',
                :now, :platform, :workspace, :role)
            ON CONFLICT (event_key) DO NOTHING RETURNING id""",
        {
            "conversation": conversation.number,
            "event_key": new.event_key,
            "author": new.author,
            "author_name": new.author_name,
            "shared": int(new.shared),
            "user_message": new.user_message,
            "attachments": json.dumps(new.attachments),
            "now": now,
            "platform": place.platform,
            "workspace": place.workspace,
            "role": new.role,
        },
    ).fetchone()
    if row is None:
        known = find_event(connection, new.event_key)
        assert known is not None
        return known
    images.add(connection, row[0], new.images)
    if active is not None:
        connection.execute(
            "UPDATE conversations SET last_updated = :now, title = CASE title WHEN '' THEN :title ELSE title END"
            " WHERE number = :number",
            {"now": now, "number": conversation.number, "title": place.title[: conversations.TITLE_LIMIT]},
        )
    return Admitted(row[0], conversation.number, conversation.id, duplicate=False)


def find_event(connection: Connection, event_key: str) -> Admitted | None:
    """The turn of an event that was admitted."""
    row = connection.execute(
        """SELECT turns.id, conversations.number, conversations.id FROM turns
            JOIN conversations ON conversations.number = turns.conversation WHERE event_key = :event_key""",
        {"event_key": event_key},
    ).fetchone()
    return Admitted(row[0], row[1], row[2], duplicate=True) if row else None


def first_event(connection: Connection, conversation: int) -> str | None:
    """The event key of the turn that a conversation began with; None while it has none."""
    row = connection.execute(
        "SELECT event_key FROM turns WHERE conversation = :conversation ORDER BY id LIMIT 1",
        {"conversation": conversation},
    ).fetchone()
    return row[0] if row else None


def waiting_conversations(connection: Connection, platforms: tuple[str, ...]) -> list[int]:
    """Conversations of these platforms with open turns, the longest-waiting first."""
    rows = connection.execute(
        f"""SELECT turns.conversation, conversations.platform FROM turns
            JOIN conversations ON conversations.number = turns.conversation
            WHERE turns.{_OPEN} GROUP BY turns.conversation, conversations.platform ORDER BY min(turns.id)"""
    ).fetchall()
    return [number for number, platform in rows if platform in platforms]


def claim(connection: Connection, conversation: int, *, window: int) -> Claim | None:
    """Claim the oldest open turn of a conversation under a new attempt, with its journal and those of the `window`
    earlier turns that the conversation's summary does not tell of. None where there is none, or where it is paused.
    """
    now = utc_now()
    row = connection.execute(
        f"""UPDATE turns SET status = 'running', attempt = attempt + 1, started_at = coalesce(started_at, :now)
            WHERE id = (SELECT id FROM turns WHERE conversation = :conversation AND {_OPEN} ORDER BY id LIMIT 1)
                AND NOT {PAUSES}
            RETURNING id, attempt, event_key, author, author_name, shared, user_message, attachments, stop_requested,
                role, outcome, agent_response, llm_raw_response, model, prompt_tokens, completion_tokens, error,
                created_at""",
        {"conversation": conversation, "now": now},
    ).fetchone()
    if row is None:
        return None
    turn, attempt = row[0], row[1]
    repeated = attempt > 1
    if repeated:
        approvals.settle(connection, turn, now)
    attachments = json.loads(row[7])
    place = conversations.get(connection, conversation)
    return Claim(
        turn,
        attempt,
        event_key=row[2],
        author=row[3],
        author_name=row[4],
        shared=bool(row[5]),
        user_message=row[6],
        attachments=attachments,
        stop_requested=bool(row[8]),
        ending=Ending(*row[10:17]) if row[10] is not None else None,
        conversation=place,
        steps=steps(connection, turn) if repeated else [],
        deliveries=deliveries(connection, turn) if repeated else {},
        window=past(connection, conversation, after=place.summarised_to, before=turn, limit=window),
        images=images.of_turn(connection, turn, attachments),
        role=row[9],
        verdicts=approvals.verdicts(connection, turn) if repeated else {},
        pauses=approvals.pauses(connection, turn) if repeated else 0,
        created_at=row[17],
    )


def past(connection: Connection, conversation: int, *, before: int, limit: int, after: int = 0) -> list[PastTurn]:
    """The last `limit` turns between two turns that are remembered, oldest first."""
    rows = connection.execute(
        f"""SELECT author, author_name, user_message, agent_response FROM turns
            WHERE conversation = :conversation AND id > :after AND id < :before AND {REMEMBERED}
            ORDER BY id DESC LIMIT :limit""",
        {"conversation": conversation, "after": after, "before": before, "limit": limit},
    ).fetchall()
    return [PastTurn(*row) for row in reversed(rows)]


def steps(connection: Connection, turn: int) -> list[Step]:
    rows = connection.execute(
        "SELECT seq, kind, body FROM steps WHERE turn = :turn ORDER BY seq", {"turn": turn}
    ).fetchall()
    return [Step(seq, kind, json.loads(body)) for seq, kind, body in rows]


def deliveries(connection: Connection, turn: int) -> dict[int, str]:
    """Which parts of the answer were posted: part number → the platform's id of the message."""
    rows = connection.execute("SELECT part, remote_id FROM deliveries WHERE turn = :turn", {"turn": turn}).fetchall()
    return dict(rows)


def record_step(connection: Connection, turn: int, attempt: int, step: Step, kept: Kept | None = None) -> None:
    """Record a step and, with it, what its gadget keeps about the conversation from then on.

    Raises Fenced, or the database's integrity error if `seq` was recorded before.
    """
    recorded = connection.execute(
        """INSERT INTO steps (turn, seq, kind, body, recorded_at)
            SELECT id, :seq, :kind, :body, :now FROM turns
            WHERE id = :turn AND attempt = :attempt AND status = 'running'""",
        {
            "turn": turn,
            "attempt": attempt,
            "seq": step.seq,
            "kind": step.kind,
            "body": json.dumps(step.body, ensure_ascii=False),
            "now": utc_now(),
        },
    ).rowcount
    if recorded != 1:
        raise Fenced
    if kept is not None:
        (number,) = connection.execute("SELECT conversation FROM turns WHERE id = :turn", {"turn": turn}).fetchone()
        conversations.keep(connection, number, kept)


def record_delivery(connection: Connection, turn: int, attempt: int, part: int, remote_id: str) -> None:
    """Remember where a part of the answer was posted. Raises Fenced."""
    recorded = connection.execute(
        """INSERT INTO deliveries (turn, part, remote_id)
            SELECT id, :part, :remote_id FROM turns WHERE id = :turn AND attempt = :attempt AND status = 'running'
            ON CONFLICT (turn, part) DO UPDATE SET remote_id = excluded.remote_id""",
        {"turn": turn, "attempt": attempt, "part": part, "remote_id": remote_id},
    ).rowcount
    if recorded != 1:
        raise Fenced


def conclude(connection: Connection, turn: int, attempt: int, ending: Ending, last: Step | None = None) -> None:
    """Record the last step, if any, and the ending; from now on only delivery is left. Raises Fenced."""
    if last is not None:
        record_step(connection, turn, attempt, last)
    concluded = connection.execute(
        """UPDATE turns SET outcome = :outcome, agent_response = :agent_response,
                llm_raw_response = :llm_raw_response, model = :model, prompt_tokens = :prompt_tokens,
                completion_tokens = :completion_tokens, error = :error
            WHERE id = :turn AND attempt = :attempt AND status = 'running'""",
        {
            "turn": turn,
            "attempt": attempt,
            "outcome": ending.outcome,
            "agent_response": ending.agent_response,
            "llm_raw_response": ending.llm_raw_response,
            "model": ending.model,
            "prompt_tokens": ending.prompt_tokens,
            "completion_tokens": ending.completion_tokens,
            "error": ending.error,
        },
    ).rowcount
    if concluded != 1:
        raise Fenced


def finish(
    connection: Connection,
    turn: int,
    attempt: int,
    posted: Mapping[int, str] | None = None,
    *,
    completes: bool = False,
) -> bool:
    """Close a concluded and delivered turn, with where its last parts were posted. Raises Fenced.

    A turn that `completes` its conversation does so only when it was answered: who stopped it has not seen the end.
    Returns whether its conversation has another open turn.
    """
    for part, remote_id in (posted or {}).items():
        record_delivery(connection, turn, attempt, part, remote_id)
    now = utc_now()
    row = connection.execute(
        """UPDATE turns SET status = outcome, finished_at = :now
            WHERE id = :turn AND attempt = :attempt AND status = 'running' AND outcome IS NOT NULL
            RETURNING conversation, outcome, prompt_tokens + completion_tokens, platform, workspace, author""",
        {"turn": turn, "attempt": attempt, "now": now},
    ).fetchone()
    if row is None:
        raise Fenced
    connection.execute(
        "UPDATE conversations SET last_updated = :now WHERE number = :number", {"now": now, "number": row[0]}
    )
    if row[2] and row[3] is not None:
        quotas.charge(connection, Sender(*row[3:]), row[2])
    if completes and row[1] == "answered":
        conversations.end(connection, row[0])
    more = connection.execute(
        f"SELECT 1 FROM turns WHERE conversation = :number AND {_OPEN} LIMIT 1", {"number": row[0]}
    ).fetchone()
    return more is not None


def request_stop(connection: Connection, conversation: int) -> int | None:
    """Ask the oldest open turn of a conversation to stop; its id, or None when none is open or its end is decided."""
    row = connection.execute(
        f"""UPDATE turns SET stop_requested = 1
            WHERE id = (SELECT id FROM turns WHERE conversation = :conversation AND {_OPEN} ORDER BY id LIMIT 1)
                AND outcome IS NULL
            RETURNING id""",
        {"conversation": conversation},
    ).fetchone()
    return row[0] if row else None


def request_stop_of(connection: Connection, turn: int) -> str | None:
    """Ask one turn to stop; its status, `queued` or `running`, or None when its end is decided."""
    row = connection.execute(
        f"UPDATE turns SET stop_requested = 1 WHERE id = :turn AND {_OPEN} AND outcome IS NULL RETURNING status",
        {"turn": turn},
    ).fetchone()
    return row[0] if row else None


def rate(connection: Connection, turn: int, rating: int) -> None:
    """Store 1 (good), -1 (bad) or 0 (taken back)."""
    connection.execute("UPDATE turns SET rating = :rating WHERE id = :turn", {"turn": turn, "rating": rating})
