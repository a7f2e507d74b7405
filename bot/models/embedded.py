"""The model inside this program: llama.cpp with Qwen2.5-Coder weights, for machines on which no other model runs.

Opening returns at once; fetching, loading and warming up go on behind it, and a question asked meanwhile waits and
says why. Measured on 2 cores with the 1.5B weights: a prompt is read at 90 tokens/s, an answer written at 30. Of a
decision's prompt 1,460 tokens never change: a slot of its own keeps them read (0.4 to 1.9 s for a decision instead of
17 s), and another slot serves the answers.
"""

import asyncio
import importlib.util
import logging
import math
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import ClientSession

from bot.errors import ModelError, ModelNotReady, ModelSilent
from bot.models.downloads import Progress, progress_line
from bot.models.llama_process import WORKER, LlamaProcess
from bot.models.model import Capabilities, Delta, Health, Message, Notice, Request
from bot.models.openai_chat import OpenAIAnswer, encode_request
from bot.models.payload import call_count
from bot.models.peer import Peer
from bot.models.weights import Sources, Weights, cache_dir, choose, fetch, free_memory, installed

DECISION_SLOT, ANSWER_SLOT = 0, 1
DECISION_TOKENS = 2048
"""Added to the context window, so that a decision's prompt stays read beside the longest conversation."""
NOTICE_SECONDS = 1.0
RETRY_SECONDS = 60.0
"""A question asked so long after a failure makes another attempt at fetching and loading."""
MAX_ANSWER_CHARS = 1_000_000
LONG_PROMPT = 400
"""Tokens to read from which it is worth telling how far it is: 4 to 5 s."""

_log = logging.getLogger(__name__)


class _PromptProgress(msgspec.Struct):
    total: int
    cache: int
    processed: int


class _Event(msgspec.Struct):
    prompt_progress: _PromptProgress | None = None


class _Queue:
    """Who is before whom. Fair: in the order of asking."""

    def __init__(self) -> None:
        self._tickets: list[object] = []
        self.moved = asyncio.Event()
        """Set, and replaced by a new one, when somebody leaves or something has changed."""

    def join(self) -> object:
        ticket = object()
        self._tickets.append(ticket)
        return ticket

    def leave(self, ticket: object) -> None:
        self._tickets.remove(ticket)
        self.wake()

    def ahead(self, ticket: object) -> int:
        return self._tickets.index(ticket)

    def wake(self) -> None:
        self.moved.set()
        self.moved = asyncio.Event()


class EmbeddedModel:
    """A model in a process of our own. `weights=None` chooses by the free memory when it is opened.

    `prewarm` is a prompt whose beginning most decisions share: it is read right after loading. With `fetch=False`
    missing weights are a failure that names the command that fetches them. `worker` is the process's command.
    """

    provider = "embedded"

    def __init__(
        self,
        http: ClientSession,
        *,
        weights: Weights | None = None,
        cache_dir: Path | None = None,
        num_ctx: int = 8192,
        threads: int = 0,
        fetch: bool = True,
        prewarm: Sequence[Message] = (),
        sources: Sources | None = None,
        worker: Sequence[str] = WORKER,
    ) -> None:
        self._http = http
        self._weights = weights
        self._folder = cache_dir
        self._num_ctx = num_ctx
        self._threads = threads
        self._fetch = fetch
        self._prewarm = tuple(prewarm)
        self._sources = sources
        self._worker = worker
        self._queue = _Queue()
        self._health = Health("loading", "the language model is about to be loaded")
        self._failed_at = 0.0
        self._preparing: asyncio.Task[None] | None = None
        self._process: LlamaProcess | None = None

    @property
    def name(self) -> str:
        return self._weights.name if self._weights else "qwen2.5-coder-instruct"

    async def __aenter__(self) -> Self:
        self._weights = self._weights or choose(await asyncio.to_thread(free_memory))
        self._begin()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._preparing:
            self._preparing.cancel()
            await asyncio.wait((self._preparing,))
        self._health, self._failed_at = Health("failed", "the language model has been closed"), math.inf
        self._queue.wake()
        await self._close_process()

    async def capabilities(self) -> Capabilities:
        """Tools are not among them although llama.cpp offers them: with these weights, native function calling took
        16 of 27 first decisions right, the constrained decision prompt 26.
        """
        return Capabilities(context_length=self._num_ctx)

    async def health(self) -> Health:
        return self._health

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        ticket = self._queue.join()
        try:
            async with aclosing(self._wait(ticket)) as notices:
                async for notice in notices:
                    yield notice
            async with aclosing(self._answer(request)) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            self._queue.leave(ticket)

    async def _wait(self, ticket: object) -> AsyncGenerator[Notice, None]:
        """Say what is in the way, whenever that changes, until nothing is. Raises ModelNotReady."""
        said, moved = "", self._queue.moved
        while obstacle := self._obstacle(ticket):  # bounded by the preparation and by the questions ahead
            if obstacle != said:
                yield Notice(obstacle)
            said = obstacle
            await _wait(moved, NOTICE_SECONDS if self._health.state == "loading" else None)
            moved = self._queue.moved  # taken before looking, so that no change between the two is missed

    def _obstacle(self, ticket: object) -> str:
        ahead = self._queue.ahead(ticket)
        broken = self._health.state == "ready" and not (self._process and self._process.alive)
        if (broken and not ahead) or (self._health.state == "failed" and self._worth_another_attempt()):
            self._begin()
        if self._health.state == "failed":
            raise ModelNotReady(self._health.detail)
        if self._health.state == "loading":
            return self._health.detail
        return f"queued: {ahead} question{'s' if ahead > 1 else ''} ahead of yours" if ahead else ""

    async def _answer(self, request: Request) -> AsyncGenerator[Delta, None]:
        """One generation. Raises ModelError; what came before the error is yielded first."""
        assert self._process is not None
        answer = OpenAIAnswer(self._peer(), calls_before=call_count(request))
        async with aclosing(self._process.generate(self._body(request))) as batches:
            async for lines in batches:
                for notice in filter(None, map(_reading, lines)):
                    yield notice
                failure = _refusal(self._peer(), lines) or answer.fold(lines, MAX_ANSWER_CHARS)
                for delta in answer.take():
                    yield delta
                if failure is not None:
                    raise failure
        if not answer.over:
            raise self._peer().error(ModelSilent, "llama.cpp ended before the answer was complete")
        yield answer.end()

    def _body(self, request: Request) -> dict[str, Any]:
        slot = DECISION_SLOT if request.schema is not None else ANSWER_SLOT
        return {**encode_request(self.name, request), "id_slot": slot, "cache_prompt": True, "return_progress": True}

    def _peer(self) -> Peer:
        return Peer(self.provider, self.name, "run `secret-agents model pull`")

    def _begin(self) -> None:
        """Start fetching and loading, unless that is going on."""
        if self._preparing is None or self._preparing.done():
            self._say("the language model is about to be loaded")
            self._preparing = asyncio.create_task(self._prepare())

    async def _prepare(self) -> None:
        try:
            await self._close_process()
            path = await self._file()
            self._say("the language model is being loaded into memory")
            self._process = LlamaProcess(self._worker)
            seconds = await self._process.start(path, num_ctx=self._num_ctx + DECISION_TOKENS, threads=self._threads)
            _log.info("%s was loaded in %.1f s", self.name, seconds)
            await self._warm_up()
        except (ModelError, OSError) as error:
            self._fail(error)
        else:
            self._health = Health("ready", f"{self.name} is ready")
            self._queue.wake()

    async def _file(self) -> Path:
        """The verified weights. What would make them useless is looked for before a gigabyte is fetched."""
        if self._worker == WORKER and importlib.util.find_spec("xllamacpp") is None:
            raise ModelNotReady("llama.cpp is not installed: run `pip install 'secret-agents[embedded]'`")
        assert self._weights is not None
        folder = self._folder or cache_dir()
        if self._fetch:
            return await fetch(
                self._weights, folder, http=self._http, progress=self._show_progress, sources=self._sources
            )
        if path := await asyncio.to_thread(installed, self._weights, folder):
            return path
        raise ModelNotReady(f"{self._weights.file_name} is not in {folder}: run `secret-agents model pull`")

    async def _warm_up(self) -> None:
        """Read the prompt that decisions begin with, so that the first question does not wait for it."""
        assert self._process is not None
        if not self._prewarm:
            return
        body = {**self._body(Request(self._prewarm, self._num_ctx, 1)), "id_slot": DECISION_SLOT}
        async with aclosing(self._process.generate(body)) as batches:
            async for lines in batches:
                for reading in filter(None, map(_reading, lines)):
                    self._say(f"the language model is warming up ({reading.text})")

    async def _close_process(self) -> None:
        if self._process:
            await self._process.close()
            self._process = None

    def _show_progress(self, progress: Progress) -> None:
        self._say(progress_line(progress))

    def _say(self, detail: str) -> None:
        self._health = Health("loading", detail)

    def _fail(self, error: Exception) -> None:
        _log.warning("the embedded model is not ready: %s", error)
        self._health = Health("failed", str(error))
        self._failed_at = time.monotonic()
        self._queue.wake()

    def _worth_another_attempt(self) -> bool:
        return time.monotonic() - self._failed_at >= RETRY_SECONDS


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    """Until the event, at most so long."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def _reading(line: bytes) -> Notice | None:
    """How far a long prompt is read, from llama.cpp's `prompt_progress`."""
    if b'"prompt_progress"' not in line:
        return None
    try:
        progress = msgspec.json.decode(line, type=_Event).prompt_progress
    except ValueError:
        return None
    if progress is None or progress.processed >= progress.total or progress.total - progress.cache < LONG_PROMPT:
        return None
    return Notice(f"reading: {100 * progress.processed // progress.total} %")


def _refusal(peer: Peer, lines: Sequence[bytes]) -> ModelError | None:
    """llama.cpp's error events that mean that this request can never be answered."""
    for line in lines:
        if line.startswith(b'{"error"'):
            asked_wrong = b"exceed_context_size_error" in line or b"invalid_request_error" in line
            return peer.refusal(400 if asked_wrong else 500, line)
    return None
