import base64
import json
from types import MappingProxyType
from typing import Any

import pytest

from bot.errors import ModelBroken
from bot.models.model import (
    AssistantMessage,
    Finished,
    Request,
    SystemMessage,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from bot.models.ollama import OllamaAnswer, encode_request
from bot.models.payload import encode
from bot.models.peer import Peer

PEER = Peer("ollama", "m", "pull it")
NESTED = {
    "type": "object",
    "properties": {"stops": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object"}]}}},
    "required": ["stops"],
    "additionalProperties": False,
}


def sent(request: Request, *, thinking: bool = False) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(encode(encode_request("m", request, thinking=thinking)))
    return decoded


def fold(*lines: dict[str, Any]) -> OllamaAnswer:
    answer = OllamaAnswer(PEER, calls_before=2)
    for line in lines:
        answer.feed(json.dumps(line).encode())
    return answer


def test_options_are_always_sent() -> None:
    request = Request((UserMessage("hi"),), num_ctx=4096, max_tokens=100, temperature=0.5)
    assert sent(request) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "options": {"num_ctx": 4096, "num_predict": 100, "temperature": 0.5},
    }


def test_think_is_named_only_to_a_model_that_can_think() -> None:
    request = Request((UserMessage("hi"),), num_ctx=1, max_tokens=1)
    assert sent(request, thinking=True)["think"] is False
    assert "think" not in sent(request)


def test_a_tool_call_and_its_result_keep_their_id() -> None:
    call = ToolCall("abc", "weather", {"place": {"name": "Oslo"}})
    messages = (SystemMessage("s"), AssistantMessage("let me see", (call,)), ToolMessage("abc", "weather", "4 °C"))
    assert sent(Request(messages, num_ctx=1, max_tokens=1))["messages"][1:] == [
        {
            "role": "assistant",
            "content": "let me see",
            "tool_calls": [{"id": "abc", "function": {"name": "weather", "arguments": {"place": {"name": "Oslo"}}}}],
        },
        {"role": "tool", "tool_name": "weather", "tool_call_id": "abc", "content": "4 °C"},
    ]


def test_schemas_are_sent_whole() -> None:
    tools = (ToolSpec("route", "Plan a route.", NESTED),)
    request = Request((UserMessage("hi"),), num_ctx=1, max_tokens=1, tools=tools)
    function = {"name": "route", "description": "Plan a route.", "parameters": NESTED}
    assert sent(request)["tools"] == [{"type": "function", "function": function}]
    request = Request((UserMessage("hi"),), num_ctx=1, max_tokens=1, schema=MappingProxyType(NESTED))
    assert sent(request)["format"] == NESTED


def test_images_are_base64() -> None:
    request = Request((UserMessage("what?", (b"\x89PNG",)),), num_ctx=1, max_tokens=1)
    assert sent(request)["messages"][0]["images"] == [base64.b64encode(b"\x89PNG").decode()]


def test_half_characters_do_not_stop_a_request() -> None:
    request = Request((UserMessage("a\ud83db"),), num_ctx=1, max_tokens=1, schema=MappingProxyType(NESTED))
    assert sent(request)["messages"][0]["content"] == "a?b"


def test_neighbouring_pieces_become_one_delta_in_order() -> None:
    answer = fold(
        {"message": {"thinking": "hm"}},
        {"message": {"thinking": "m"}},
        {"message": {"content": "He"}},
        {"message": {"content": "llo"}},
    )
    assert answer.take() == [ThinkingDelta("hmm"), TextDelta("Hello")]
    assert answer.take() == []


def test_tool_calls_over_several_lines_are_all_taken_and_missing_ids_made() -> None:
    first = {"function": {"index": 0, "name": "a", "arguments": {"x": [1]}}}
    second = {"id": "given", "function": {"index": 1, "name": "b", "arguments": '{"y": 2}'}}
    answer = fold(
        {"message": {"content": "Look:", "tool_calls": [first]}, "done": False},
        {"message": {"tool_calls": [second]}},
        {"message": {"content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 6},
    )
    calls = [ToolCall("call_3", "a", {"x": [1]}), ToolCall("given", "b", {"y": 2})]
    assert answer.take() == [TextDelta("Look:"), *calls]
    assert answer.end() == Finished("tool_calls", 5, 6)


@pytest.mark.parametrize(("said", "reason"), [("stop", "stop"), ("length", "length"), ("load", "stop"), (None, "stop")])
def test_the_reason_is_one_of_ours(said: str | None, reason: str) -> None:
    assert fold({"done": True, "done_reason": said}).end().reason == reason


def test_an_error_line_is_the_servers_own_words() -> None:
    with pytest.raises(ModelBroken, match="ollama m: reported: out of memory"):
        fold({"error": "out of memory"})


@pytest.mark.parametrize("line", [b"[]", b"hello", b'{"message": 5}', b'{"done": "yes"}', b"[" * 5000])
def test_what_is_not_the_protocol_is_a_value_error(line: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        OllamaAnswer(PEER).feed(line)


def test_unknown_fields_are_none_of_our_business() -> None:
    answer = fold({"message": {"content": "x", "audio": 1}, "done": False, "logprobs": []})
    assert answer.take() == [TextDelta("x")]
