import base64
import json
from typing import Any

import pytest

from bot.errors import ModelBroken, ModelError, ModelRefused
from bot.models.model import (
    AssistantMessage,
    Finished,
    Request,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from bot.models.openai_chat import OpenAIAnswer, encode_request
from bot.models.payload import encode
from bot.models.peer import Peer

PEER = Peer("openai", "m", "check the name")


def sent(request: Request) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(encode(encode_request("m", request)))
    return decoded


def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def fragment(name: str | None, arguments: Any, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return choice({"tool_calls": [{"function": function, **more}]})


def fold(*events: dict[str, Any]) -> OpenAIAnswer:
    answer = OpenAIAnswer(PEER)
    for event in events:
        answer.feed(json.dumps(event).encode())
    return answer


def calls(*events: dict[str, Any]) -> list[Any]:
    return list(fold(*events, choice({}, "tool_calls")).take())


def test_the_window_is_not_sent_and_usage_is_asked_for() -> None:
    assert sent(Request((UserMessage("hi"),), num_ctx=4096, max_tokens=100)) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
        "temperature": 0.0,
    }


def test_a_tool_call_and_its_result_keep_their_id() -> None:
    call = ToolCall("abc", "weather", {"place": {"name": "Oslo"}})
    messages = (AssistantMessage("", (call,)), ToolMessage("abc", "weather", "4 °C"))
    encoded, result = sent(Request(messages, num_ctx=1, max_tokens=1))["messages"]
    assert encoded["content"] is None
    assert encoded["tool_calls"][0]["id"] == "abc"
    assert json.loads(encoded["tool_calls"][0]["function"]["arguments"]) == {"place": {"name": "Oslo"}}
    assert result == {"role": "tool", "tool_call_id": "abc", "content": "4 °C"}


def test_schemas_are_sent_whole() -> None:
    schema = {"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}]}}, "required": ["a"]}
    request = Request((UserMessage("hi"),), num_ctx=1, max_tokens=1, schema=schema)
    wanted = {"name": "answer", "schema": schema, "strict": False}
    assert sent(request)["response_format"] == {"type": "json_schema", "json_schema": wanted}
    request = Request((UserMessage("hi"),), num_ctx=1, max_tokens=1, tools=(ToolSpec("t", "d", schema),))
    assert sent(request)["tools"][0]["function"]["parameters"] == schema


@pytest.mark.parametrize(
    ("image", "media_type"),
    [
        (b"\x89PNG\r\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
    ],
)
def test_images_are_data_urls(image: bytes, media_type: str) -> None:
    content = sent(Request((UserMessage("?", (image,)),), num_ctx=1, max_tokens=1))["messages"][0]["content"]
    url = f"data:{media_type};base64,{base64.b64encode(image).decode()}"
    assert content == [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": url}}]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_thinking_under_either_name(field: str) -> None:
    assert fold(choice({field: "hm"}), choice({"content": "x"})).take() == [ThinkingDelta("hm"), TextDelta("x")]


def test_fragments_are_merged_by_index() -> None:
    assert calls(
        fragment("a", "", index=0, id="1"),
        fragment(None, '{"x":', index=0),
        fragment("b", "{", index=1, id="2"),
        fragment(None, " [1]}", index=0),
        fragment(None, "}", index=1),
    ) == [ToolCall("1", "a", {"x": [1]}), ToolCall("2", "b", {})]


def test_repeated_ids_and_names_open_no_new_call() -> None:
    events = [fragment("a", '{"x"', index=0, id="1"), fragment("a", ":1}", index=0, id="1")]
    assert calls(*events) == [ToolCall("1", "a", {"x": 1})]


def test_a_new_id_under_a_known_index_is_another_call() -> None:
    events = [fragment("a", '{"x":1}', index=0, id="1"), fragment("a", '{"x":2}', index=0, id="2")]
    assert calls(*events) == [ToolCall("1", "a", {"x": 1}), ToolCall("2", "a", {"x": 2})]


def test_whole_calls_without_index_or_id_are_kept_apart() -> None:
    events = [fragment("a", '{"x":1}'), fragment("b", {"y": 2})]
    assert calls(*events) == [ToolCall("call_1", "a", {"x": 1}), ToolCall("call_2", "b", {"y": 2})]


def test_fragments_without_index_continue_the_last_call() -> None:
    events = [fragment("a", '{"x"', id="1"), fragment(None, ":1}"), fragment("b", "{", id="2"), fragment(None, "}")]
    assert calls(*events) == [ToolCall("1", "a", {"x": 1}), ToolCall("2", "b", {})]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("function_call", "tool_calls"),
        ("eos", "stop"),
    ],
)
def test_the_finish_reason_is_one_of_ours(said: str, reason: str) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 6}}
    assert fold(choice({}, said), usage).end() == Finished(reason, 5, 6)  # type: ignore[arg-type] # of the table


@pytest.mark.parametrize(("said", "kind"), [("content_filter", ModelRefused), ("error", ModelBroken)])
def test_an_answer_the_server_stopped_is_an_error(said: str, kind: type[ModelError]) -> None:
    with pytest.raises(kind, match=said):
        fold(choice({}, said))


def test_done_alone_ends_the_answer() -> None:
    answer = fold(choice({"content": "x"}))
    answer.feed(b"[DONE]")
    assert answer.over
    assert answer.end() == Finished("stop")


def test_an_error_event_is_the_servers_own_words() -> None:
    with pytest.raises(ModelBroken, match="openai m: reported: out of memory"):
        fold({"error": {"message": "out of memory", "code": 500}})
