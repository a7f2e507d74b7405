"""A model behind an Ollama server.

The wire, as Ollama 0.12 and later speak it (api/types.go and ChatHandler in https://github.com/ollama/ollama):

    POST /api/chat
    {"model":"qwen3:8b","messages":[{"role":"user","content":"Weather in Oslo?"}],"stream":true,"think":false,
     "options":{"num_ctx":8192,"num_predict":512,"temperature":0.0},
     "tools":[{"type":"function","function":{"name":"weather","description":"…","parameters":{"type":"object",…}}}]}

    200 application/x-ndjson, chunked
    {"model":"qwen3:8b","created_at":"2026-11-20T09:00:00.1Z","message":{"role":"assistant","content":"",
     "tool_calls":[{"id":"call_ab12cd34","function":{"index":0,"name":"weather","arguments":{"place":"Oslo"}}}]},
     "done":false}
    {"model":"qwen3:8b","created_at":"2026-11-20T09:00:00.2Z","message":{"role":"assistant","content":""},"done":true,
     "done_reason":"stop","total_duration":213000000,"load_duration":41000000,"prompt_eval_count":181,
     "prompt_eval_duration":90000000,"eval_count":22,"eval_duration":80000000}

The next request carries the call and its result:

    {"role":"assistant","content":"","tool_calls":[{"id":"call_ab12cd34","function":{"name":"weather",…}}]},
    {"role":"tool","tool_name":"weather","tool_call_id":"call_ab12cd34","content":"4 °C, rain"}

Thinking comes as `message.thinking`. Tool calls come whole, over one or several lines, beside content or not; the
reason is `stop` all the same. Before the first line an error is an HTTP status with `{"error":"model 'x' not found"}`;
after it, a line `{"error":"…"}`. No header is sent before the first token: a request that queues behind others, or for
which the model is loaded, is plain silence. `think` left out means true for a model that can think, and true is a 400
for one that cannot; so it is sent only to those that can.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from typing import Any, Literal, Self

import msgspec
from aiohttp import ClientSession

from bot.addresses import ollama_url
from bot.errors import ModelBroken, ModelError, ModelUnreachable
from bot.models.answer import Answer
from bot.models.lines import LineSplitter
from bot.models.model import (
    AssistantMessage,
    Capabilities,
    Delta,
    Finished,
    Health,
    Message,
    Request,
    SystemMessage,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from bot.models.ollama_server import OllamaServer
from bot.models.payload import call_count, encode, parsed_arguments, tool_schema
from bot.models.peer import Peer, describe
from bot.models.wire import (
    FIRST_TOKEN_SECONDS,
    IDLE_SECONDS,
    MAX_ANSWER_CHARS,
    NOTICE_SECONDS,
    Call,
    Limits,
    relay,
)

HEALTH_SECONDS = 3.0


class _Function(msgspec.Struct):
    name: str
    arguments: dict[str, Any] | str | None = None


class _ToolCall(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Line(msgspec.Struct):
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Line).decode


class OllamaModel:
    """The `Model` protocol over one Ollama server. `host` is read as in `OLLAMA_HOST`; times are in seconds.

    `vision` goes over what the server says of the model; None leaves it to the server.
    """

    provider = "ollama"

    def __init__(
        self,
        http: ClientSession,
        *,
        host: str,
        name: str,
        first_token_seconds: float = FIRST_TOKEN_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        notice_seconds: float = NOTICE_SECONDS,
        answer_chars: int = MAX_ANSWER_CHARS,
        keep_alive: str | float | None = None,
        vision: bool | None = None,
    ) -> None:
        self.name = name
        self._http = http
        self._url = ollama_url(host)
        self._limits = Limits(first_token_seconds, idle_seconds, notice_seconds, answer_chars)
        self._keep_alive = keep_alive
        self._vision = vision
        self._peer = Peer(self.provider, name, f"install it with: ollama pull {name}")
        self._server = OllamaServer(self._url, self._peer)
        self._capabilities: Capabilities | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._server.close()

    async def capabilities(self) -> Capabilities:
        """Cached after the first success. Raises ModelError."""
        if self._capabilities is None:
            self._capabilities = await self._shown()
        return self._capabilities

    async def health(self) -> Health:
        """Whether the server has the model now. Never raises; answers within 3 seconds."""
        await self._server.open()  # building the client is no question to the server
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                self._capabilities = await self._shown()
        except TimeoutError:
            return Health("failed", f"Ollama at {self._url} does not answer within {HEALTH_SECONDS:g} s.")
        except ModelUnreachable:
            return Health("failed", f"No Ollama answers at {self._url}; start it with: ollama serve")
        except ModelError as error:
            return Health("failed", str(error))
        return Health("ready", f"{self.name} on Ollama at {self._url}")

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """See `Model.stream`. The first call also asks what the model can do."""
        return relay(partial(self._prepare, request), LineSplitter())

    async def _shown(self) -> Capabilities:
        told = await self._server.show(self.name)
        return told if self._vision is None else replace(told, vision=self._vision)

    async def _prepare(self, request: Request) -> tuple[Call, Answer]:
        capabilities = await self.capabilities()
        payload = encode_request(self.name, request, thinking=capabilities.thinking)
        if self._keep_alive is not None:
            payload["keep_alive"] = self._keep_alive
        call = Call(self._http, f"{self._url}/api/chat", encode(payload), self._peer, self._limits)
        return call, OllamaAnswer(self._peer, calls_before=call_count(request))


def encode_request(model: str, request: Request, *, thinking: bool) -> dict[str, Any]:
    """The body of /api/chat. `think` is named, as false, only to a model that can think."""
    payload: dict[str, Any] = {
        "model": model,
        "messages": [_encode_message(message) for message in request.messages],
        "stream": True,
        "options": {
            "num_ctx": request.num_ctx,
            "num_predict": request.max_tokens,
            "temperature": request.temperature,
        },
    }
    if thinking:
        payload["think"] = False
    if request.tools:
        payload["tools"] = [tool_schema(tool) for tool in request.tools]
    if request.schema is not None:
        payload["format"] = request.schema
    return payload


def _encode_message(message: Message) -> dict[str, Any]:
    match message:
        case SystemMessage(text):
            return {"role": "system", "content": text}
        case UserMessage(text, ()):
            return {"role": "user", "content": text}
        case UserMessage(text, images):
            encoded = [base64.b64encode(image).decode() for image in images]
            return {"role": "user", "content": text, "images": encoded}
        case AssistantMessage(text, ()):
            return {"role": "assistant", "content": text}
        case AssistantMessage(text, calls):
            encoded_calls = [_encode_call(call) for call in calls]
            return {"role": "assistant", "content": text, "tool_calls": encoded_calls}
        case ToolMessage(call_id, tool, text):
            return {"role": "tool", "tool_name": tool, "tool_call_id": call_id, "content": text}


def _encode_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "function": {"name": call.name, "arguments": dict(call.arguments)}}


class OllamaAnswer(Answer):
    """Folds the NDJSON lines of one /api/chat response."""

    def __init__(self, peer: Peer, *, calls_before: int = 0) -> None:
        super().__init__(peer)
        self._calls_before = calls_before
        self._calls = 0
        self._last = _Line()

    def feed(self, line: bytes) -> None:
        read = _decode(line)
        message = read.message
        if message is not None:
            if message.thinking:
                self.say(ThinkingDelta, message.thinking)
            if message.content:
                self.say(TextDelta, message.content)
            if message.tool_calls:
                self.size += len(line)
                self._take_calls(message.tool_calls)
        if read.error is not None:
            raise self.peer.error(ModelBroken, f"reported: {describe(read.error)}")
        if read.done:
            self._last = read
            self.over = True

    def end(self) -> Finished:
        reason: Literal["stop", "length", "tool_calls"] = "stop"
        if self._calls:
            reason = "tool_calls"
        elif self._last.done_reason == "length":
            reason = "length"
        return Finished(reason, self._last.prompt_eval_count or 0, self._last.eval_count or 0)

    def _take_calls(self, calls: list[_ToolCall]) -> None:
        for call in calls:
            self._calls += 1
            made = f"call_{self._calls_before + self._calls}"
            function = call.function
            self.call(ToolCall(call.id or made, function.name, parsed_arguments(function.arguments)))
