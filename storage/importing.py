"""Restoring a mission log (`storage.mission_log`) into the database: all of it in one transaction, or nothing.

An imported log is history. A turn that was open (queued, running) when it was exported must not be answered now, on
whatever machine, perhaps months later: it is closed with the ending it had recorded, or else as cancelled, and its
extras keep the status it had, so that an export of the import is again the same log. Active conversations stay active,
so that a bot which moved goes on where it was, unless another conversation is active in their place by now.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from storage import conversations, logged
from storage.database import Connection, Cursor, Database
from storage.log_file import LogFile, ReadConversation, read_log
from storage.mission_log import IMPORTED_STATUS, OPEN, LoggedMessage, LoggedPlace, LoggedTurn


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What was added, how many conversations were there already and left as they are, and what is worth a word.

    `differing` are the ids of those among the skipped that are not the same here as in the file; `ended` of those
    that are completed here because another conversation is active in their place.
    """

    conversations: int
    turns: int
    skipped: int
    differing: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


async def import_json(database: Database, path: Path) -> ImportSummary:
    """Check the whole file, then add what is not there yet. Raises ImportRefused, then nothing was added; StorageError.

    A conversation is there already when its id, or one of its turns' event keys, is. Memory holds the file's bytes and
    one message; the one transaction keeps other writers of the database waiting until it is done.
    """
    log = await asyncio.to_thread(read_log, path)
    return await database.write(restore, log)


def restore(connection: Connection, log: LogFile) -> ImportSummary:
    """The unit of work of an import."""
    added = turns = skipped = 0
    differing: list[str] = []
    ended: list[str] = []
    for conversation in log.conversations():
        known = _known(connection, conversation)
        if known is not None:
            skipped += 1
            differing += [] if _same(connection, known, conversation) else [conversation.head.conversation_id]
            continue
        number, status = _insert_conversation(connection, conversation)
        added += 1
        turns += _insert_turns(connection, number, conversation)
        ended += [conversation.head.conversation_id] if status != conversation.head.status else []
    return ImportSummary(added, turns, skipped, tuple(differing), tuple(ended))


def _known(connection: Connection, conversation: ReadConversation) -> int | None:
    """The number of the conversation that has its id, or one of its events."""
    row = connection.execute(
        "SELECT number FROM conversations WHERE id = :id", {"id": conversation.head.conversation_id}
    ).fetchone()
    events = (turn.event_key for _, turn in conversation.messages())
    while row is None and (key := next(events, None)) is not None:
        row = connection.execute(
            "SELECT conversation FROM turns WHERE event_key = :event_key", {"event_key": key}
        ).fetchone()
    return row[0] if row else None


def _same(connection: Connection, number: int, conversation: ReadConversation) -> bool:
    known = logged.conversation(connection, number)
    if (known.head, known.tail) != (conversation.head, conversation.tail):
        return False
    here: Iterator[LoggedMessage] = (message for _, message in logged.messages(connection, number))
    there = (message for message, _ in conversation.messages())
    return all(next(here, None) == message for message in there) and next(here, None) is None


def _insert_conversation(connection: Connection, conversation: ReadConversation) -> tuple[int, str]:
    head, tail = conversation.head, conversation.tail
    assert tail.place is not None
    status = "completed" if head.status == "active" and _is_taken(connection, tail.place) else head.status
    values = {
        "id": head.conversation_id,
        **asdict(tail.place),
        "owner": tail.owner,
        "owner_name": tail.owner_name,
        "agent": tail.agent,
        "title": tail.title,
        "status": status,
        "started_at": head.started_at,
        "last_updated": head.last_updated,
        "state": _json(tail.state),
        "summary": tail.summary,
        "extras": _json(tail.extras),
    }
    (number,) = _insert(connection, "conversations", values, "RETURNING number").fetchone()
    return number, status


def _is_taken(connection: Connection, place: LoggedPlace) -> bool:
    found = conversations.find_active(connection, place.platform, place.workspace, place.channel, place.thread)
    return found is not None


def _insert_turns(connection: Connection, number: int, conversation: ReadConversation) -> int:
    count = 0
    for message, turn in conversation.messages():
        values = {"conversation": number, **_message_values(message, turn), **_turn_values(turn)}
        (row,) = _insert(connection, "turns", values, "RETURNING id").fetchone()
        for step in turn.steps:
            _insert(connection, "steps", {"turn": row, **asdict(step), "body": _json(step.body)})
        for delivery in turn.deliveries:
            _insert(connection, "deliveries", {"turn": row, **asdict(delivery)})
        count += 1
    return count


def _message_values(message: LoggedMessage, turn: LoggedTurn) -> dict[str, Any]:
    """A turn without an ending has no answer yet, which the log cannot tell from an empty one."""
    ended = turn.outcome is not None
    return {
        "created_at": message.timestamp,
        "user_message": message.user_message,
        "agent_response": message.agent_response if ended else None,
        "llm_raw_response": message.llm_raw_response if ended else None,
    }


def _turn_values(turn: LoggedTurn) -> dict[str, Any]:
    is_open = turn.status in OPEN
    return {
        "event_key": turn.event_key,
        "author": turn.author,
        "author_name": turn.author_name,
        "shared": int(turn.shared),
        "attachments": _json(turn.attachments),
        "status": (turn.outcome or "cancelled") if is_open else turn.status,
        "attempt": turn.attempt,
        "stop_requested": int(turn.stop_requested),
        "outcome": turn.outcome,
        "model": turn.model,
        "prompt_tokens": turn.prompt_tokens,
        "completion_tokens": turn.completion_tokens,
        "error": turn.error,
        "rating": turn.rating,
        "started_at": turn.started_at,
        "finished_at": turn.finished_at,
        "extras": _json(turn.extras | {IMPORTED_STATUS: turn.status} if is_open else turn.extras),
    }


def _insert(connection: Connection, table: str, values: Mapping[str, Any], returning: str = "") -> Cursor:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    return connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks}) {returning}", values)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
