from typing import Any

import pytest

from bot.models.model import AssistantMessage, Request, ToolCall, UserMessage
from bot.models.payload import UNREADABLE, call_count, parsed_arguments


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        pytest.param({"a": {"b": [1]}}, {"a": {"b": [1]}}, id="an object"),
        pytest.param('{"a": 1}', {"a": 1}, id="its text"),
        pytest.param('"{\\"a\\": 1}"', {"a": 1}, id="its text, quoted twice"),
        pytest.param(None, {}, id="nothing"),
        pytest.param("", {}, id="empty text"),
        pytest.param("null", {}, id="null"),
        pytest.param('{"a": 1', {UNREADABLE: '{"a": 1'}, id="cut off"),
        pytest.param("[1]", {UNREADABLE: "[1]"}, id="no object"),
        pytest.param("[" * 5000, {UNREADABLE: "[" * 5000}, id="too deep"),
    ],
)
def test_arguments_are_repaired_or_handed_on_to_be_refused(raw: Any, arguments: dict[str, Any]) -> None:
    assert parsed_arguments(raw) == arguments


def test_calls_of_the_whole_conversation_are_counted() -> None:
    call = ToolCall("1", "clock", {})
    messages = (UserMessage("?"), AssistantMessage("", (call, call)), AssistantMessage("", (call,)))
    assert call_count(Request(messages, num_ctx=1, max_tokens=1)) == 3
