"""What a whole turn costs in CPU, against a bare call of the `ollama` client for the same 64 chunks.

    python -m benchmarks.turns [--turns N] [--rounds N]

A turn is: admit, load the history, 64 streamed chunks from a local server over HTTP, record, one POST to a local chat
platform, close. A gadget turn calls the model twice and runs a gadget in between. The server is a process of its own;
what counts is the CPU of this one, SQLite's thread and its synced writes included. Clients alternate; the median round
is told. Then: the same turn in a conversation of 100,000 turns beside one of 10, and the longest stall of the loop.
"""

import argparse
import asyncio
import logging
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import ollama

from benchmarks.support.server import MODEL, WORD, model_server
from benchmarks.support.verdict import verdict
from bot.app import spare_the_collector
from bot.models.ollama import OllamaModel
from bot.platforms.platform import Final, TurnRef
from storage.database import Connection
from tests.core import Core, running_core
from tests.fakes.stub_platform import StubPlatform, message

CHUNKS = 64
TURNS_EACH = 10
STALL_SAMPLE = 0.001
SUMMARY = "\n".join(["Alice asked for the weather, day by day.", *["- Alice: What is the weather like today?"] * 40])


class PostingPlatform(StubPlatform):
    """Posts finished answers to the chat platform's server."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        super().__init__(pace=float("inf"))
        self._http = http
        self._url = url
        self.done = 0
        self.target = 0
        self.reached = asyncio.Event()

    def count(self) -> None:
        self.done += 1
        if self.done >= self.target:
            self.reached.set()

    def reply(self, turn: TurnRef) -> "PostingReply":  # type: ignore[override]  # another reply, the same protocol
        return PostingReply(self, self._http, self._url, turn)


class PostingReply:
    def __init__(self, platform: PostingPlatform, http: aiohttp.ClientSession, url: str, turn: TurnRef) -> None:
        self._platform = platform
        self._http = http
        self._url = url
        self._turn = turn

    async def post(self, part: int, text: str, *, key: str) -> str:
        assert text.startswith(WORD)
        async with self._http.post(self._url, json={"part": part, "text": text, "key": key}) as response:
            posted: str = (await response.json())["id"]
            return posted

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        raise AssertionError("only finished answers are shown")

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        raise AssertionError("a finished answer is posted once")

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        self._platform.count()


class Bench:
    """Runs batches of turns at once, ten turns in each conversation unless told where."""

    def __init__(self, core: Core[Any], platform: PostingPlatform, concurrency: int) -> None:
        self._core = core
        self._platform = platform
        self._concurrency = concurrency
        self._asked = 0
        self._batches = 0

    async def turns(self, text: str, count: int, thread: str = "") -> None:
        for _ in range(count // self._concurrency):
            self._platform.target = self._platform.done + self._concurrency
            self._platform.reached.clear()
            self._batches += 1
            for place in range(self._concurrency):
                self._asked += 1
                where = thread or f"t{place}-{self._batches // TURNS_EACH}"
                await self._core.inbox.admit(message(text, self._asked, thread=where))
            await self._platform.reached.wait()
            while not self._core.engine.idle:  # noqa: ASYNC110 - the last commit has no event
                await asyncio.sleep(0.001)


async def theirs(client: ollama.AsyncClient, concurrency: int, count: int) -> None:
    async def once() -> None:
        stream = await client.chat(MODEL, messages=[{"role": "user", "content": "Hello"}], stream=True)
        size = 0
        async for part in stream:
            size += len(part.message.content or "")
        assert size == CHUNKS * len(WORD)

    for _ in range(count // concurrency):
        await asyncio.gather(*(once() for _ in range(concurrency)))


async def cpu(work: Callable[[int], Awaitable[None]], count: int) -> float:
    """Microseconds of CPU per turn."""
    start = time.process_time()
    await work(count)
    return (time.process_time() - start) / count * 1e6


async def longest_stall(work: Awaitable[None]) -> float:
    """The longest time in seconds that the event loop did not come round while `work` ran."""
    worst, running = 0.0, True

    async def watch() -> None:
        nonlocal worst
        while running:
            before = time.perf_counter()
            await asyncio.sleep(STALL_SAMPLE)
            worst = max(worst, time.perf_counter() - before - STALL_SAMPLE)

    watching = asyncio.create_task(watch())
    await work
    running = False
    await watching
    return worst


def fill(connection: Connection, thread: str, count: int) -> None:
    """A conversation of so many answered turns, all but the last ten in its summary, as it is when they were said."""
    connection.execute(
        """INSERT INTO conversations (id, platform, workspace, channel, thread, owner, owner_name, agent, title, status,
                started_at, last_updated)
            VALUES (:thread, 'stub', 'w', 'c', :thread, 'u1', 'Alice', 'quartermaster', 'x', 'active', 'x', 'x')""",
        {"thread": thread},
    )
    connection.execute(
        """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
            INSERT INTO turns (conversation, event_key, author, author_name, user_message, status, agent_response,
                outcome, created_at, finished_at)
            SELECT (SELECT number FROM conversations WHERE id = :thread), :thread || i, 'u1', 'Alice',
                'What is the weather like today?', 'answered', 'Fair and mild, as always.', 'answered', 'x', 'x'
            FROM n""",
        {"thread": thread, "count": count},
    )
    connection.execute(
        """UPDATE conversations SET summary = :summary, summarised_to = (
                SELECT max(id) - 10 FROM turns WHERE conversation = conversations.number) WHERE id = :thread""",
        {"thread": thread, "summary": SUMMARY},
    )


async def measure(port: int, count: int, rounds: int, concurrency: int) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        client = ollama.AsyncClient(f"http://127.0.0.1:{port}", timeout=60)
        platform = PostingPlatform(http, f"http://127.0.0.1:{port}/send")
        model = OllamaModel(http, host=f"127.0.0.1:{port}", name=MODEL)
        with tempfile.TemporaryDirectory() as folder:
            async with running_core(Path(folder) / "db", model, platform) as core:
                spare_the_collector()  # as the program does
                await against_the_client(Bench(core, platform, concurrency), client, count, rounds, concurrency)
                await long_conversations(core, platform, count // 4, rounds)


async def against_the_client(
    bench: Bench, client: ollama.AsyncClient, count: int, rounds: int, concurrency: int
) -> None:
    works = [partial(theirs, client, concurrency), partial(bench.turns, "Hello"), partial(bench.turns, "use a gadget")]
    measured = [[await cpu(work, count) for work in works] for _ in range(rounds + 1)][1:]
    its, plain, gadget = (statistics.median(column) for column in zip(*measured, strict=True))
    print(f"bare ollama client {its:6.0f} µs CPU per call of {CHUNKS} chunks")
    print(verdict("whole turn / client call", plain / its, 0.6, f"{plain:.0f} µs"))
    print(verdict("gadget turn / client call", gadget / its, 0.9, f"{gadget:.0f} µs"))
    stall = await longest_stall(bench.turns("Hello", count))
    print(verdict("longest stall of the loop, ms", stall * 1000, 10))


async def long_conversations(core: Core[Any], platform: PostingPlatform, count: int, rounds: int) -> None:
    for thread, size in (("short", 10), ("long", 100_000)):
        await core.database.write(fill, thread, size)
    one = Bench(core, platform, 1)
    works = [partial(one.turns, "Hello", thread="short"), partial(one.turns, "Hello", thread="long")]
    await one.turns("Hello", 40, thread="short")  # both windows are full then
    measured = [[await cpu(work, count) for work in works] for _ in range(rounds + 1)][1:]
    short, long_ = (statistics.median(column) for column in zip(*measured, strict=True))
    print(verdict("turn in 100,000 turns / turn in a short one", long_ / short, 1.1, f"{long_:.0f} µs"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=16)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    with model_server(CHUNKS) as port:
        asyncio.run(measure(port, given.turns, given.rounds, given.concurrency))


if __name__ == "__main__":
    main()
