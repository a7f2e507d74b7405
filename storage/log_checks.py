"""What an imported mission log must be beyond its types, and what is filled in where it does not say."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import replace

from storage.clock import stored_time
from storage.errors import ImportRefused
from storage.log_decoding import decoded
from storage.mission_log import (
    IMPORTED_STATUS,
    OPEN,
    LoggedHead,
    LoggedImage,
    LoggedMessage,
    LoggedPlace,
    LoggedStep,
    LoggedTail,
    LoggedTurn,
    Outcome,
    calls_of,
    encoded,
)


def checked_head(head: LoggedHead, place: str) -> LoggedHead:
    return replace(
        head,
        started_at=_time(head.started_at, place, "started_at"),
        last_updated=_time(head.last_updated, place, "last_updated"),
    )


def checked_tail(tail: LoggedTail, head: LoggedHead) -> LoggedTail:
    """A conversation of unknown place gets one of its own, on no platform that could answer there."""
    return tail if tail.place else replace(tail, place=LoggedPlace("import", "", head.conversation_id, ""))


def complete(message: LoggedMessage, event_key: str, place: str) -> tuple[LoggedMessage, LoggedTurn]:
    """The message with its turn, which is made up under `event_key` where only the fields of every log are there."""
    timestamp = _time(message.timestamp, place, "timestamp")
    turn = _checked(message.turn or _made_up(message, event_key, timestamp), f"{place}.turn")
    complete = LoggedMessage(
        timestamp,
        message.user_message,
        message.agent_response,
        message.llm_raw_response,
        calls_of(turn.steps),
        turn,
    )
    return complete, turn


def _made_up(message: LoggedMessage, event_key: str, timestamp: str) -> LoggedTurn:
    ending: Outcome = "answered" if message.agent_response else "cancelled"
    steps = [LoggedStep(seq, "result", Raw(encoded(call)), timestamp) for seq, call in enumerate(message.tool_calls)]
    return LoggedTurn(event_key, status=ending, outcome=ending, finished_at=timestamp, steps=steps)


def _checked(turn: LoggedTurn, place: str) -> LoggedTurn:
    _require_once([step.seq for step in turn.steps], f"{place}.steps", "seq")
    _require_once([delivery.part for delivery in turn.deliveries], f"{place}.deliveries", "part")
    images = _checked_images(turn, f"{place}.images")
    closed = None if turn.status in OPEN else turn.status
    steps = [_checked_step(step, f"{place}.steps[{index}]") for index, step in enumerate(turn.steps)]
    return replace(
        turn,
        outcome=turn.outcome or closed,
        started_at=turn.started_at and _time(turn.started_at, place, "started_at"),
        finished_at=turn.finished_at and _time(turn.finished_at, place, "finished_at"),
        steps=sorted(steps, key=lambda step: step.seq),
        deliveries=sorted(turn.deliveries, key=lambda delivery: delivery.part),
        extras={name: value for name, value in turn.extras.items() if name != IMPORTED_STATUS},
        images=images or UNSET,
        repeated=turn.repeated or UNSET,
    )


def _checked_images(turn: LoggedTurn, place: str) -> list[LoggedImage]:
    images = turn.images or []
    _require_once([image.number for image in images], place, "number")
    named = [attachment.get("image") for attachment in turn.attachments]
    for index, image in enumerate(images):
        if image.number not in named:
            raise ImportRefused(f"{place}[{index}].number: {image.number} is named by none of the attachments")
    return sorted(images, key=lambda image: image.number)


def _checked_step(step: LoggedStep, place: str) -> LoggedStep:
    body = decoded(step.body, dict[str, Any], f"{place}.body")
    if step.kind == "result" and not isinstance(body.get("tool"), str):
        raise ImportRefused(f"{place}.body.tool: a result must name its gadget")
    return LoggedStep(step.seq, step.kind, _on_one_line(step.body), _time(step.recorded_at, place, "recorded_at"))


def _on_one_line(text: Raw) -> Raw:
    """JSON has line ends only where they mean nothing."""
    data = bytes(text)
    return Raw(msgspec.json.format(data, indent=-1)) if b"\n" in data or b"\r" in data else text


def _require_once(values: Sequence[object], place: str, name: str) -> None:
    """Raises ImportRefused, naming the first value that is there again."""
    if len(set(values)) == len(values):
        return
    again = next(index for index, value in enumerate(values) if value in values[:index])
    raise ImportRefused(f"{place}[{again}].{name}: {values[again]!r} is there twice")


def _time(text: str, place: str, name: str) -> str:
    try:
        return stored_time(text)
    except ValueError as error:
        raise ImportRefused(f"{place}.{name}: {text[:40]!r} is not an ISO-8601 time") from error
