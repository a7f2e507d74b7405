"""Units of work that read conversations as the mission log tells them (`storage.mission_log`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storage.database import Connection
from storage.mission_log import (
    IMPORTED_STATUS,
    LoggedDelivery,
    LoggedHead,
    LoggedMessage,
    LoggedPlace,
    LoggedStep,
    LoggedTail,
    LoggedTurn,
    calls_of,
    stored_json,
)

TURNS_PER_QUERY = 20
_TURN_COLUMNS = """id, event_key, author, author_name, shared, user_message, attachments, status, attempt,
    stop_requested, outcome, agent_response, llm_raw_response, model, prompt_tokens, completion_tokens, error, rating,
    created_at, started_at, finished_at, extras"""


@dataclass(frozen=True, slots=True)
class LoggedConversation:
    """A conversation without its messages."""

    head: LoggedHead
    tail: LoggedTail


def conversation(connection: Connection, number: int) -> LoggedConversation:
    row = connection.execute(
        """SELECT id, started_at, last_updated, status, platform, workspace, channel, thread, owner, owner_name, agent,
                title, summary, state, extras
            FROM conversations WHERE number = :number""",
        {"number": number},
    ).fetchone()
    tail = LoggedTail(
        place=LoggedPlace(*row[4:8]),
        owner=row[8],
        owner_name=row[9],
        agent=row[10],
        title=row[11],
        summary=row[12],
        state=stored_json(row[13]),
        extras=stored_json(row[14]),
    )
    return LoggedConversation(LoggedHead(*row[:4]), tail)


def messages(connection: Connection, number: int, *, after: int = 0) -> Iterator[tuple[int, LoggedMessage]]:
    """The turns of a conversation behind turn id `after`, oldest first, with their ids, read a few at a time."""
    while rows := connection.execute(
        f"""SELECT {_TURN_COLUMNS} FROM turns WHERE conversation = :number AND id > :after
            ORDER BY id LIMIT {TURNS_PER_QUERY}""",
        {"number": number, "after": after},
    ).fetchall():
        for row in rows:
            after = row[0]
            yield after, _message(connection, row)


def _message(connection: Connection, row: Any) -> LoggedMessage:
    turn = _turn(connection, row)
    return LoggedMessage(
        timestamp=row[18],
        user_message=row[5],
        agent_response=row[11] or "",
        llm_raw_response=row[12] or "",
        tool_calls=calls_of(turn.steps),
        turn=turn,
    )


def _turn(connection: Connection, row: Any) -> LoggedTurn:
    extras = stored_json(row[21])
    return LoggedTurn(
        event_key=row[1],
        author=row[2],
        author_name=row[3],
        shared=bool(row[4]),
        attachments=stored_json(row[6]),
        status=extras.pop(IMPORTED_STATUS, row[7]),
        attempt=row[8],
        stop_requested=bool(row[9]),
        outcome=row[10],
        model=row[13],
        prompt_tokens=row[14],
        completion_tokens=row[15],
        error=row[16],
        rating=row[17],
        started_at=row[19],
        finished_at=row[20],
        steps=_steps(connection, row[0]),
        deliveries=_deliveries(connection, row[0]),
        extras=extras,
    )


def _steps(connection: Connection, turn: int) -> list[LoggedStep]:
    rows = connection.execute(
        "SELECT seq, kind, body, recorded_at FROM steps WHERE turn = :turn ORDER BY seq", {"turn": turn}
    ).fetchall()
    return [LoggedStep(seq, kind, stored_json(body), recorded_at) for seq, kind, body, recorded_at in rows]


def _deliveries(connection: Connection, turn: int) -> list[LoggedDelivery]:
    rows = connection.execute(
        "SELECT part, remote_id FROM deliveries WHERE turn = :turn ORDER BY part", {"turn": turn}
    ).fetchall()
    return [LoggedDelivery(*row) for row in rows]
