"""What the fake model servers share: scripted answers, recorded requests, faults on the wire, a real local server."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

MAX_ENDLESS = 10_000_000
"""Pieces after which even an endless answer ends."""


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. Without a fault it is thinking, then text, then tool calls, then the end.

    Faults are fields: give one of them. `tool_calls` are `{"name": …, "arguments": {…}, "id": …}`, each sent in a piece
    of its own; without "id" the server makes one, with `"id": null` it sends none.
    """

    text: Sequence[str] = ()
    thinking: Sequence[str] = ()
    tool_calls: Sequence[dict[str, Any]] = ()
    delay: float = 0.0
    """Seconds before each piece."""
    reason: str = "stop"
    prompt_tokens: int = 11
    completion_tokens: int = 7

    drop: bool = False
    """Reset the connection without a word."""
    hang: bool = False
    """Take the request and say nothing."""
    stall_after: int | None = None
    """Say nothing more after so many pieces, and keep the connection."""
    drip: int | None = None
    """Write only so many bytes at a time."""
    cut_at: int | None = None
    """Reset the connection after so many bytes."""
    end_after: int | None = None
    """End the response in good order after so many pieces, without the last one."""
    status: int | None = None
    """Answer with this HTTP status and `error`."""
    error: str | None = None
    """Report this error after the text, on the stream."""
    endless: bool = False
    """Repeat the text until the client leaves."""
    raw: str | None = None
    """Send this instead of the protocol."""


Answering = Callable[[dict[str, Any]], Script]


@dataclass(frozen=True, slots=True)
class Rule:
    """For scripts read from a file: `script` answers when the last user message contains `contains`.

    `structured` asks that the request does (true) or does not (false) constrain the output to a schema.
    """

    script: Script
    contains: str = ""
    structured: bool | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """A whole script file: `queue` is played first, then the first rule that fits, then `default`."""

    queue: Sequence[Script] = ()
    rules: Sequence[Rule] = ()
    default: Script = field(default_factory=lambda: Script(text=("OK",)))

    @classmethod
    def read(cls, path: Path) -> Self:
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def answer(self, request: dict[str, Any]) -> Script:
        asked = [m for m in request["messages"] if m["role"] == "user"]
        last = str(asked[-1]["content"]) if asked else ""
        structured = "format" in request or "response_format" in request
        fitting = (r for r in self.rules if r.contains in last and r.structured in {None, structured})
        return next((rule.script for rule in fitting), self.default)


class Rejected(Exception):
    """The request is answered with an HTTP error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ScriptedServer:
    """A server on 127.0.0.1, opened by `async with`.

    `requests` are the bodies of the chat requests in order. `errors` are the client's mistakes (unknown fields, wrong
    types) and the test's own; leaving the context with any of them raises AssertionError. `disconnected` is set, and
    `disconnects` counted, when a client leaves before its answer is complete. `connections` are the clients' ports,
    `sent_bytes` the length of the last answer.
    """

    def __init__(self, *, port: int = 0, num_parallel: int = 1, answer: Answering | None = None) -> None:
        self.port = port
        self.scripts: deque[Script] = deque()
        self.answer: Answering = answer or Play().answer
        self.requests: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.arrived = asyncio.Event()
        self.disconnected = asyncio.Event()
        self.disconnects = 0
        self.running = 0
        self.sent_bytes = 0
        self.connections: set[object] = set()
        self._parallel = asyncio.Semaphore(num_parallel)
        self._runner: web.AppRunner | None = None

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def error_body(self, message: str) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def queue(self, *scripts: Script) -> None:
        self.scripts.extend(scripts)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._refusals])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
        if kind is None and self.errors:
            raise AssertionError(f"{type(self).__name__}: " + "; ".join(self.errors))

    def record(self, request: dict[str, Any]) -> None:
        self.requests.append(request)
        self.arrived.set()

    def script_for(self, request: dict[str, Any]) -> Script:
        """Choose the answer. Raises Rejected where the script says so."""
        script = self.scripts.popleft() if self.scripts else self.answer(request)
        if script.status is not None:
            raise Rejected(script.status, script.error or "scripted refusal")
        return script

    @web.middleware
    async def _refusals(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.connections.add(request.transport and request.transport.get_extra_info("peername"))
        try:
            return await handler(request)
        except Rejected as rejected:
            return web.json_response(self.error_body(rejected.message), status=rejected.status)
        except ConnectionError:
            raise
        except Exception as error:
            self.errors.append(repr(error))
            raise

    async def play(self, request: web.Request, script: Script, pieces: list[bytes], content: str) -> web.StreamResponse:
        """Send `pieces`, the last of which completes the answer, with the script's fault; one after another."""
        try:
            async with self._parallel:
                self.running += 1
                try:
                    return await self._send(request, script, pieces, content)
                finally:
                    self.running -= 1
        except (asyncio.CancelledError, ConnectionError):
            self.disconnects += 1
            self.disconnected.set()
            raise

    async def _send(
        self, request: web.Request, script: Script, pieces: list[bytes], content: str
    ) -> web.StreamResponse:
        if script.hang:
            await asyncio.Event().wait()
        if script.drop:
            return _reset(request, web.StreamResponse())
        response = web.StreamResponse(headers={"Content-Type": content})
        first = True
        sent = 0
        async for data in _timed(script, pieces):
            if first:  # as the real one: no header before the first token
                await response.prepare(request)
                first = False
            room = None if script.cut_at is None else script.cut_at - sent
            await response.write(data[:room]) if data[:room] else None
            sent += len(data)
            self.sent_bytes = sent
            if room is not None and len(data) >= room:
                return _reset(request, response)
        if first:
            await response.prepare(request)
        await response.write_eof()
        return response


def _reset(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    response.force_close()
    return response


async def _timed(script: Script, pieces: list[bytes]) -> AsyncIterator[bytes]:
    """What to write, when: with the script's delays and silences."""
    for number in range(MAX_ENDLESS if script.endless else len(pieces)):
        if number == script.stall_after:
            await asyncio.Event().wait()
        if number == script.end_after:
            return
        if script.delay:
            await asyncio.sleep(script.delay)
        piece = pieces[number % (len(pieces) - 1)] if script.endless else pieces[number]
        step = script.drip or max(len(piece), 1)
        for start in range(0, len(piece), step):
            if script.drip:
                await asyncio.sleep(0)
            yield piece[start : start + step]
