"""What an imported mission log must be beyond its types, and what is filled in where it does not say."""

from collections.abc import Sequence

from msgspec.structs import replace

from storage.clock import stored_time
from storage.errors import ImportRefused
from storage.mission_log import (
    IMPORTED_STATUS,
    OPEN,
    LoggedHead,
    LoggedMessage,
    LoggedPlace,
    LoggedStep,
    LoggedTail,
    LoggedTurn,
    calls_of,
)


def require_once(values: Sequence[object], place: str, name: str) -> None:
    """Raises ImportRefused, naming the first value that is there again."""
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise ImportRefused(f"{place}[{index}].{name}: {value!r} is there twice")
        seen.add(value)


def checked_head(head: LoggedHead, place: str) -> LoggedHead:
    return replace(
        head,
        started_at=_time(head.started_at, f"{place}.started_at"),
        last_updated=_time(head.last_updated, f"{place}.last_updated"),
    )


def checked_tail(tail: LoggedTail, head: LoggedHead) -> LoggedTail:
    """A conversation of unknown place gets one of its own, on no platform that could answer there."""
    return tail if tail.place else replace(tail, place=LoggedPlace("import", "", head.conversation_id, ""))


def complete(message: LoggedMessage, event_key: str, place: str) -> tuple[LoggedMessage, LoggedTurn]:
    """The message with its turn, which is made up under `event_key` where only the fields of every log are there."""
    timestamp = _time(message.timestamp, f"{place}.timestamp")
    turn = _checked(message.turn, f"{place}.turn") if message.turn else _made_up(message, event_key, timestamp)
    return replace(message, timestamp=timestamp, turn=turn, tool_calls=calls_of(turn.steps)), turn


def _made_up(message: LoggedMessage, event_key: str, timestamp: str) -> LoggedTurn:
    bodies = [{"tool": call.tool, "parameters": call.parameters, "result": call.result} for call in message.tool_calls]
    answered = bool(message.agent_response)
    return LoggedTurn(
        event_key,
        status="answered" if answered else "cancelled",
        outcome="answered" if answered else "cancelled",
        finished_at=timestamp,
        steps=[LoggedStep(seq, "result", body, timestamp) for seq, body in enumerate(bodies)],
    )


def _checked(turn: LoggedTurn, place: str) -> LoggedTurn:
    require_once([step.seq for step in turn.steps], f"{place}.steps", "seq")
    require_once([delivery.part for delivery in turn.deliveries], f"{place}.deliveries", "part")
    closed = None if turn.status in OPEN else turn.status
    steps = [_checked_step(step, f"{place}.steps[{index}]") for index, step in enumerate(turn.steps)]
    return replace(
        turn,
        outcome=turn.outcome or closed,
        started_at=_time_or_none(turn.started_at, f"{place}.started_at"),
        finished_at=_time_or_none(turn.finished_at, f"{place}.finished_at"),
        steps=sorted(steps, key=lambda step: step.seq),
        deliveries=sorted(turn.deliveries, key=lambda delivery: delivery.part),
        extras={name: value for name, value in turn.extras.items() if name != IMPORTED_STATUS},
    )


def _checked_step(step: LoggedStep, place: str) -> LoggedStep:
    if step.kind == "result" and not isinstance(step.body.get("tool"), str):
        raise ImportRefused(f"{place}.body.tool: a result must name its gadget")
    return replace(step, recorded_at=_time(step.recorded_at, f"{place}.recorded_at"))


def _time_or_none(text: str | None, place: str) -> str | None:
    return None if text is None else _time(text, place)


def _time(text: str, place: str) -> str:
    try:
        return stored_time(text)
    except ValueError as error:
        raise ImportRefused(f"{place}: {text[:40]!r} is not an ISO-8601 time") from error
