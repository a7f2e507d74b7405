"""Units of work on what becomes of a question after it was admitted: edited, deleted, asked again."""

from storage import conversations, turns
from storage.clock import utc_now
from storage.database import Connection
from storage.turns import Admitted


def amend(connection: Connection, event_key: str, user_message: str) -> bool:
    """Replace a question whose answer has not been begun; whether that was so."""
    amended = connection.execute(
        "UPDATE turns SET user_message = :text WHERE event_key = :key AND status = 'queued' AND user_message <> :text",
        {"text": user_message, "key": event_key},
    ).rowcount
    return amended == 1


def withdraw(connection: Connection, event_key: str) -> int | None:
    """Cancel a question that its author deleted.

    Nothing is said about one whose answer has not been begun. Returns the conversation in which a running answer has
    to be interrupted now, else None.
    """
    cancelled = connection.execute(
        """UPDATE turns SET status = 'cancelled', outcome = 'cancelled', agent_response = '', finished_at = :now
            WHERE event_key = :key AND status = 'queued'""",
        {"key": event_key, "now": utc_now()},
    ).rowcount
    if cancelled:
        return None
    row = connection.execute(
        """UPDATE turns SET stop_requested = 1
            WHERE event_key = :key AND status = 'running' AND outcome IS NULL RETURNING conversation""",
        {"key": event_key},
    ).fetchone()
    return row[0] if row else None


def repeat(connection: Connection, turn: int, event_key: str, role: str | None = None) -> Admitted | None:
    """Ask the question of a turn again, as a new turn that takes the old one's place in the model's memory.

    `event_key` is that of the event that asks for it: its repetitions change nothing. `role` is what the question's
    author may do now, where that is known; else the new turn has the old one's. None when the turn is not closed, or
    not the last one of an active conversation.
    """
    if known := turns.find_event(connection, event_key):
        return known
    row = connection.execute(
        """INSERT INTO turns (conversation, event_key, author, author_name, shared, user_message, attachments, status,
                created_at, platform, workspace, role)
            SELECT conversation, :key, author, author_name, shared, user_message, attachments, 'queued', :now,
                platform, workspace, coalesce(:role, role)
            FROM turns t WHERE id = :turn AND status NOT IN ('queued', 'running')
                AND NOT EXISTS (SELECT 1 FROM turns later WHERE later.conversation = t.conversation AND later.id > t.id)
                AND (SELECT status FROM conversations WHERE number = t.conversation) = 'active'
            RETURNING id, conversation""",
        {"key": event_key, "now": utc_now(), "turn": turn, "role": role},
    ).fetchone()
    if row is None:
        return None
    again, conversation = row
    connection.execute("UPDATE turns SET repeated = 1 WHERE id = :turn", {"turn": turn})
    connection.execute(
        """INSERT INTO images (turn, number, media_type, data)
            SELECT :again, number, media_type, data FROM images WHERE turn = :turn""",
        {"again": again, "turn": turn},
    )
    return Admitted(again, conversation, conversations.get(connection, conversation).id, duplicate=False)
