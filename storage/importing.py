"""Restoring a log of missions into the database: all of it in one transaction, or nothing.

The log is one that was exported (`storage.log_file`), or what an earlier program wrote, told in the same terms
(`storage.legacy`).

An imported log is history. A turn that was open (queued, running) when it was exported must not be answered now, on
whatever machine, perhaps months later: it is closed with the ending it had recorded, or else as cancelled, and its
extras keep the status it had, so that an export of the import is again the same log. Active conversations stay active,
so that a bot which moved goes on where it was, unless another conversation is active in their place by now.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict

from storage import conversations, forgetting, logged, pruning, summaries
from storage.database import Connection, Cursor, Database
from storage.holdings import Holdings
from storage.log_file import open_log
from storage.mission_log import IMPORTED_STATUS, OPEN, LoggedMessage, LoggedPlace, LoggedTurn, encoded
from storage.pruning import PruningList
from storage.told_log import ToldConversation, ToldLog


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What was added, how many conversations were there already and left as they are, and what is worth a word.

    `differing` are the ids of those among the skipped that are not the same here as in the file; `ended` of those
    that are completed here because another conversation is active in their place. `kept` counts what is in the extras
    of what was added because it was not understood; `forgotten` the messages that were left out because their authors
    were forgotten (`storage.forgetting`).
    """

    conversations: int
    turns: int
    skipped: int
    differing: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    kept: int = 0
    forgotten: int = 0


async def import_json(database: Database, path: Path) -> ImportSummary:
    """Add what is not there yet. Raises ImportRefused, then nothing was added; StorageError.

    A conversation is there already when its id, or one of its turns' event keys, is. Memory holds one message; the one
    transaction keeps other writers of the database waiting until it is done.
    """
    log = await asyncio.to_thread(open_log, path)
    return await database.write(restore, log)


def restore(connection: Connection, log: ToldLog) -> ImportSummary:
    """The unit of work of an import. Every message is checked, also those that are not added."""
    added = turns = skipped = kept = forgotten = 0
    differing: list[str] = []
    ended: list[str] = []
    listed = pruning.read(connection)
    for conversation in log.conversations():
        outcome = _add(connection, conversation, listed)
        if isinstance(outcome, _Known):
            skipped += 1
            differing += [] if _same(connection, outcome.number, conversation) else [conversation.head.conversation_id]
            continue
        forgotten += outcome.forgotten.messages
        if outcome.forgotten.missions:
            continue
        added += 1
        turns += outcome.turns
        kept += conversation.kept
        ended += [conversation.head.conversation_id] if outcome.status != conversation.head.status else []
    return ImportSummary(added, turns, skipped, tuple(differing), tuple(ended), kept, forgotten)


@dataclass(frozen=True, slots=True)
class _Added:
    turns: int
    status: str
    forgotten: Holdings


@dataclass(frozen=True, slots=True)
class _Known:
    """The number of the conversation that has the id, or one of the events, of one in the log."""

    number: int


def _add(connection: Connection, conversation: ToldConversation, listed: PruningList) -> _Added | _Known:
    row = connection.execute(
        "SELECT number FROM conversations WHERE id = :id", {"id": conversation.head.conversation_id}
    ).fetchone()
    if row is not None:
        return _Known(row[0])
    connection.execute("SAVEPOINT conversation")
    number, status = _insert_conversation(connection, conversation)
    added = _insert_turns(connection, number, conversation)
    if isinstance(added, _Known):
        connection.execute("ROLLBACK TO conversation")
    connection.execute("RELEASE conversation")
    if isinstance(added, _Known):
        return added
    left_out = forgetting.prune(connection, listed, number) if listed.people else Holdings()
    return _Added(added - left_out.messages, status, left_out)


def _same(connection: Connection, number: int, conversation: ToldConversation) -> bool:
    """Whether the log tells the same that an export would tell."""
    (known,) = logged.conversations(connection, number, number)
    if conversation.by_content:
        return known.tail.extras == conversation.tail.extras
    same = (known.head, known.tail) == (conversation.head, conversation.tail)
    here = logged.Messages(connection, number, number).of(number)
    for there, _ in conversation.messages():
        _, _, message = next(here, (0, 0, None))
        same = same and message is not None and _value(message) == _value(there)
    return same and next(here, None) is None


def _value(message: LoggedMessage) -> Any:
    return msgspec.json.decode(encoded(message))


def _insert_conversation(connection: Connection, conversation: ToldConversation) -> tuple[int, str]:
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


def _insert_turns(connection: Connection, number: int, conversation: ToldConversation) -> int | _Known:
    """How many; or, when one is there already, in which conversation."""
    count = 0
    for message, turn in conversation.messages():
        values = {"conversation": number, **_message_values(message, turn), **_turn_values(turn)}
        row = _insert(connection, "turns", values, "ON CONFLICT (event_key) DO NOTHING RETURNING id").fetchone()
        if row is None:
            return _Known(_conversation_of(connection, turn.event_key))
        for step in turn.steps:
            _insert(connection, "steps", {"turn": row[0], **asdict(step), "body": str(step.body, "utf-8")})
        for delivery in turn.deliveries:
            _insert(connection, "deliveries", {"turn": row[0], **asdict(delivery)})
        for image in turn.images or ():
            _insert(connection, "images", {"turn": row[0], **asdict(image)})
        if turn.event_key == conversation.tail.summarised_to:
            summaries.replace(connection, number, conversation.tail.summary, row[0])
        count += 1
    return count


def _conversation_of(connection: Connection, event_key: str) -> int:
    (number,) = connection.execute(
        "SELECT conversation FROM turns WHERE event_key = :event_key", {"event_key": event_key}
    ).fetchone()
    return int(number)


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
        "repeated": int(turn.repeated is True),
        "extras": _json(turn.extras | {IMPORTED_STATUS: turn.status} if is_open else turn.extras),
    }


def _insert(connection: Connection, table: str, values: Mapping[str, Any], ending: str = "") -> Cursor:
    return connection.execute(_insertion(table, tuple(values), ending), values)


@cache
def _insertion(table: str, names: tuple[str, ...], ending: str) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)}) {ending}"


def _json(value: Any) -> str:
    return encoded(value).decode()
