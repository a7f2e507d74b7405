"""Phase 1 of the JSON tool protocol: which gadgets does a message need? Pure functions.

The model writes one JSON text, constrained to `decision_schema` where the provider can:

    [{"action": "use_tools", "tools": [{"tool": "weather", "parameters": {"city": "Oslo"}}]}]
    [{"action": "reply"}]

The order of the keys steers a small model as much as its prompt does: `action` first, and `tool` before `parameters`.
Ollama sorts the properties of an object alphabetically before it makes a grammar of them. `action` and `tools` sort
well; `tool` and `parameters` would not, so they are two parts of one `allOf`, whose order every converter keeps.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.agent.few_shot import Example, examples_for
from bot.agent.reference_names import PREVIOUS, SCALARS, refers
from bot.models.model import (
    AssistantMessage,
    JsonSchema,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from bot.models.strict_json import first_value, whole_value

MAX_CALLS = 4

_SYSTEM = """You decide whether the user's new message needs tools. Write only JSON.
Tools:
{tools}
If a tool gives what the message asks for: [{{"action":"use_tools","tools":[{{"tool":NAME,"parameters":{{...}}}}]}}]
One entry for each place or text.{references} Copy names and texts exactly. \
Leave out parameters that are not mentioned.
For small talk, opinions, general knowledge, writing and arithmetic: [{{"action":"reply"}}]"""
_REFERENCES = ' "$1" stands for the result of the first entry.'
"""Told where an example shows it, or where there are no examples: gadgets of a game never use each other's results."""
_REFERENCE: JsonSchema = {"type": "string", "enum": [f"${PREVIOUS}", *(f"${n}" for n in range(1, MAX_CALLS))]}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the model decided. No calls: it replies at once."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class NotADecision:
    """The text is not a decision, and why, for the log."""

    reason: str


class _Refused(ValueError):
    """The text is not a decision."""


def decision_schema(specs: Sequence[ToolSpec], *, max_calls: int = MAX_CALLS) -> JsonSchema:
    """The schema of a decision among these gadgets: one branch per gadget, so that parameters fit the tool."""
    branches = [_object({"action": {"const": "reply"}})]
    if specs:
        calls = {"type": "array", "minItems": 1, "maxItems": max_calls, "items": {"anyOf": [*map(_call_schema, specs)]}}
        branches.insert(0, _object({"action": {"const": "use_tools"}, "tools": calls}))
    return {"type": "array", "minItems": 1, "maxItems": 1, "items": {"anyOf": branches}}


def decision_messages(specs: Sequence[ToolSpec], history: Sequence[Message], user_text: str) -> tuple[Message, ...]:
    """The prompt: rules, worked examples, then the message with what was said just before it.

    Everything up to the last message depends on the gadgets alone, so that a model's prompt cache holds it.
    """
    examples = examples_for(frozenset(spec.name for spec in specs))
    messages: list[Message] = [_instructions(specs, examples)]
    for example in examples:
        messages += (UserMessage(_asked(example.message, example.earlier)), AssistantMessage(_decided(example)))
    said = tuple(line for message in history if (line := _line(message)))
    return (*messages, UserMessage(_asked(user_text, said)))


def parse_decision(text: str, specs: Sequence[ToolSpec]) -> Decision | NotADecision:
    """Read a decision, also out of a code fence, with prose around it, or in the shapes other models are used to.

    The JSON itself is taken strictly (see bot.models.strict_json). Names must be those of `specs`; whether the
    parameters are right is the toolbox's business.
    """
    try:
        value = first_value(text)
        calls = [call for entry in (value if isinstance(value, list) else [value]) for call in _calls(entry)]
        known = {spec.name for spec in specs}
        if unknown := [name for name, _ in calls if name not in known]:
            raise _Refused(f"unknown gadget {unknown[0]!r}")
    except (ValueError, RecursionError) as error:
        return NotADecision(str(error))
    return Decision(_numbered(calls))


def _instructions(specs: Sequence[ToolSpec], examples: Sequence[Example]) -> SystemMessage:
    calls = [call for example in examples for call in example.calls]
    hint = "" if calls and not any(refers(call.parameters) for call in calls) else _REFERENCES
    return SystemMessage(_SYSTEM.format(tools="\n".join(map(_described, specs)) or "(none)", references=hint))


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _call_schema(spec: ToolSpec) -> dict[str, Any]:
    parts = ({"tool": {"const": spec.name}}, {"parameters": _with_references(spec.parameters)})
    return {"allOf": [{"type": "object", "properties": part, "required": list(part)} for part in parts]}


def _with_references(parameters: JsonSchema) -> JsonSchema:
    """A number, and a truth value, may be another call's result; in a text there is room for a reference anyway."""
    properties = {
        name: {"anyOf": [schema, _REFERENCE]} if schema.get("type") in SCALARS else schema
        for name, schema in parameters.get("properties", {}).items()
    }
    return {**parameters, "properties": properties} if properties else parameters


def _described(spec: ToolSpec) -> str:
    """`- weather(city, units?): Get the weather. city: The city. units: …`, a tenth of the schema's tokens."""
    properties: Mapping[str, Any] = spec.parameters.get("properties", {})
    required = spec.parameters.get("required", ())
    names = ", ".join(name if name in required else f"{name}?" for name in properties)
    return f"- {spec.name}({names}): {spec.description}".rstrip()


def _asked(message: str, earlier: Sequence[str]) -> str:
    if not earlier:
        return f"New message: {message}"
    return "Earlier:\n{}\n\nNew message: {}".format("\n".join(earlier), message)


def _decided(example: Example) -> str:
    if not example.calls:
        return '[{"action":"reply"}]'
    tools = [{"tool": call.gadget, "parameters": call.parameters} for call in example.calls]
    return json.dumps([{"action": "use_tools", "tools": tools}], ensure_ascii=False, separators=(",", ":"))


def _line(message: Message) -> str:
    match message:
        case UserMessage(text):
            return f"User: {text}"
        case AssistantMessage(text) if text:
            return f"You: {text}"
        case ToolMessage() | SystemMessage() | AssistantMessage():
            return ""


_Call = tuple[str, Mapping[str, Any]]
_NAMES = ("tool", "tool_name", "name", "function")
_LISTS = ("tools", "tool_calls", "function", "function_call")
_PARAMETERS = ("parameters", "arguments", "args")


def _calls(entry: Any) -> list[_Call]:
    """The calls in one entry: ours by its `action`, others' by where the name is (bounded by the depth check)."""
    if not isinstance(entry, dict):
        raise _Refused("neither a decision nor a call")
    action = entry.get("action", "use_tools")
    if action == "reply":
        return []
    if action not in ("use_tools", "use_tool"):
        raise _Refused(f"unknown action {action!r}")
    if name := next((entry[key] for key in _NAMES if isinstance(entry.get(key), str)), None):
        return [(name, _parameters(entry))]
    inner = next((entry[key] for key in _LISTS if isinstance(entry.get(key), list | dict)), None)
    if not inner:
        raise _Refused("no tool is named")
    return [call for each in (inner if isinstance(inner, list) else [inner]) for call in _calls(each)]


def _parameters(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object, or one written as text, as OpenAI's format does. None given is none needed."""
    given: Any = next((entry[key] for key in _PARAMETERS if entry.get(key) is not None), {})
    if isinstance(given, str):
        given = whole_value(given) if given.strip() else {}
    if not isinstance(given, dict):
        raise _Refused("parameters are not an object")
    return given


def _numbered(calls: Sequence[_Call]) -> tuple[ToolCall, ...]:
    """Each distinct call once; but all keep their places where one refers to another by its place."""
    if any(refers(given) for _, given in calls):
        return tuple(ToolCall(f"call_{n}", name, given) for n, (name, given) in enumerate(calls, 1))
    distinct = {json.dumps(call, sort_keys=True): call for call in calls}
    return tuple(ToolCall(f"call_{n}", name, given) for n, (name, given) in enumerate(distinct.values(), 1))
