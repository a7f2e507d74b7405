"""CPU per streamed chunk: our wire against `ollama.AsyncClient.chat(stream=True)`, side by side.

    python -m benchmarks.relay [--chunks N] [--rounds N] [--streams N]

A bare local server in a process of its own speaks Ollama's NDJSON. Two ways of arriving are measured, because they
cost differently: *one by one* (a pause between chunks, as a model writes: every chunk is a wake-up) and *in bursts*
(as fast as the socket takes them: one wake-up carries many chunks). What counts is this process's CPU time, so that
neither the server nor the pauses do. The clients alternate, and the median round is printed, beside a bare socket read.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial

import aiohttp
import ollama

from benchmarks.support.server import MODEL, WORD, model_server
from bot.models.model import Request, TextDelta, UserMessage
from bot.models.ollama import OllamaModel


async def ours(model: OllamaModel, how: str) -> int:
    size = 0
    async with aclosing(model.stream(Request((UserMessage(how),), num_ctx=4096, max_tokens=100))) as deltas:
        async for delta in deltas:
            size += len(delta.text) if isinstance(delta, TextDelta) else 0
    return size


async def theirs(client: ollama.AsyncClient, how: str) -> int:
    size = 0
    stream = await client.chat(MODEL, messages=[{"role": "user", "content": how}], stream=True)
    async for part in stream:
        size += len(part.message.content or "")
    return size


async def bare(port: int, how: str) -> int:
    """The same bytes through nothing but asyncio's own stream reader: what no client can be cheaper than."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = how.encode()
    writer.write(f"POST /api/chat HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    size, last = 0, b""
    while not last.endswith(b"0\r\n\r\n"):
        last = await reader.read(65536)
        size += last.count(WORD.encode()) * len(WORD)
    writer.close()
    await writer.wait_closed()
    return size


async def cpu(once: Callable[[str], Awaitable[int]], how: str, streams: int, chunks: int) -> float:
    """Microseconds of CPU per chunk."""
    start = time.process_time()
    sizes = await asyncio.gather(*(once(how) for _ in range(streams)))
    spent = time.process_time() - start
    if set(sizes) != {chunks * len(WORD)}:
        raise SystemExit(f"an answer is not whole: {sizes}")
    return spent / (chunks * streams) * 1e6


async def compare(port: int, chunks: int, rounds: int, streams: int) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        model = OllamaModel(http, host=f"127.0.0.1:{port}", name=MODEL)
        client = ollama.AsyncClient(f"http://127.0.0.1:{port}", timeout=60)
        clients = [partial(bare, port), partial(ours, model), partial(theirs, client)]
        async with model:
            for how in ("one by one", "in bursts"):
                print(report(how, [[await cpu(c, how, streams, chunks) for c in clients] for _ in range(rounds + 1)]))


def report(how: str, rounds: list[list[float]]) -> str:
    """The medians; the first round warms up and does not count."""
    floor, mine, its = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
    ratio = f"ours/ollama {mine / its:.2f} (1/{its / mine:.1f})"
    return f"{how:11} µs/chunk: socket {floor:6.1f}   ours {mine:6.1f}   ollama {its:6.1f}   {ratio}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--streams", type=int, default=32)
    given = parser.parse_args()
    with model_server(given.chunks) as port:
        asyncio.run(compare(port, given.chunks, given.rounds, given.streams))


if __name__ == "__main__":
    main()
