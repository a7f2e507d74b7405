from typing import Any

import pytest

from bot.agent.call_shapes import is_call, is_call_text

CALLS: list[Any] = [
    {"action": "use_tools", "tools": [{"tool": "clock", "parameters": {}}]},
    [{"action": "use_tools", "tools": []}],
    [{"action": "reply"}],
    {"action": "reply", "text": "Hello"},
    {"tool": "clock", "parameters": {"place": "Rome"}},
    {"name": "clock", "arguments": {"place": "Rome"}},
    {"name": "clock", "arguments": '{"place": "Rome"}'},
    {"arguments": {}, "name": "clock"},
    {"function": "clock", "parameters": {}},
    {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
    {"tool_calls": [{"name": "clock", "arguments": {}}]},
    [{"name": "clock", "arguments": {}}, {"name": "weather", "arguments": {}}],
]

DATA: list[Any] = [
    {},
    [],
    "clock",
    None,
    {"name": "Bob"},
    {"name": "Bob", "age": 7},
    {"name": "Bob Smith", "arguments": {}},
    {"name": "Bob", "arguments": "none"},
    {"name": "clock", "description": "Tells the time.", "parameters": {"type": "object"}},
    {"action": "reply", "to": "bob"},
    {"action": "jump"},
    {"tool": "hammer"},
    {"tools": ["hammer", "saw"]},
    {"tools": []},
    {"type": "function"},
    {"id": 1, "type": "hammer"},
    [{"name": "clock", "arguments": {}}, {"name": "Bob"}],
]


@pytest.mark.parametrize("value", CALLS)
def test_calls_are_recognised(value: Any) -> None:
    assert is_call(value)


@pytest.mark.parametrize("value", DATA)
def test_other_json_is_data(value: Any) -> None:
    assert not is_call(value)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('{"action": "use_tools", "tools": [{"tool": "clock"', True),
        ('[{"name": "clock", "arguments": {"a": 1}', True),
        ('{"tool": "clock", "parameters":', True),
        ('{"name": "Bob", "age": 7', False),
        ('{"name": "clock"', False),
        ("[" * 100_000, False),
    ],
)
def test_a_call_that_cannot_be_parsed_is_known_by_its_beginning(raw: str, expected: bool) -> None:
    assert is_call_text(raw) is expected
