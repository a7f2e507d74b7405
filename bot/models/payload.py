"""JSON for models and from them, with the oddities that models and servers really have. Pure: no I/O."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from bot.models.model import AssistantMessage, Request, ToolSpec
from bot.models.strict_json import is_too_deep, whole_value

UNREADABLE = "unreadable_arguments"
"""The name under which arguments that are no JSON object are handed on: such a call is refused, and the model told."""


def parsed_arguments(raw: Mapping[str, Any] | str | None) -> dict[str, Any]:
    """An object as it is; a JSON text is parsed strictly, twice if it was quoted twice; nothing is no arguments."""
    if raw is None or isinstance(raw, Mapping):
        return dict(raw or {}) if not is_too_deep(raw) else {UNREADABLE: "nested too deeply"}
    value: Any = raw
    for _ in range(2):
        if not isinstance(value, str) or not value.strip():
            break
        try:
            value = whole_value(value)
        except ValueError:
            break
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    return value if isinstance(value, dict) else {UNREADABLE: raw}


def call_count(request: Request) -> int:
    """How many tool calls the conversation holds already; ids made by us count on from there."""
    return sum(len(m.tool_calls) for m in request.messages if isinstance(m, AssistantMessage))


def tool_schema(tool: ToolSpec) -> dict[str, Any]:
    """A tool as OpenAI defined it and Ollama took it over."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def mended(line: bytes) -> bytes:
    """The line with half characters replaced: some servers cut an emoji in two. Raises ValueError."""
    value = json.loads(line.decode("utf-8", "replace"))
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be sent to a model")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def encode(payload: Mapping[str, Any]) -> bytes:
    """A request body. Half characters (lone surrogates), which UTF-8 cannot carry, become question marks."""
    try:
        return _encoder.encode(payload)
    except UnicodeEncodeError:
        return json.dumps(payload, ensure_ascii=False, default=_plain).encode("utf-8", "replace")
