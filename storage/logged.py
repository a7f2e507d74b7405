"""Units of work that read conversations as the mission log tells them (`storage.mission_log`).

Everything is read in the order of the log, conversation by conversation and turn by turn, in one query for each table
however many conversations there are: what belongs to a turn is next when the turn is. Pictures are asked for where a
turn has any.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import UNSET

from storage import images
from storage.database import Connection
from storage.mission_log import (
    IMPORTED_STATUS,
    LoggedDelivery,
    LoggedHead,
    LoggedImage,
    LoggedMessage,
    LoggedPlace,
    LoggedStep,
    LoggedTail,
    LoggedTurn,
    calls_of,
    stored_json,
    stored_raw,
)

_RANGE = "(turns.conversation, turns.id) > (:first, :after) AND turns.conversation <= :last"
_ORDER = "ORDER BY turns.conversation, turns.id"


@dataclass(frozen=True, slots=True)
class TurnChoice:
    """Which turns: an SQL condition on `turns`, empty for all, and its parameters."""

    condition: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __and__(self, other: "TurnChoice") -> "TurnChoice":
        conditions = [f"({each.condition})" for each in (self, other) if each.condition]
        return TurnChoice(" AND ".join(conditions), {**self.parameters, **other.parameters})


EVERY_TURN = TurnChoice()


@cache
def _queries(condition: str) -> tuple[str, str, str]:
    """Turns, their steps, their deliveries."""
    where = f"{_RANGE} AND ({condition})" if condition else _RANGE
    return (
        f"""SELECT conversation, id, created_at, user_message, agent_response, llm_raw_response, event_key, author,
            author_name, shared, attachments, status, attempt, stop_requested, outcome, model, prompt_tokens,
            completion_tokens, error, rating, started_at, finished_at, extras, repeated
        FROM turns WHERE {where} {_ORDER}""",
        f"""SELECT steps.turn, steps.seq, steps.kind, CAST(steps.body AS BLOB), steps.recorded_at
        FROM turns JOIN steps ON steps.turn = turns.id WHERE {where} {_ORDER}, steps.seq""",
        f"""SELECT deliveries.turn, deliveries.part, deliveries.remote_id
        FROM turns JOIN deliveries ON deliveries.turn = turns.id WHERE {where} {_ORDER}, deliveries.part""",
    )


@dataclass(frozen=True, slots=True)
class LoggedConversation:
    """A conversation without its messages."""

    number: int
    head: LoggedHead
    tail: LoggedTail


def conversations(connection: Connection, first: int, last: int) -> Iterator[LoggedConversation]:
    """Those with the numbers `first` to `last`, in order."""
    rows = connection.execute(
        """SELECT number, id, started_at, last_updated, status, platform, workspace, channel, thread, owner, owner_name,
                agent, title, summary, state, extras, (SELECT event_key FROM turns WHERE id = summarised_to)
            FROM conversations WHERE number BETWEEN :first AND :last ORDER BY number""",
        {"first": first, "last": last},
    )
    return map(_conversation, iter(rows.fetchone, None))


def _conversation(row: Any) -> LoggedConversation:
    tail = LoggedTail(
        place=LoggedPlace(*row[5:9]),
        owner=row[9],
        owner_name=row[10],
        agent=row[11],
        title=row[12],
        summary=row[13],
        state=stored_json(row[14]),
        extras=stored_json(row[15]),
        summarised_to=row[16] or UNSET,
    )
    return LoggedConversation(row[0], LoggedHead(*row[1:5]), tail)


class Messages:
    """The chosen turns of the conversations `first` to `last`; of the first one, those behind turn id `after`."""

    def __init__(
        self, connection: Connection, first: int, last: int, *, after: int = 0, choice: TurnChoice = EVERY_TURN
    ) -> None:
        place = {"first": first, "last": last, "after": after, **choice.parameters}
        found = _messages(connection, _queries(choice.condition), place)
        self._conversations = groupby(found, itemgetter(0))
        self._next = next(self._conversations, None)

    def of(self, number: int) -> Iterator[tuple[int, int, LoggedMessage]]:
        """`number`, turn id and message of a conversation's turns, oldest first. Ask for the conversations in order."""
        while self._next is not None and self._next[0] < number:
            self._next = next(self._conversations, None)
        return self._next[1] if self._next is not None and self._next[0] == number else iter(())


def _messages(
    connection: Connection, queries: tuple[str, str, str], place: Mapping[str, Any]
) -> Iterator[tuple[int, int, LoggedMessage]]:
    turns, steps_of_turns, deliveries_of_turns = queries
    next_step = connection.execute(steps_of_turns, place).fetchone
    next_delivery = connection.execute(deliveries_of_turns, place).fetchone
    step, delivery = next_step(), next_delivery()
    for row in iter(connection.execute(turns, place).fetchone, None):
        turn = row[1]
        steps = []
        while step is not None and step[0] == turn:
            steps.append(LoggedStep(step[1], step[2], stored_raw(step[3]), step[4]))
            step = next_step()
        deliveries = []
        while delivery is not None and delivery[0] == turn:
            deliveries.append(LoggedDelivery(delivery[1], delivery[2]))
            delivery = next_delivery()
        yield row[0], turn, _message(connection, row, steps, deliveries)


def _message(
    connection: Connection, row: Any, steps: list[LoggedStep], deliveries: list[LoggedDelivery]
) -> LoggedMessage:
    # Taken apart at once, and structs filled by position: this runs for every turn of an export.
    # fmt: off
    (_, number, created_at, user_message, agent_response, llm_raw_response, event_key, author, author_name, shared,
     attachments, status, attempt, stop_requested, outcome, model, prompt_tokens, completion_tokens, error, rating,
     started_at, finished_at, extras, repeated) = row
    more = stored_json(extras)
    files = stored_json(attachments)
    pictures = _images(connection, number, files) if files else []
    turn = LoggedTurn(
        event_key, author, author_name, shared != 0, files, more.pop(IMPORTED_STATUS, status),
        attempt, stop_requested != 0, outcome, model, prompt_tokens, completion_tokens, error, rating, started_at,
        finished_at, steps, deliveries, more, pictures or UNSET, True if repeated else UNSET,
    )
    # fmt: on
    return LoggedMessage(created_at, user_message, agent_response or "", llm_raw_response or "", calls_of(steps), turn)


def _images(connection: Connection, turn: int, attachments: list[dict[str, Any]]) -> list[LoggedImage]:
    """Asked for turn by turn: pictures are rare, and a query of all would look at every turn to find none."""
    return [LoggedImage(one.number, one.media_type, one.data) for one in images.of_turn(connection, turn, attachments)]
