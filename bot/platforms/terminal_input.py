"""Lines from a file descriptor, without blocking the event loop and without a thread that outlives it."""

import asyncio
import os
from collections.abc import AsyncGenerator

CHUNK = 65_536
MAX_LINE = 4_000_000
"""Bytes; a longer line is taken in pieces. Far beyond any message."""


async def read_lines(descriptor: int) -> AsyncGenerator[str, None]:
    """Each line without its end, the last one also when no newline follows it. Bytes that are no UTF-8 are replaced."""
    rest = b""
    while chunk := await _chunk(descriptor):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield _text(line)
        if len(rest) > MAX_LINE:
            yield _text(rest)
            rest = b""
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")


async def _chunk(descriptor: int) -> bytes:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    try:
        loop.add_reader(descriptor, ready.set_result, None)
    except PermissionError:  # epoll's answer for a regular file, which never keeps one waiting
        return os.read(descriptor, CHUNK)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, CHUNK)
