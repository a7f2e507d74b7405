"""The mission log: the JSON that `export` writes and `import` reads, as typed structs in the order of its keys.

    {"version": 2, "conversations": [{"conversation_id", "started_at", "last_updated", "status", "messages":
      [{"timestamp", "user_message", "agent_response", "llm_raw_response", "tool_calls":
        [{"tool", "parameters", "result"}], "turn": {…}}], "place": {…}, "owner", …}],
     "current_conversation_id", "metadata": {"total_conversations", "last_activity"}}

A message is a turn. What other readers of mission logs do not know comes after the fields they do, under names of its
own (`turn`, `place` and what follows), and has a default, so that a log without it can be read. `tool_calls` repeats
what `turn.steps` tells in full; it counts only where there is no `turn`.

What models and gadgets said (`Raw`) passes through as the JSON text it is stored as: checked, never taken apart.
"""

import json
import math
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

VERSION = 2
OPEN = ("queued", "running")
IMPORTED_STATUS = "imported_status"
"""The key in a turn's extras for the status it had in the log it was imported from, if it was open there."""

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Outcome = Literal["answered", "failed", "stopped", "cancelled"]
Status = Literal["queued", "running", "answered", "failed", "stopped", "cancelled"]


class LoggedCall(Struct, frozen=True, gc=False):
    """A gadget's result: what a step of kind `result` must hold, whatever else it holds."""

    tool: str
    parameters: Raw = Raw(b"{}")
    result: Raw = Raw(b'""')


class LoggedStep(Struct, frozen=True, gc=False):
    """`body` is an object."""

    seq: Count
    kind: str
    body: Raw
    recorded_at: str


class LoggedDelivery(Struct, frozen=True, gc=False):
    part: Count
    remote_id: str


class LoggedImage(Struct, frozen=True, gc=False):
    """A picture that one of the turn's attachments names by its number; `data` is base64 in the log."""

    number: Count
    media_type: str
    data: bytes


class LoggedTurn(Struct, frozen=True):
    """What a message is to us. `status` and the rest are as in the table of turns. `images` is left out if empty,
    `repeated` if false.
    """

    event_key: Annotated[str, Meta(min_length=1)]
    author: str = "user"
    author_name: str = "user"
    shared: bool = False
    attachments: list[dict[str, Any]] = field(default_factory=list)
    status: Status = "answered"
    attempt: Count = 1
    stop_requested: bool = False
    outcome: Outcome | None = "answered"
    model: str | None = ""
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    error: str | None = None
    rating: Literal[-1, 0, 1] | None = None
    started_at: str | None = None
    finished_at: str | None = None
    steps: list[LoggedStep] = field(default_factory=list)
    deliveries: list[LoggedDelivery] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)
    images: list[LoggedImage] | UnsetType = UNSET
    repeated: bool | UnsetType = UNSET


class LoggedMessage(Struct, frozen=True):
    """`agent_response` and `llm_raw_response` are empty while a turn has no ending (`turn.outcome` is null)."""

    timestamp: str
    user_message: str
    agent_response: str
    llm_raw_response: str
    tool_calls: list[LoggedCall]
    turn: LoggedTurn | None = None


class LoggedPlace(Struct, frozen=True):
    platform: str
    workspace: str
    channel: str
    thread: str


class LoggedHead(Struct, frozen=True):
    """What comes before a conversation's messages."""

    conversation_id: Annotated[str, Meta(min_length=1)]
    started_at: str
    last_updated: str
    status: Literal["active", "completed"]


class LoggedTail(Struct, frozen=True):
    """What comes after a conversation's messages: all of it ours.

    `summarised_to` is the event key of the last turn that `summary` tells of, left out if there is none: turns get new
    ids where they are imported.
    """

    place: LoggedPlace | None = None
    owner: str = "user"
    owner_name: str = "user"
    agent: str = ""
    title: str = ""
    summary: str = ""
    state: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)
    summarised_to: str | UnsetType = UNSET


class _RecordedCall(Struct, frozen=True, gc=False):
    """What of a step of kind `result` is told among the `tool_calls`. `resolved` are the parameters with which the
    gadget ran, where the model had written references to other results.
    """

    tool: str
    parameters: Raw = Raw(b"{}")
    result: Raw = Raw(b'""')
    resolved: Raw | UnsetType = UNSET


_ENCODER = msgspec.json.Encoder()
_RAW = msgspec.json.Decoder(Raw)
_CALL = msgspec.json.Decoder(_RecordedCall)


def calls_of(steps: list[LoggedStep]) -> list[LoggedCall]:
    """The gadgets' results among the steps; a result that names no gadget is passed over."""
    calls = []
    for step in steps:
        if step.kind == "result":
            try:
                calls.append(_logged(_CALL.decode(step.body)))
            except msgspec.ValidationError:
                continue
    return calls


def _logged(call: _RecordedCall) -> LoggedCall:
    return LoggedCall(call.tool, call.parameters if call.resolved is UNSET else call.resolved, call.result)


def stored_raw(text: bytes) -> Raw:
    """A stored JSON column's text as the log takes it."""
    try:
        return _RAW.decode(text)
    except msgspec.DecodeError:
        return Raw(encoded(stored_json(text)))


def stored_json(text: str | bytes) -> Any:
    """A stored JSON column's value, without what JSON cannot say to others: NaN, infinities, lone surrogates."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        lenient = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
        clean = json.dumps(lenient, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return json.loads(clean)


def _finite(literal: str) -> float | None:
    value = float(literal)
    return value if math.isfinite(value) else None


def encoded(value: Any) -> bytes:
    """Compact JSON on one line, in the struct's order of keys."""
    return _ENCODER.encode(value)


def append(text: bytearray, value: Any) -> None:
    """Write `encoded(value)` at the end of `text`."""
    _ENCODER.encode_into(value, text, -1)
