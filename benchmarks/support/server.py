"""A model server and chat platform in a process of its own, as bare as can be: what is measured is its client."""

import asyncio
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

MODEL = "bench:1b"
PAUSES = {b"one by one": 0.0004, b"as a model writes": 0.02}
"""Seconds between two chunks, by what the question asks for; otherwise there is no pause."""
WORD = "word "


def head(body_length: int | None, content: str) -> bytes:
    framing = "Transfer-Encoding: chunked" if body_length is None else f"Content-Length: {body_length}"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content}\r\n{framing}\r\n\r\n".encode()


def framed(value: dict[str, object]) -> bytes:
    line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    return f"{len(line):x}\r\n".encode() + line + b"\r\n"


def chunk(content: str, done: bool) -> bytes:
    message = {"role": "assistant", "content": content}
    line: dict[str, object] = {"model": MODEL, "created_at": "2026-11-20T09:00:00.123456789Z", "message": message}
    end = {"done_reason": "stop", "prompt_eval_count": 20, "eval_count": 20} if done else {}
    return framed(line | {"done": done} | end)


def whole(value: dict[str, object]) -> bytes:
    body = json.dumps(value).encode()
    return head(len(body), "application/json") + body


SHOWN = whole({"capabilities": ["completion", "tools"], "model_info": {"x.context_length": 40960}})
POSTED = whole({"id": "1"})
CALL = {"function": {"name": "shout", "arguments": {"text": "hey"}}}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chunks: int) -> None:
    """Serve one connection: /api/show, /send (a platform), or /api/chat whose question says what comes."""
    while header := await reader.readuntil(b"\r\n\r\n"):
        length = next(
            (int(line.split(b":")[1]) for line in header.lower().splitlines() if line.startswith(b"content-length")), 0
        )
        body = await reader.readexactly(length)
        if b"/api/show" in header:
            writer.write(SHOWN)
        elif b"/send" in header:
            writer.write(POSTED)
        elif b"use a gadget" in body and b'"role":"tool"' not in body:
            writer.write(head(None, "application/x-ndjson") + call() + b"0\r\n\r\n")
        else:
            writer.write(head(None, "application/x-ndjson"))
            await send(writer, chunks, next((pause for how, pause in PAUSES.items() if how in body), 0.0))


def call() -> bytes:
    message: dict[str, object] = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    end: dict[str, object] = {"done": True, "done_reason": "stop", "prompt_eval_count": 20, "eval_count": 20}
    return framed({"model": MODEL, "message": message} | end)


async def send(writer: asyncio.StreamWriter, chunks: int, pause: float) -> None:
    piece = chunk(WORD, done=False)
    for _ in range(chunks):
        writer.write(piece)
        if pause:
            await asyncio.sleep(pause)
        await writer.drain()
    writer.write(chunk("", done=True) + b"0\r\n\r\n")
    await writer.drain()


def serve(chunks: int, pipe: Connection) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer, chunks)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(client, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def model_server(chunks: int) -> Iterator[int]:
    """Runs the server while the block runs; its port. Every answer has so many chunks."""
    ours, its = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(chunks, its), daemon=True)
    server.start()
    try:
        yield ours.recv()
    finally:
        server.terminate()
        server.join()
