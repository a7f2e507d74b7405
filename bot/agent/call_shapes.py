"""Which JSON values are tool calls, by their keys: ours, and those of the models' own formats."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_Keys = dict[str, Callable[[Any], bool]]
"""Key → whether its value fits."""


def is_call_text(raw: str) -> bool:
    """Whether the raw text of one JSON value is a call; of one that cannot be parsed, whether it begins like one."""
    try:
        return is_call(json.loads(raw))
    except (ValueError, RecursionError):
        return _SURELY.match(raw) is not None


_SURELY = re.compile(
    r"""\s*\[?\s*\{\s*(?:"action"\s*:\s*"(?:use_tools|reply)"
    |"(?:tool|tool_name|name|function)"\s*:\s*"[\w.:-]{1,64}"\s*,\s*"(?:parameters|arguments)"\s*:)""",
    re.VERBOSE,
)
"""How a tool call begins that cannot be parsed, because it is unfinished, too long or malformed."""


def _name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w.:-]{1,64}", value) is not None


def _arguments(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and value.lstrip().startswith("{"))


def _anything(_value: Any) -> bool:
    return True


def _calls(value: Any) -> bool:
    return isinstance(value, list | dict) and is_call(value)


_ARGUMENTS: _Keys = {
    "parameters": _arguments,
    "arguments": _arguments,
    "args": _arguments,
}
_SAID: _Keys = dict.fromkeys(
    ("tools", "text", "message", "content", "response", "reply", "answer", "reason"), _anything
)
_MARKS: _Keys = {
    "id": _anything,
    "type": lambda value: value in ("function", "tool_use", "tool_call", "tool"),
    "index": _anything,
}

_Shape = tuple[_Keys, _Keys, bool]

SHAPES: tuple[_Shape, ...] = (
    ({"action": lambda value: value in ("use_tools", "reply")}, _SAID, False),
    ({"action": lambda value: value == "use_tool", "tool": _name}, _ARGUMENTS, False),
    ({"tool": _name}, _ARGUMENTS | _MARKS, True),
    ({"tool_name": _name}, _ARGUMENTS | _MARKS, True),
    ({"name": _name}, _ARGUMENTS | _MARKS, True),
    ({"function": _name}, _ARGUMENTS | _MARKS, True),
    ({"function": _calls}, _MARKS, False),
    ({"function_call": _calls}, _MARKS, False),
    ({"tool_calls": _calls}, {}, False),
    ({"tools": _calls}, {}, False),
)
"""The closed list of shapes: keys that must be there, keys that may, and whether arguments must be among these.

One more key than listed makes it somebody's data: `{"name": …, "description": …, "parameters": …}` describes
a function.
"""


def is_call(value: Any) -> bool:
    """Whether a JSON value is shaped like a tool call, or like a list of nothing but calls."""
    if isinstance(value, list):
        return bool(value) and all(map(is_call, value))
    return isinstance(value, dict) and any(_fits(value, *shape) for shape in SHAPES)


def _fits(
    value: Mapping[str, Any],
    required: _Keys,
    allowed: _Keys,
    with_arguments: bool,
) -> bool:
    known = {**allowed, **required}
    if not required.keys() <= value.keys() <= known.keys():
        return False
    if with_arguments and value.keys().isdisjoint(_ARGUMENTS):
        return False
    return all(known[key](item) for key, item in value.items())
