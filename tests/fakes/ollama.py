"""An Ollama server that plays scripts, speaks the real one's wire, and refuses what the real one refuses.

As a program: `python -m tests.fakes.ollama --port 11434 --script play.json` prints its address and serves until it is
stopped; `play.json` is a `Play` (see tests/fakes/scripted.py).
"""

import argparse
import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from tests.fakes.ollama_requests import Chat, Pull, Show
from tests.fakes.scripted import Answering, Play, Rejected, Script, ScriptedServer

NDJSON = "application/x-ndjson"
TIME = "2026-11-20T09:00:00.123456789Z"
PULL_BYTES = 4096
QUEUE_FULL = Script(status=503, error="server busy, please try again.  maximum pending requests exceeded")
"""What OLLAMA_MAX_QUEUE waiting requests cause."""

_Body = TypeVar("_Body", Chat, Show, Pull)


@dataclass(frozen=True, slots=True)
class Installed:
    """A model the server has."""

    name: str = "qwen3:8b"
    capabilities: tuple[str, ...] = ("completion", "tools", "thinking")
    context_length: int = 40960
    family: str = "qwen3"


class FakeOllama(ScriptedServer):
    """`host` is what `OLLAMA_HOST` would be; `models` what is installed; `pullable` what the registry has."""

    def __init__(
        self,
        *,
        models: Iterable[Installed] = (Installed(),),
        pullable: Iterable[str] = (),
        version: str = "0.13.5",
        port: int = 0,
        num_parallel: int = 1,
        answer: Answering | None = None,
    ) -> None:
        super().__init__(port=port, num_parallel=num_parallel, answer=answer)
        self.models = {_tagged(model.name): model for model in models}
        self.pullable = {_tagged(name) for name in pullable}
        self.version = version
        self.loaded: set[str] = set()
        self.calls: list[str] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def error_body(self, message: str) -> dict[str, Any]:
        return {"error": message}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/chat", self._chat),
            web.post("/api/show", self._show),
            web.post("/api/pull", self._pull),
            web.get("/api/tags", self._tags),
            web.get("/api/ps", self._ps),
            web.get("/api/version", self._version),
        ]

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.calls.append("/api/chat")
        chat, raw = await self._body(request, Chat)
        self.record(raw)
        self._check_capabilities(chat)
        script = self.script_for(raw)
        self._check_format(chat, script)
        self.loaded.add(_tagged(chat.model))
        pieces = _lines(chat.model, script)
        if not chat.stream:
            return await self.play(request, script, [_whole(chat.model, script)], "application/json")
        return await self.play(request, script, pieces, NDJSON)

    async def _body(self, request: web.Request, kind: type[_Body]) -> tuple[_Body, dict[str, Any]]:
        body = await request.read()
        try:
            return msgspec.json.decode(body, type=kind), json.loads(body)
        except ValueError as error:
            self.errors.append(f"{request.path}: {error}")
            raise Rejected(400, str(error)) from error

    def _model(self, name: str) -> Installed:
        if not name:
            raise Rejected(400, "model is required")
        found = self.models.get(_tagged(name))
        if found is None:
            raise Rejected(404, f"model '{name}' not found")
        return found

    def _check_capabilities(self, chat: Chat) -> None:
        """As ChatHandler and scheduleRunner: the words are the real ones."""
        can = self._model(chat.model).capabilities
        if chat.think and "thinking" not in can:
            raise Rejected(400, f'"{chat.model}" does not support thinking')
        if chat.tools and "tools" not in can:
            raise Rejected(400, f"registry.ollama.ai/library/{_tagged(chat.model)} does not support tools")
        self._check_images(chat, sees="vision" in can)

    def _check_images(self, chat: Chat, *, sees: bool) -> None:
        """The runner decodes with Go's image package, which is built with PNG, JPEG and WebP; the words are its own."""
        for message in chat.messages:
            if message.images and (not sees or message.role != "user"):
                self.errors.append(
                    f"an image was sent to {'the role ' + message.role if sees else 'a model without vision'}"
                )
            if not all(map(_is_decodable, message.images)):
                raise Rejected(500, "Failed to create new sequence: failed to process inputs: image: unknown format")

    def _check_format(self, chat: Chat, script: Script) -> None:
        """A constrained model cannot write anything but JSON, so a script that does is a mistake of the test."""
        faulty = script.raw or script.error or script.endless or script.reason == "length"
        if chat.format is None or faulty or not script.text:
            return
        try:
            json.loads("".join(script.text))
        except ValueError:
            self.errors.append(f"a format was asked for, the script says {''.join(script.text)[:80]!r}")

    async def _show(self, request: web.Request) -> web.StreamResponse:
        self.calls.append("/api/show")
        show, _ = await self._body(request, Show)
        model = self._model(show.model)
        info = {"general.architecture": model.family, f"{model.family}.context_length": model.context_length}
        return web.json_response(
            {
                "license": "Apache License 2.0",
                "modelfile": f"FROM {model.name}",
                "template": "{{ .Prompt }}",
                "details": _details(model),
                "model_info": info,
                "capabilities": list(model.capabilities),
                "modified_at": TIME,
            }
        )

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        self.calls.append("/api/pull")
        pull, _ = await self._body(request, Pull)
        name = _tagged(pull.model)
        if name not in self.pullable:
            lines = [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]
            return await self.play(request, Script(), [_line(line) for line in lines], NDJSON)
        self.models[name] = Installed(name=name)
        return await self.play(request, Script(), _progress(), NDJSON)

    async def _tags(self, _: web.Request) -> web.Response:
        self.calls.append("/api/tags")
        return web.json_response({"models": [_listed(name, model) for name, model in self.models.items()]})

    async def _ps(self, _: web.Request) -> web.Response:
        self.calls.append("/api/ps")
        rows = [
            _listed(name, self.models[name])
            | {"expires_at": TIME, "size_vram": 0, "context_length": self.models[name].context_length}
            for name in sorted(self.loaded)
        ]
        return web.json_response({"models": rows})

    async def _version(self, _: web.Request) -> web.Response:
        self.calls.append("/api/version")
        return web.json_response({"version": self.version})


def _tagged(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _is_decodable(image: bytes) -> bool:
    return image.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (image[:4], image[8:12]) == (b"RIFF", b"WEBP")


def _details(model: Installed) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": "8.2B",
        "quantization_level": "Q4_K_M",
    }


def _listed(name: str, model: Installed) -> dict[str, Any]:
    row = {"name": name, "model": name, "modified_at": TIME, "size": 5_200_000_000, "digest": "500a1f067a9f"}
    return row | {"details": _details(model)}


def _progress() -> list[bytes]:
    digest = "sha256:a3de86cd1c13"
    part = {"status": "pulling a3de86cd1c13", "digest": digest, "total": PULL_BYTES}
    done = [{"completed": PULL_BYTES * step // 4} for step in range(5)]
    ends = ["verifying sha256 digest", "writing manifest", "success"]
    lines: list[dict[str, Any]] = [
        {"status": "pulling manifest"},
        *(part | d for d in done),
        *({"status": end} for end in ends),
    ]
    return [_line(line) for line in lines]


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _chunk(model: str, message: dict[str, Any], *, done: bool = False) -> dict[str, Any]:
    whole = {"role": "assistant", "content": "", **message}
    return {"model": model, "created_at": TIME, "message": whole, "done": done}


def _end(script: Script) -> dict[str, Any]:
    return {
        "done_reason": script.reason,
        "total_duration": 213_000_000,
        "load_duration": 41_000_000,
        "prompt_eval_count": script.prompt_tokens,
        "prompt_eval_duration": 90_000_000,
        "eval_count": script.completion_tokens,
        "eval_duration": 80_000_000,
    }


def _lines(model: str, script: Script) -> list[bytes]:
    """The stream of one answer, a piece per line; the last one completes it."""
    if script.raw is not None:
        return [script.raw.encode()]
    chunks = [_chunk(model, {"thinking": text}) for text in script.thinking]
    chunks += [_chunk(model, {"content": text}) for text in script.text]
    chunks += [_chunk(model, {"tool_calls": [_tool_call(c, i)]}) for i, c in enumerate(script.tool_calls)]
    lines = [_line(chunk) for chunk in chunks]
    if script.error is not None:
        return [*lines, _line({"error": script.error})]
    return [*lines, _line(_chunk(model, {}, done=True) | _end(script))]


def _tool_call(call: dict[str, Any], index: int) -> dict[str, Any]:
    function = {"index": index, "name": call["name"], "arguments": call["arguments"]}
    made = call.get("id", f"call_fake{index:04}")
    return {"function": function} if made is None else {"id": made, "function": function}


def _whole(model: str, script: Script) -> bytes:
    message: dict[str, Any] = {"content": "".join(script.text)}
    if script.thinking:
        message["thinking"] = "".join(script.thinking)
    if script.tool_calls:
        message["tool_calls"] = [_tool_call(call, i) for i, call in enumerate(script.tool_calls)]
    return _line(_chunk(model, message, done=True) | _end(script))


async def _serve(port: int, play: Play, models: list[str], num_parallel: int) -> None:
    installed = [Installed(name=name) for name in models]
    async with FakeOllama(models=installed, port=port, num_parallel=num_parallel, answer=play.answer) as fake:
        fake.queue(*play.queue)
        print(fake.host, flush=True)  # noqa: T201 - how the parent process learns the address
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--model", action="append", default=None)
    parser.add_argument("--parallel", type=int, default=1)
    given = parser.parse_args()
    play = Play.read(given.script) if given.script else Play()
    asyncio.run(_serve(given.port, play, given.model or [Installed().name], given.parallel))


if __name__ == "__main__":
    main()
