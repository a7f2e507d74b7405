r"""OpenAI's chat completions on the wire, as its many compatible servers really speak it. Pure: no I/O.

The wire (https://platform.openai.com/docs/api-reference/chat-streaming), as llama.cpp's server sends it:

    POST {base_url}/chat/completions        Authorization: Bearer …
    {"model":"qwen3","messages":[{"role":"user","content":"Weather in Oslo?"}],"stream":true,
     "stream_options":{"include_usage":true},"max_tokens":512,"temperature":0.0,"tools":[…]}

    200 text/event-stream
    data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}],"id":…}

    data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"k3vR","type":"function",
           "function":{"name":"weather","arguments":"{"}}]},"finish_reason":null}]}

    data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"place\":\"Oslo\"}"}}]}…

    data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

    data: {"choices":[],"usage":{"prompt_tokens":181,"completion_tokens":22,"total_tokens":203}}

    data: [DONE]

A tool call comes in fragments that belong together by `index`; id and name come once, some servers repeat them, some
leave the index out and send each call whole. Reasoning is `reasoning_content` or `reasoning`. An error is
`{"error":{"message":…}}`, as an HTTP status before the stream or as an event in it. `num_ctx` has no place here: the
server's operator sets the window.
"""

import base64
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from bot.errors import ModelBroken, ModelError, ModelRefused
from bot.image_types import image_type
from bot.models.answer import Answer
from bot.models.model import (
    AssistantMessage,
    Finished,
    Message,
    Request,
    SystemMessage,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from bot.models.payload import encode, parsed_arguments, tool_schema
from bot.models.peer import Peer, describe

_REASONS: dict[str, Literal["stop", "length", "tool_calls"]] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
_FAILED: dict[str, type[ModelError]] = {
    "content_filter": ModelRefused,
    "error": ModelBroken,
    "abort": ModelBroken,
}


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Fragment(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Fragment] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Event).decode


def encode_request(model: str, request: Request) -> dict[str, Any]:
    """The body of /chat/completions. `strict` is false: OpenAI's strict mode takes only a subset of JSON Schema."""
    payload: dict[str, Any] = {
        "model": model,
        "messages": [_encode_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.tools:
        payload["tools"] = [tool_schema(tool) for tool in request.tools]
    if request.schema is not None:
        schema = {"name": "answer", "schema": request.schema, "strict": False}
        payload["response_format"] = {"type": "json_schema", "json_schema": schema}
    return payload


def _encode_message(message: Message) -> dict[str, Any]:
    match message:
        case SystemMessage(text):
            return {"role": "system", "content": text}
        case UserMessage(text, ()):
            return {"role": "user", "content": text}
        case UserMessage(text, images):
            parts = [{"type": "text", "text": text}, *map(_encode_image, images)]
            return {"role": "user", "content": parts}
        case AssistantMessage(text, ()):
            return {"role": "assistant", "content": text}
        case AssistantMessage(text, calls):
            encoded = [_encode_call(call) for call in calls]
            return {"role": "assistant", "content": text or None, "tool_calls": encoded}
        case ToolMessage(call_id, _, text):
            return {"role": "tool", "tool_call_id": call_id, "content": text}


def _encode_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": encode(call.arguments).decode()}
    return {"id": call.id, "type": "function", "function": function}


def _encode_image(image: bytes) -> dict[str, Any]:
    """PNG where the bytes do not tell what they are, because servers look at the content anyway."""
    url = f"data:{image_type(image) or 'image/png'};base64,{base64.b64encode(image).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


@dataclass(slots=True)
class _PartialCall:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def differs(self, fragment: _Fragment) -> bool:
        """A new id, or a name again where there is no index, is another call."""
        named = fragment.index is None and fragment.function is not None and fragment.function.name
        return bool((fragment.id and self.id and fragment.id != self.id) or (named and self.name))

    def add(self, fragment: _Fragment) -> None:
        function = fragment.function or _Function()
        self.id = self.id or fragment.id or ""
        self.name = self.name or function.name or ""
        given = function.arguments
        if given:
            self.arguments.append(given if isinstance(given, str) else encode(given).decode())


class OpenAIAnswer(Answer):
    """Folds the events of one streamed chat completion."""

    def __init__(self, peer: Peer, *, calls_before: int = 0) -> None:
        super().__init__(peer)
        self._calls_before = calls_before
        self._calls: list[_PartialCall] = []
        self._by_index: dict[int, _PartialCall] = {}
        self._reason = ""
        self._usage = _Usage()

    def feed(self, line: bytes) -> None:
        if line.strip() == b"[DONE]":
            self._finish()
            return
        event = _decode(line)
        if event.choices:
            self._take(event.choices[0], len(line))
        if event.usage is not None:
            self._usage = event.usage
        if event.error is not None:
            raise self.peer.error(ModelBroken, f"reported: {describe(event.error)}")

    def end(self) -> Finished:
        reason = "tool_calls" if self._calls else _REASONS.get(self._reason, "stop")
        return Finished(reason, self._usage.prompt_tokens or 0, self._usage.completion_tokens or 0)

    def _take(self, choice: _Choice, size: int) -> None:
        delta = choice.delta
        if delta is not None:
            if thinking := delta.reasoning_content or delta.reasoning:
                self.say(ThinkingDelta, thinking)
            if delta.content:
                self.say(TextDelta, delta.content)
            if delta.tool_calls:
                self.size += size
                for fragment in delta.tool_calls:
                    self._partial(fragment).add(fragment)
        if choice.finish_reason:
            self._reason = choice.finish_reason
            self._refuse_failure()
            self._finish()

    def _partial(self, fragment: _Fragment) -> _PartialCall:
        """The call a fragment belongs to: by its index; a new id under a known index opens a new call."""
        index = len(self._calls) - 1 if fragment.index is None else fragment.index
        known = self._by_index.get(index)
        if known is None or known.differs(fragment):
            known = _PartialCall()
            self._by_index[len(self._calls) if fragment.index is None else index] = known
            self._calls.append(known)
        return known

    def _refuse_failure(self) -> None:
        if kind := _FAILED.get(self._reason):
            raise self.peer.error(kind, f"the server stopped the answer: {self._reason}")

    def _finish(self) -> None:
        if self.over:
            return
        self.over = True
        for number, partial in enumerate(self._calls, self._calls_before + 1):
            arguments = parsed_arguments("".join(partial.arguments))
            self.call(ToolCall(partial.id or f"call_{number}", partial.name, arguments))
