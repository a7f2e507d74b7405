"""Do conversations whose model server is broken slow down the others?

    python -m benchmarks.faults [--turns N] [--neighbours N]

Twenty people ask a healthy model one question after another; then they do so again while as many neighbours as asked
for meet every fault there is (refusals, hangs, resets in mid-stream, dripping, endless answers, tool loops) on a model
server of their own, so that what is compared is this program's share. What is told is the 99th percentile of the time
from a question to its shown answer.
"""

import argparse
import asyncio
import logging
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession, TCPConnector

from benchmarks.support.verdict import verdict
from bot.app import spare_the_collector
from bot.models.model import Capabilities, Delta, Health, Request, UserMessage
from bot.models.ollama import OllamaModel
from bot.platforms.platform import Final, TurnRef
from tests.core import Core, running_core
from tests.fakes.ollama import FakeOllama, Installed
from tests.fakes.scripted import Script
from tests.fakes.stub_platform import StubPlatform, StubReply, message
from tests.faults import HEALTHY, faulty

PEOPLE = 20
DEADLINE = 4.0


def answer(request: dict[str, Any]) -> Script:
    """A healthy answer takes a moment, so that the two runs differ in nothing but the neighbours."""
    asked: str = next(m["content"] for m in reversed(request["messages"]) if m["role"] == "user")
    return Script(text=HEALTHY, delay=0.01) if asked.startswith("healthy") else faulty(random.Random(asked))


class TwoServers:
    """The model: one question goes to the healthy server, the other to the broken one."""

    provider, name = "ollama", "m"

    def __init__(self, healthy: OllamaModel, broken: OllamaModel) -> None:
        self._healthy = healthy
        self._broken = broken

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def capabilities(self) -> Capabilities:
        return await self._healthy.capabilities()

    async def health(self) -> Health:
        return await self._healthy.health()

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        asked = next(m.text for m in reversed(request.messages) if isinstance(m, UserMessage))
        return (self._healthy if asked.startswith("healthy") else self._broken).stream(request)


def serve(pipe: Connection) -> None:
    logging.disable(logging.CRITICAL)

    async def run() -> None:
        models = [Installed("m", capabilities=("completion", "tools"))]
        async with FakeOllama(models=models, num_parallel=10_000, answer=answer) as server:
            pipe.send(server.host)
            await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def faulty_server() -> Iterator[str]:
    ours, its = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(its,), daemon=True)
    server.start()
    try:
        yield ours.recv()
    finally:
        server.kill()
        server.join()


class TellingPlatform(StubPlatform):
    """Tells when the answer to an event was shown to its end."""

    def __init__(self) -> None:
        super().__init__(pace=0.1)
        self.shown: dict[str, asyncio.Future[None]] = {}

    def reply(self, turn: TurnRef) -> "TellingReply":
        return TellingReply(self, turn)


class TellingReply(StubReply):
    def __init__(self, platform: TellingPlatform, turn: TurnRef) -> None:
        super().__init__(platform, turn)
        self._shown = platform.shown[turn.event_key]

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        await super().finish(remote_ids, final)
        if not self._shown.done():
            self._shown.set_result(None)


async def person(core: Core[Any], platform: TellingPlatform, kind: str, name: str, count: int) -> list[float]:
    """Ask one question after another; the seconds that each took."""
    took = []
    for number in range(count):
        asked = message(f"{kind} question {name} {number}", number, thread=f"{kind}-{name}")
        platform.shown[asked.event_key] = asyncio.get_running_loop().create_future()
        start = time.perf_counter()
        await core.inbox.admit(asked)
        await platform.shown.get(asked.event_key, asyncio.Future())
        took.append(time.perf_counter() - start)
    return took


async def street(core: Core[Any], platform: TellingPlatform, run: str, count: int) -> float:
    """The 99th percentile over twenty people."""
    people = [person(core, platform, "healthy", f"{run}{number}", count) for number in range(PEOPLE)]
    return statistics.quantiles([t for took in await asyncio.gather(*people) for t in took], n=100)[98]


async def measure(healthy: str, broken: str, count: int, neighbours: int) -> None:
    platform = TellingPlatform()
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        model = TwoServers(
            *(OllamaModel(http, host=h, name="m", first_token_seconds=1, idle_seconds=1) for h in (healthy, broken))
        )
        with tempfile.TemporaryDirectory() as folder:
            async with running_core(Path(folder) / "db", model, platform, seconds=DEADLINE) as core:
                spare_the_collector()
                await street(core, platform, "warm", 5)
                alone = await street(core, platform, "alone", count)
                crowd = [
                    asyncio.create_task(person(core, platform, "faulty", f"n{number}", 1_000_000))
                    for number in range(neighbours)
                ]
                beside = await street(core, platform, "beside", count)
                for task in crowd:
                    task.cancel()
                turns = sum(key.startswith("stub:faulty") for key in platform.shown)
    print(f"p99 alone {alone * 1000:.0f} ms, beside {turns} faulty turns {beside * 1000:.0f} ms")
    print(verdict("p99 beside faults / p99 alone", beside / alone, 2.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=50, help="of each of the twenty people")
    parser.add_argument("--neighbours", type=int, default=40)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with faulty_server() as healthy, faulty_server() as broken:
        asyncio.run(measure(healthy, broken, given.turns, given.neighbours))


if __name__ == "__main__":
    main()
