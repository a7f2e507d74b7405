"""Many answers at once: can one core follow 900 streams of 50 tokens a second, and does the 150th begin at once?

    python -m benchmarks.streams [--streams N] [--chunks N]

A local server in a process of its own writes a chunk every 20 ms on every connection. *Behind* is how much longer than
its schedule a stream took from its first text to its end, at worst. The server may be late as well, so it is measured
against a bare socket reader of as many streams in the same run.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial

import aiohttp

from benchmarks.support.server import MODEL, WORD, model_server
from benchmarks.support.verdict import verdict
from bot.models.model import Request, TextDelta, UserMessage
from bot.models.ollama import OllamaModel

HOW = "as a model writes"
PAUSE = 0.02


Followed = tuple[float, float]
"""Seconds from the request to the first text, and from there to the end."""


async def follow(model: OllamaModel, chunks: int) -> Followed:
    began, first, size = time.perf_counter(), 0.0, 0
    async with aclosing(model.stream(Request((UserMessage(HOW),), num_ctx=4096, max_tokens=100))) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                first = first or time.perf_counter() - began
                size += len(delta.text)
    assert size == chunks * len(WORD), "a stream is not whole"
    return first, time.perf_counter() - began - first


async def bare(port: int, chunks: int) -> Followed:
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /api/chat HTTP/1.1\r\nContent-Length: {len(HOW)}\r\n\r\n{HOW}".encode())
    last = await reader.read(65536)
    first = time.perf_counter() - began
    while not last.endswith(b"0\r\n\r\n"):
        last = await reader.read(65536)
    writer.close()
    return first, time.perf_counter() - began - first


async def together(once: Callable[[int], Awaitable[Followed]], streams: int, chunks: int) -> tuple[float, float, float]:
    """Seconds behind the schedule and until the start, both at worst, and the share of a core."""
    start, cpu = time.perf_counter(), time.process_time()
    followed = await asyncio.gather(*(once(chunks) for _ in range(streams)))
    share = (time.process_time() - cpu) / (time.perf_counter() - start)
    return max(rest for _, rest in followed) - chunks * PAUSE, max(first for first, _ in followed), share


async def measure(port: int, streams: int, chunks: int) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        model = OllamaModel(http, host=f"127.0.0.1:{port}", name=MODEL)
        await model.capabilities()
        ours = partial(follow, model)
        _, slowest, _ = await together(ours, 150, chunks)
        print(verdict("150 streams at once: slowest start, s", slowest, 1.0))
        floor, _, _ = await together(partial(bare, port), streams, chunks)
        behind, _, share = await together(ours, streams, chunks)
        print(f"{streams} streams: a bare socket reader is {floor:.2f} s behind the schedule, we are {behind:.2f} s")
        print(verdict(f"{streams} streams: share of one core", share, 1.0))
        print(verdict(f"{streams} streams: behind the bare reader, s", behind - floor, 1.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=900)
    parser.add_argument("--chunks", type=int, default=500, help="10 seconds")
    given = parser.parse_args()
    with model_server(given.chunks) as port:
        asyncio.run(measure(port, given.streams, given.chunks))


if __name__ == "__main__":
    main()
