"""A server of OpenAI's chat completions that plays scripts and is strict about what it is sent."""

import base64
import json
import re
from typing import Any, Literal

import msgspec
from aiohttp import web

from tests.fakes.scripted import Answering, Rejected, Script, ScriptedServer

SSE = "text/event-stream"
IMAGE_TYPES = {
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF....WEBP",
}
"""What vision models of OpenAI take: https://platform.openai.com/docs/guides/images-vision#image-input-requirements."""


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class CalledFunction(Strict):
    name: str
    arguments: str


class Call(Strict):
    id: str
    type: Literal["function"]
    function: CalledFunction


class ImageUrl(Strict):
    url: str


class Part(Strict):
    type: Literal["text", "image_url"]
    text: str = ""
    image_url: ImageUrl | None = None


class Message(Strict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[Part] | None
    tool_calls: list[Call] = []
    tool_call_id: str = ""


class Function(Strict):
    name: str
    parameters: dict[str, Any]
    description: str = ""


class Tool(Strict):
    type: Literal["function"]
    function: Function


class StreamOptions(Strict):
    include_usage: bool


class Schema(Strict):
    name: str
    schema: dict[str, Any]
    strict: bool = False


class ResponseFormat(Strict):
    type: Literal["json_schema"]
    json_schema: Schema


class Completion(Strict):
    model: str
    messages: list[Message]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    tools: list[Tool] = []
    response_format: ResponseFormat | None = None


class FakeOpenAI(ScriptedServer):
    """`base_url` ends in /v1. `card` is added to the model's entry, e.g. `{"max_model_len": 8192}`.

    `cards` tells whether `/models/{name}` exists beside the list; `usage` whether `stream_options` is obeyed; `vision`
    whether the model takes images, in which case they must be what they say they are.
    """

    def __init__(
        self,
        *,
        name: str = "test-model",
        api_key: str | None = None,
        card: dict[str, Any] | None = None,
        cards: bool = True,
        usage: bool = True,
        vision: bool = False,
        port: int = 0,
        num_parallel: int = 4,
        answer: Answering | None = None,
    ) -> None:
        super().__init__(port=port, num_parallel=num_parallel, answer=answer)
        self.name = name
        self.api_key = api_key
        self.card = card or {}
        self.cards = cards
        self.usage = usage
        self.vision = vision

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def error_body(self, message: str) -> dict[str, Any]:
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/chat/completions", self._complete),
            web.get("/v1/models", self._models),
            web.get("/v1/models/{name:.+}", self._card),
        ]

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self._check_key(request)
        body = await request.read()
        asked = self._decode(body)
        raw = json.loads(body)
        self.record(raw)
        self._check_parts(asked)
        if asked.model != self.name:
            raise Rejected(404, f"The model `{asked.model}` does not exist or you do not have access to it.")
        script = self.script_for(raw)
        usage = self.usage and asked.stream_options is not None
        return await self.play(request, script, _events(self.name, script, usage=usage), SSE)

    def _check_key(self, request: web.Request) -> None:
        """The real server repeats the key it was given, so that it must be kept out of the log."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.api_key is not None and given != self.api_key:
            raise Rejected(401, f"Incorrect API key provided: {given}.")

    def _decode(self, body: bytes) -> Completion:
        try:
            asked = msgspec.json.decode(body, type=Completion)
        except ValueError as error:
            self.errors.append(str(error))
            raise Rejected(400, str(error)) from error
        if not asked.stream:
            self.errors.append("the request does not ask for a stream")
        self._check_results(asked)
        return asked

    def _check_parts(self, asked: Completion) -> None:
        """Content in parts: a text, then images as data URLs, in user messages only, to a model that sees."""
        for message in asked.messages:
            if not isinstance(message.content, list):
                continue
            if message.role != "user" or [part.type for part in message.content][:1] != ["text"]:
                self.errors.append(f"parts of a {message.role} message: {[part.type for part in message.content]}")
            for url in (part.image_url for part in message.content if part.type == "image_url"):
                self._check_image(url)

    def _check_image(self, url: ImageUrl | None) -> None:
        if not self.vision:  # llama.cpp's words
            raise Rejected(
                500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
            )
        found = re.fullmatch(r"data:([a-z/]+);base64,([A-Za-z0-9+/]+=*)", url.url if url else "")
        signature = IMAGE_TYPES.get(found[1]) if found else None
        if not found or not signature or not re.match(signature, base64.b64decode(found[2], validate=True), re.DOTALL):
            self.errors.append("an image is not what its data URL says")
            raise Rejected(400, "You uploaded an unsupported image. Please make sure your image is valid.")

    def _check_results(self, asked: Completion) -> None:
        """As the real one: a tool message answers a call of the assistant message before it."""
        open_ids: set[str] = set()
        for message in asked.messages:
            open_ids |= {call.id for call in message.tool_calls}
            if message.role == "tool" and message.tool_call_id not in open_ids:
                self.errors.append(f"tool message for an unknown call {message.tool_call_id!r}")

    async def _models(self, request: web.Request) -> web.Response:
        self._check_key(request)
        return web.json_response({"object": "list", "data": [self._entry()]})

    async def _card(self, request: web.Request) -> web.Response:
        self._check_key(request)
        if not self.cards or request.match_info["name"] != self.name:
            raise Rejected(404, "no such model")
        return web.json_response(self._entry())

    def _entry(self) -> dict[str, Any]:
        return {"id": self.name, "object": "model", "created": 1, "owned_by": "test", **self.card}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _chunk(model: str, delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return _event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]})


def _events(model: str, script: Script, *, usage: bool) -> list[bytes]:
    """The stream of one answer, a piece per event; the last one completes it."""
    if script.raw is not None:
        return [script.raw.encode()]
    events = [_chunk(model, {"role": "assistant", "content": None})]
    events += [_chunk(model, {"reasoning_content": text}) for text in script.thinking]
    events += [_chunk(model, {"content": text}) for text in script.text]
    for index, call in enumerate(script.tool_calls):
        events += [_chunk(model, {"tool_calls": [part]}) for part in _fragments(call, index)]
    if script.error is not None:
        return [*events, _event({"error": {"message": script.error, "code": 500}})]
    if script.endless:
        return [*events, b"data: [DONE]\n\n"]
    reason = "tool_calls" if script.tool_calls else script.reason
    return [*events, _chunk(model, {}, reason), *_tail(model, script, usage=usage)]


def _tail(model: str, script: Script, *, usage: bool) -> list[bytes]:
    done = b"data: [DONE]\n\n"
    if not usage:
        return [done]
    prompt, completion = script.prompt_tokens, script.completion_tokens
    total = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return [_event({"id": "c1", "model": model, "choices": [], "usage": total}), done]


def _fragments(call: dict[str, Any], index: int) -> list[dict[str, Any]]:
    """Id and name first, then the arguments in pieces of a few characters."""
    text = json.dumps(call["arguments"])
    head = {"id": call.get("id", f"call_fake{index:04}"), "type": "function"}
    first = {"index": index, **head, "function": {"name": call["name"], "arguments": ""}}
    rest = [{"index": index, "function": {"arguments": text[at : at + 5]}} for at in range(0, len(text), 5)]
    return [first, *rest]
