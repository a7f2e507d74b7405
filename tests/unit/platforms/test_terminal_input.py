"""Lines from pipes and files."""

import asyncio
import os
from pathlib import Path

from bot.platforms.terminal_input import CHUNK, MAX_LINE, read_lines


async def lines_of_pipe(*pieces: bytes) -> list[str]:
    """What arrives when each piece is written only after the reader has taken the one before."""
    reading, writing = os.pipe()
    found: list[str] = []

    async def read() -> None:
        found.extend([line async for line in read_lines(reading)])

    task = asyncio.create_task(read())
    for piece in pieces:
        await asyncio.to_thread(os.write, writing, piece)
    os.close(writing)
    await task
    os.close(reading)
    return found


async def test_a_line_may_arrive_in_pieces() -> None:
    assert await lines_of_pipe(b"he", b"llo\nwor", "ldü".encode()[:-1], "ü".encode()[-1:]) == ["hello", "worldü"]


async def test_line_ends_of_other_systems_are_no_part_of_the_line() -> None:
    assert await lines_of_pipe(b"a\r\nb\n\n") == ["a", "b", ""]


async def test_bytes_that_are_no_text_are_replaced() -> None:
    assert await lines_of_pipe(b"a\xffb\n") == ["a\ufffdb"]


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    path.write_text("x" * (3 * CHUNK) + "\nlast", encoding="utf-8")
    descriptor = os.open(path, os.O_RDONLY)
    assert [len(line) async for line in read_lines(descriptor)] == [3 * CHUNK, 4]
    os.close(descriptor)


async def test_a_line_without_end_is_taken_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    path.write_bytes(b"x" * (2 * MAX_LINE))
    descriptor = os.open(path, os.O_RDONLY)
    lengths = [len(line) async for line in read_lines(descriptor)]
    os.close(descriptor)
    assert sum(lengths) == 2 * MAX_LINE
    assert max(lengths) <= MAX_LINE + CHUNK


async def test_nothing_is_no_line() -> None:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    assert [line async for line in read_lines(descriptor)] == []
    os.close(descriptor)
